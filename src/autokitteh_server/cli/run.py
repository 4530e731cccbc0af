"""`ak run`: one session, without a server."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.options import parse_data, parse_vars

if TYPE_CHECKING:
    from autokitteh_server.config import Settings

#: A thousand years. NaN and infinity are beyond any comparison with it.
_LONGEST_S = 3e10

_EPILOG = """
\b
Examples:
  ak run examples/hello
  ak run program.py --entry program.py:on_event --event '{"name": "Ann"}'
  ak run program.txtar --event @event.json --var N=5
  ak run report/ --data-dir .ak      # cut off? the same command goes on

\b
Without --data-dir everything is kept in a throw-away folder: Ctrl-C stops the
session. With it, the session survives Ctrl-C, kill -9 and power cuts: the same
command takes it up where it was, and shows what it prints from there on. Other
sessions of that folder which are not over run along meanwhile.

The command ends when its session and all sessions started by it have ended.
The environment is not passed to the code: use --var.
"""


def _check_timeout(ctx: click.Context, parameter: click.Parameter, seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < _LONGEST_S:
        raise click.BadParameter(f"{seconds:g} is not a number of seconds above 0.")
    return seconds


@click.command(epilog=_EPILOG)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--entry", metavar="FILE.py:FUNC", help="The function to run. Default: the only one it can be.")
@click.option("--event", metavar="JSON|@FILE", help="The event's data. @FILE: from a file; @-: from standard input.")
@click.option("--durable/--no-durable", default=None, help="Default: as the manifest says; durable if there is none.")
@click.option("--var", "variables", metavar="NAME=VALUE", multiple=True, help="An environment variable for the code.")
@click.option("--timeout", metavar="SECONDS", type=float, callback=_check_timeout, help="Stop the session then.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep the session here. Default: a throw-away."
)
@click.option("-j", "--json", "as_json", is_flag=True, help="Print the session's log, a JSON object a line.")
def run(
    target: Path,
    entry: str | None,
    event: str | None,
    durable: bool | None,
    variables: tuple[str, ...],
    timeout: float | None,
    data_dir: Path | None,
    as_json: bool,
) -> int:
    """Run a project, a .py file or an archive as one session.

    TARGET is the project's directory, the file, or the archive (.txtar). Standard output is what the code prints.
    """
    choices: dict[str, Any] = {"entry": entry, "durable": durable, "vars": parse_vars(variables)}
    if event is not None:
        choices["data"] = parse_data("--event", event)
    # The engine and its database library take a while to import, and `ak run --help` needs neither.
    from autokitteh_server.cli.run_session import run_session
    from autokitteh_server.config_load import load_settings
    from autokitteh_server.operations.runs import load_run

    order = load_run(target, **choices)
    if data_dir is not None:
        settings = load_settings(os.environ, _FLAGS | {"data_dir": data_dir.expanduser().absolute()})
        return run_session(_with_cache(settings), order, timeout_s=timeout, as_json=as_json, is_kept=True)
    with _throw_away() as folder:
        settings = load_settings(os.environ, _FLAGS | {"data_dir": folder, "durable": False, "db": ""})
        return run_session(_with_cache(settings), order, timeout_s=timeout, as_json=as_json, is_kept=False)


#: It is for its author that the code is run here, as `python program.py` would: with the author's rights.
_FLAGS: dict[str, Any] = {"isolation.mode": "off"}


def _with_cache(settings: "Settings") -> "Settings":
    """What takes time to make is neither thrown away, nor made for each data folder anew."""
    from autokitteh_server.config import cache_dir  # with the engine

    folder = settings.environment_folder or cache_dir(os.environ) / "environments"
    return replace(settings, environment_folder=folder)


@contextmanager
def _throw_away() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ak-run-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
