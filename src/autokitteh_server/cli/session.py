"""`ak session`: what sessions there are, and what happened in them."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.terminal import write_lines

if TYPE_CHECKING:
    from autokitteh_server.operations.session_reader import SessionReader

_HERE = "autokitteh_server.cli.session"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List sessions, the newest first."),
    "get": Lazy(f"{_HERE}:get", "Show all about a session but its log."),
    "log": Lazy(f"{_HERE}:log", "Show what happened in a session, in order."),
    "prints": Lazy(f"{_HERE}:prints", "Show what a session printed."),
}

_EPILOG = """
\b
Examples:
  ak session list --data-dir .ak
  ak session log last --data-dir .ak
  ak session log ses_01m835 -j | jq 'select(.kind == "call")'

SES is a session's id, the beginning of it, or `last`, which is also the default: the newest session that no other
session started. A server may be running meanwhile.
"""

# Commands are in the table by their names, and in this file below: `list` would hide the builtin.


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("which", metavar="[SES]", default="last")(command)


def _data_dir(command: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="AK_DATA_DIR",
        show_envvar=True,
        help="Where the sessions are. Default: ~/.local/share/autokitteh; AK_DB names another database.",
    )
    return option(command)


def _json(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("-j", "--json", "as_json", is_flag=True, help="A JSON object a line.")(command)


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def session() -> None:
    """Look at sessions and their logs."""


@click.command("list", epilog=_EPILOG)
@_data_dir
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@_json
def list_(data_dir: Path | None, limit: int, as_json: bool) -> None:
    """List sessions, the newest first."""
    with _open(data_dir) as reader:
        found = reader.list(limit)
    from autokitteh_server.cli import session_text  # with the reader, which takes its time to import

    if as_json:
        write_lines([_dump(session_text.session_to_json(each)) for each in found])
    else:
        write_lines(session_text.render_list(found, now=datetime.now().astimezone()))


@click.command(epilog=_EPILOG)
@_which
@_data_dir
@_json
def get(which: str, data_dir: Path | None, as_json: bool) -> None:
    """Show all about a session but its log."""
    with _open(data_dir) as reader:
        found = reader.log(which)
    from autokitteh_server.cli import session_text

    if as_json:
        write_lines([_dump(session_text.session_to_json(found.session) | {"children": found.children})])
    else:
        write_lines(session_text.render_session(found.session, found.children, now=datetime.now().astimezone()))


@click.command(epilog=_EPILOG)
@_which
@_data_dir
@_json
def log(which: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what happened in a session, in order.

    A call is shown where it ended. Those marked as replayed are the ones whose result a later process of the session
    took from the journal.
    """
    with _open(data_dir) as reader:
        found = reader.log(which)
    from autokitteh_server.cli.log_text import render_log
    from autokitteh_server.operations.session_log import entry_to_json

    if as_json:
        write_lines([_dump(entry_to_json(entry, found.session.id)) for entry in found.entries])
    else:
        write_lines(render_log(found.entries))


@click.command(epilog=_EPILOG)
@_which
@_data_dir
@click.option("--timestamps/--no-timestamps", default=True, help="Times in front of the lines.", show_default=True)
def prints(which: str, data_dir: Path | None, timestamps: bool) -> None:
    """Show what a session printed."""
    with _open(data_dir) as reader:
        found = reader.log(which)
    from autokitteh_server.cli.log_text import format_local_time

    lines = [entry for entry in found.entries if entry.kind == "print"]
    write_lines([f"{format_local_time(line.at)}  {line.text}" if timestamps else line.text for line in lines])


def _open(data_dir: Path | None) -> "SessionReader":
    # A database library takes a while to import, and help needs none.
    from autokitteh_server.config_load import load_settings
    from autokitteh_server.operations.session_reader import SessionReader

    # A folder given by name is meant, whatever the environment says about another database.
    settings = load_settings(os.environ)
    return SessionReader.open(data_dir or settings.data_dir, settings.db)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
