"""`ak session`: what sessions there are, what happened in them, and what can be done about them."""

import json
from datetime import datetime
from pathlib import Path

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.server import dump, json_option, server_options, show_all
from autokitteh_server.cli.terminal import write_lines
from autokitteh_server.core.states import SessionState

_HERE = "autokitteh_server.cli.session"
_CHANGES = "autokitteh_server.cli.session_changes"
_COMMANDS = {
    "start": Lazy(f"{_CHANGES}:start", "Start a session by hand."),
    "list": Lazy(f"{_HERE}:list_", "List sessions, the newest first."),
    "get": Lazy(f"{_HERE}:get", "Show all about a session but its log."),
    "log": Lazy(f"{_HERE}:log", "Show what happened in a session, in order."),
    "prints": Lazy(f"{_HERE}:prints", "Show what a session printed."),
    "watch": Lazy(f"{_CHANGES}:watch", "Follow a session's log until it is over."),
    "stop": Lazy(f"{_CHANGES}:stop", "Stop a session."),
    "restart": Lazy(f"{_CHANGES}:restart", "Start a session again, from its beginning."),
    "delete": Lazy(f"{_CHANGES}:delete", "Delete a session that is over."),
}

_EPILOG = """
\b
Examples:
  ak session start my_project --entry program.py:on_event --watch
  ak session list --state RUNNING
  ak session log last --data-dir .ak
  ak session log ses_01m835 -j | jq 'select(.kind == "call")'

SES is a session's id, the beginning of it, or `last`, which for those that only look is also the default: the newest
session that no other session started. With --data-dir a folder is read also while no server runs on it.
"""

which_argument = click.argument("which", metavar="[SES]", default="last")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def session() -> None:
    """Look at sessions and their logs, start and stop them."""


@click.command("list", epilog=_EPILOG)
@click.option("--project", metavar="NAME", default="", help="Only those of a project.")
@click.option("--deployment", metavar="ID", default="", help="Only those of a deployment.")
@click.option("--event", metavar="ID", default="", help="Only those that an event started.")
@click.option("--parent", metavar="ID", default="", help="Only those that a session started.")
@click.option("--state", type=click.Choice([state.value for state in SessionState], case_sensitive=False))
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@json_option
@server_options
def list_(
    project: str,
    deployment: str,
    event: str,
    parent: str,
    state: str | None,
    limit: int,
    as_json: bool,
    data_dir: Path | None,
    server: str | None,
    token: str | None,
) -> None:
    """List sessions, the newest first."""
    # With what reads the sessions, which takes its time to import.
    from msgspec import UNSET

    from autokitteh_server.cli.session_source import open_sessions
    from autokitteh_server.cli.session_text import render_sessions
    from autokitteh_server.core.api_types.sessions import SessionQuery

    wanted = SessionQuery(
        project=project,
        deployment=deployment,
        event=event,
        parent=parent,
        state=SessionState(state.upper()) if state else UNSET,
    )
    now = datetime.now().astimezone()
    with open_sessions(data_dir, server, token) as source:
        found = source.find(wanted, limit)
        show_all(found, as_json, lambda sessions: render_sessions(sessions, source.project_names(), now=now))


@click.command(epilog=_EPILOG)
@which_argument
@json_option
@server_options
def get(which: str, as_json: bool, data_dir: Path | None, server: str | None, token: str | None) -> None:
    """Show all about a session but its log."""
    from autokitteh_server.cli.session_source import open_sessions  # as above
    from autokitteh_server.cli.session_text import render_session

    with open_sessions(data_dir, server, token) as source:
        found, children = source.get(which)
        if as_json:
            write_lines([json.dumps(json.loads(dump(found)) | {"children": children}, ensure_ascii=False)])
        else:
            now = datetime.now().astimezone()
            write_lines(render_session(found, children, source.project_names(), now=now))


@click.command(epilog=_EPILOG)
@which_argument
@json_option
@server_options
def log(which: str, as_json: bool, data_dir: Path | None, server: str | None, token: str | None) -> None:
    """Show what happened in a session, in order.

    A call is shown where it ended. Those marked as replayed are the ones whose result a later process of the session
    took from the journal.
    """
    from autokitteh_server.cli.log_text import render_log  # as above
    from autokitteh_server.cli.session_source import open_sessions

    with open_sessions(data_dir, server, token) as source:
        show_all(source.log(which), as_json, render_log)


@click.command(epilog=_EPILOG)
@which_argument
@click.option("--timestamps/--no-timestamps", default=True, help="Times in front of the lines.", show_default=True)
@server_options
def prints(which: str, timestamps: bool, data_dir: Path | None, server: str | None, token: str | None) -> None:
    """Show what a session printed."""
    from autokitteh_server.cli.log_text import render_print  # as above
    from autokitteh_server.cli.session_source import open_sessions

    with open_sessions(data_dir, server, token) as source:
        lines = [line for line in source.log(which) if line.kind == "print"]
    write_lines([render_print(line, timestamps=timestamps) for line in lines])
