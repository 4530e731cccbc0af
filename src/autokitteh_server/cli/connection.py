"""`ak connection` and `ak integration`: credentials by name, and what they can be for."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.names import NameOf, project_names, with_id
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.connections import Connection, CreateConnection, Integration, OfProject

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.connection"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List connections, by project and name."),
    "get": Lazy(f"{_HERE}:get", "Show a connection."),
    "create": Lazy(f"{_HERE}:create", "Make a connection."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a connection with its vars."),
}
_INTEGRATION_COMMANDS = {"list": Lazy(f"{_HERE}:list_integrations", "List what connections can be made to.")}

_EPILOG = """
\b
Examples:
  ak connection create my_project my_slack --integration slack
  ak connection get my_project/my_slack
  ak var set my_project/my_slack oauth_token --secret

CON is PROJECT/CONNECTION, or a connection's id.
"""

connection_argument = click.argument("which", metavar="CON")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def connection() -> None:
    """Look at connections, make and delete them."""


@click.group(cls=LazyGroup, lazy=_INTEGRATION_COMMANDS)
def integration() -> None:
    """See what connections can be made to."""


@click.command("list", epilog=_EPILOG)
@project_option
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, limit: int, as_json: bool) -> None:
    """List connections, by project and name."""
    show_all(
        client.connections.list(OfProject(project=project), limit),
        as_json,
        lambda found: _render_list(found, project_names(client)),
    )


@click.command(epilog=_EPILOG)
@connection_argument
@json_option
@with_client
def get(client: "Client", which: str, as_json: bool) -> None:
    """Show a connection."""
    show(client.connections.get(which), as_json, lambda found: _render(found, project_names(client)))


@click.command(epilog=_EPILOG)
@click.argument("project")
@click.argument("name")
@click.option("--integration", "kind", metavar="NAME", required=True, help="What it is for: see `ak integration list`.")
@json_option
@with_client
def create(client: "Client", project: str, name: str, kind: str, as_json: bool) -> None:
    """Make a connection.

    Its id is printed. Its credentials are vars of it.
    """
    made = client.connections.create(CreateConnection(project=project, name=name, integration=kind))
    show(made, as_json, lambda made: [made.id])


@click.command(epilog=_EPILOG)
@connection_argument
@with_client
def delete(client: "Client", which: str) -> None:
    """Delete a connection with its vars.

    No trigger may use it.
    """
    client.connections.delete(which)
    say(f"Deleted connection {which}")


@click.command("list")
@json_option
@with_client
def list_integrations(client: "Client", as_json: bool) -> None:
    """List what connections can be made to."""
    show_all(client.connections.integrations(1000), as_json, _render_names)


def _render_list(connections: list[Connection], project_of: NameOf) -> list[str]:
    rows = [
        (each.name, each.integration, _origin(each.is_declared), project_of(each.project_id), each.id)
        for each in connections
    ]
    return render_table(("NAME", "INTEGRATION", "MADE BY", "PROJECT", "ID"), rows)


def _render(connection: Connection, project_of: NameOf) -> list[str]:
    return render_fields(
        {
            "id": connection.id,
            "name": connection.name,
            "project": with_id(project_of, connection.project_id),
            "integration": connection.integration,
            "made by": _origin(connection.is_declared),
            "created": local_time(connection.created_at),
            "changed": local_time(connection.updated_at),
        }
    )


def _render_names(integrations: list[Integration]) -> list[str]:
    return [each.name for each in integrations]


def _origin(is_declared: bool) -> str:
    return "manifest" if is_declared else "hand"
