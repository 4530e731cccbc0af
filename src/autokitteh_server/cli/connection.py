"""`ak connection`: credentials by name, and how they stand."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.names import NameOf, project_names, with_id
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say, style, visible
from autokitteh_server.core.api_types.connections import Connection, CreateConnection, OfProject

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.connection"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List connections, by project and name, and how each stands."),
    "get": Lazy(f"{_HERE}:get", "Show a connection."),
    "create": Lazy(f"{_HERE}:create", "Make a connection."),
    "init": Lazy("autokitteh_server.cli.connection_init:init", "Give a connection its credentials, and try them."),
    "test": Lazy(f"{_HERE}:test", "Try a connection with one live call."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a connection with its vars."),
}

_EPILOG = """
\b
Examples:
  ak connection create my_project my_slack --integration slack
  ak connection init my_project/my_slack
  ak connection test my_project/my_slack
  ak connection list my_project

CON is PROJECT/CONNECTION, or a connection's id.
"""

#: How statuses look on a terminal.
_COLOURED: Mapping[str, Callable[[str], str]] = {
    "ok": lambda text: style(text, fg="green"),
    "warning": lambda text: style(text, fg="yellow"),
    "error": lambda text: style(text, fg="red"),
}

connection_argument = click.argument("which", metavar="CON")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def connection() -> None:
    """Look at connections, make and delete them."""


@click.command("list", epilog=_EPILOG)
@click.argument("of_project", metavar="[PROJECT]", default="")
@project_option
@limit_option
@json_option
@with_client
def list_(client: "Client", of_project: str, project: str, limit: int, as_json: bool) -> None:
    """List connections, by project and name, and how each stands.

    With PROJECT only those of that one. Nobody is asked: the status is that of the last time.
    """
    show_all(
        client.connections.list(OfProject(project=of_project or project), limit),
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

    Its id is printed. `ak connection init` gives it its credentials.
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


@click.command(epilog=_EPILOG)
@connection_argument
@json_option
@with_client
def test(client: "Client", which: str, as_json: bool) -> ExitCode:
    """Try a connection with one live call.

    It says as whom one is connected, or what is wrong and how to mend it. Exits with 1 if the connection is not ok.
    """
    found = client.connections.test(which)
    show(found, as_json, render_status)
    return code_of(found)


def render_status(connection: Connection) -> list[str]:
    """How a connection stands, and how to mend it."""
    status = connection.status
    lines = [f"{connection.name}: {_COLOURED.get(status.code, str)(_words(status.code))}: {visible(status.message)}"]
    return [*lines, visible(status.remedy)] if status.remedy else lines


def code_of(connection: Connection) -> ExitCode:
    """What a command ends with that has tried a connection."""
    return ExitCode.DONE if connection.status.code == "ok" else ExitCode.FAILED


def _render_list(connections: list[Connection], project_of: NameOf) -> list[str]:
    rows = [
        (
            each.name,
            each.integration,
            _words(each.status.code),
            each.events.state if each.events is not None else "",
            each.status.message,
            local_time(each.status.checked_at),
            _origin(each.is_declared),
            project_of(each.project_id),
            each.id,
        )
        for each in connections
    ]
    titles = ("NAME", "INTEGRATION", "STATUS", "EVENTS", "WHY", "TRIED", "MADE BY", "PROJECT", "ID")
    return render_table(titles, rows)


def _render(connection: Connection, project_of: NameOf) -> list[str]:
    return render_fields(
        {
            "id": connection.id,
            "name": connection.name,
            "project": with_id(project_of, connection.project_id),
            "integration": connection.integration,
            "auth type": connection.auth_type,
            "status": f"{_words(connection.status.code)}: {connection.status.message}",
            "remedy": connection.status.remedy,
            "tried": local_time(connection.status.checked_at),
            **_events(connection),
            "made by": _origin(connection.is_declared),
            "created": local_time(connection.created_at),
            "changed": local_time(connection.updated_at),
        }
    )


def _events(connection: Connection) -> dict[str, str]:
    """How its events come in; nothing if its service sends none."""
    found = connection.events
    if found is None:
        return {}
    since = f" (since {local_time(found.since)})" if found.since else ""
    message = f": {found.message}" if found.message else ""
    return {"events": f"{found.state}{message}{since}", "address": " ".join(found.addresses)}


def _words(code: str) -> str:
    return code.replace("_", " ")


def _origin(is_declared: bool) -> str:
    return "manifest" if is_declared else "hand"
