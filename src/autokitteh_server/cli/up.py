"""`ak up`: the server."""

import os
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.signals import signals_as_messages
from autokitteh_server.cli.terminal import complain, say, write_lines
from autokitteh_server.cli.threads import deaths_of_threads

_EPILOG = """
\b
Examples:
  ak up
  ak up --addr 127.0.0.1:8080 --data-dir ./data
  ak up --db postgresql://user@host/name
  ak up --tunnel-url https://something.ngrok-free.app

Ctrl-C stops it: requests and activities under way may come to their ends for some seconds. A second Ctrl-C ends it at
once; then, as after a power cut, all sessions go on where they were at the next start.
"""


@click.command(epilog=_EPILOG)
@click.option("--addr", metavar="HOST:PORT", help="Where to listen. Default: 127.0.0.1:9980.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="AK_DATA_DIR",
    show_envvar=True,
    help="Where everything is kept. Default: ~/.local/share/autokitteh.",
)
@click.option(
    "--tunnel-url",
    metavar="URL",
    help="The https address of a tunnel to this server: what services are told to send events to.",
)
@click.option("--db", metavar="URL", help="The database. Default: SQLite in the data folder.")
@click.option(
    "--engine",
    type=click.Choice(["local", "temporal"]),
    default="local",
    show_default=True,
    help="What gives sessions their turns: this server, or a Temporal cluster, which is yet to come.",
)
def up(addr: str | None, data_dir: Path | None, tunnel_url: str | None, db: str | None, engine: str) -> int:
    """Run the server."""
    # All that help can do without.
    from autokitteh_server.config_load import load_settings
    from autokitteh_server.config_table import table
    from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
    from autokitteh_server.serving import Serving
    from autokitteh_server.telemetry.logging import configure_logging

    if engine != "local":
        raise FailedPrecondition(f"this version has no engine {engine}", "Leave --engine out: sessions run here.")
    flags: dict[str, Any] = {}
    given = (("addr", "http.addr", addr), ("tunnel-url", "http.service_url", tunnel_url), ("db", "db", db))
    for flag, key, text in given:
        if text is not None:
            try:
                flags[key] = table()[key].kind.parse(text)
            except ValueError as error:
                raise InvalidArgument(f"--{flag} {text}: {error}", "Give another.") from error
    if data_dir is not None:
        flags["data_dir"] = data_dir.expanduser().absolute()
    settings = load_settings(os.environ, flags)
    configure_logging(settings.log.level, settings.log.format, sys.stderr)
    inbox: SimpleQueue[signal.Signals | None] = SimpleQueue()
    with (
        signals_as_messages(inbox.put, lambda: None),
        deaths_of_threads(lambda: inbox.put(None)),
        Serving(settings, environ=os.environ, on_end=lambda: inbox.put(None)) as serving,
    ):
        unfinished = serving.start()
        _tell(serving.url, serving.settings.data_dir, serving.settings.http.service_url, unfinished)
        order = inbox.get()
        if order is None:
            complain("a part of the server has ended by itself; the log says why")
            return ExitCode.FAILED
        say("Stopping; once more ends it at once")
    return ExitCode.DONE


def _tell(url: str, data_dir: Path, service_url: str, unfinished: int) -> None:
    from autokitteh_server.core.server_note import TOKEN_FILE

    write_lines([f"autokitteh is up at {url}"])
    if service_url:
        say(f"  as      {service_url}, for services and browsers")
    say(f"  data    {data_dir}")
    say(f"  token   in {data_dir / TOKEN_FILE}, where `ak` on this machine finds it")
    if unfinished:
        say(f"  going on with {unfinished} session{'s' * (unfinished > 1)}")
    if sys.stderr.isatty():
        say("Deploy a project with `ak deploy PATH`; Ctrl-C stops.")
