"""`ak doctor`: what keeps sessions from the server and from one another here, and why not more."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.server import json_option, show_all, with_client
from autokitteh_server.cli.terminal import style, visible

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client
    from autokitteh_server.core.api_types.environments import Protection

_EPILOG = """
\b
Examples:
  ak doctor
  ak doctor -j

What is told has been tried, by a process like those of sessions.
"""


@click.command(epilog=_EPILOG)
@json_option
@with_client
def doctor(client: "Client", as_json: bool) -> None:
    """See what keeps sessions apart, and why not more."""
    show_all(client.environments.examine(), as_json, lambda found: [line for each in found for line in _lines(each)])


def _lines(each: "Protection") -> list[str]:
    first = f"{each.state.value:<7} {each.name:<12} {visible(each.detail)}"
    return [
        first if each.state == "on" else style(first, bold=True),
        *([" " * 21 + each.remedy] if each.remedy else []),
    ]
