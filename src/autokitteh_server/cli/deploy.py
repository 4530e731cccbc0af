"""`ak deploy`: from files to what is live."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.server import json_option, show, with_client
from autokitteh_server.cli.source import with_source
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.builds import Deploy, Deployed
from autokitteh_server.core.api_types.triggers import Trigger

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_EPILOG = """
\b
Examples:
  ak deploy examples/hello
  ak deploy program.py --name my_project
  ak deploy --manifest autokitteh.yaml --file program.py

All of it happens, or nothing. Sessions under way end on the code that they began with. The same again changes nothing.
"""


@click.command(epilog=_EPILOG)
@with_source
@json_option
@with_client
def deploy(client: "Client", contents: dict[str, bytes], name: str, as_json: bool) -> None:
    """Make a project live: apply its manifest, build its files, activate the build.

    PATH is a project's directory, a .py file or a .txtar archive; without it, what the options name, or the working
    directory.
    """
    done = client.projects.deploy(Deploy(files=contents, name=name))
    show(done, as_json, _render)


def render_webhooks(webhooks: list[Trigger]) -> list[str]:
    """Where webhooks are to be sent."""
    return [f"webhook {each.name}: {each.webhook_url}" for each in webhooks]


def _render(done: Deployed) -> list[str]:
    say(f"Project {done.project.name}: " + ("deployed" if done.is_new else "nothing to do, it is deployed like this"))
    return [*done.lines, *render_webhooks(done.webhooks)]
