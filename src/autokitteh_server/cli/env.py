"""`ak env`: the Python environments of projects."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.server import json_option, show_all, with_client
from autokitteh_server.cli.table import render_table
from autokitteh_server.cli.terminal import say, warn
from autokitteh_server.core.sizes import short_size

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client
    from autokitteh_server.core.api_types.environments import Environment

_HERE = "autokitteh_server.cli.env"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List environments, and what is in them."),
    "warm": Lazy(f"{_HERE}:warm", "Have the first session of a project start as fast as the others."),
    "gc": Lazy(f"{_HERE}:gc", "Remove the environments that no build has."),
}

_EPILOG = """
\b
Examples:
  ak env list
  ak env warm my_project
  ak env gc

A project's environment has its own packages and nothing else. It is made when the project is deployed; projects that
need the same share one. The server removes by itself, every hour, what no build has.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def env() -> None:
    """Look at the Python environments of projects."""


@click.command("list", epilog=_EPILOG)
@json_option
@with_client
def list_(client: "Client", as_json: bool) -> None:
    """List environments, and what is in them."""
    show_all(client.environments.list(), as_json, _table)


@click.command(epilog=_EPILOG)
@click.argument("project", metavar="PROJECT")
@with_client
def warm(client: "Client", project: str) -> None:
    """Have the first session of a project start as fast as the others.

    Installs what its active build needs, if that is not there, and imports it.
    """
    for line in client.environments.warm(project):
        warn(line)
    say(f"Project {project} is ready")


@click.command(epilog=_EPILOG)
@json_option
@with_client
def gc(client: "Client", as_json: bool) -> None:
    """Remove the environments that no build has."""
    gone = client.environments.collect()
    show_all(gone, as_json, lambda gone: [f"Removed {each.id}, {short_size(each.size_bytes)}" for each in gone])
    if not gone and not as_json:
        say("There was nothing to remove")


def _table(environments: "list[Environment]") -> list[str]:
    rows = [
        (each.id, short_size(each.size_bytes), "yes" if each.is_used else "no", _packages(each.packages))
        for each in environments
    ]
    return render_table(("ID", "SIZE", "USED", "PACKAGES"), rows)


def _packages(packages: list[str]) -> str:
    shown = " ".join(packages[:4])
    return shown if len(packages) <= 4 else f"{shown} and {len(packages) - 4} more"
