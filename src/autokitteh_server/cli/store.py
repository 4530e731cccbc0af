"""`ak store`: a project's stored values."""

import json
from typing import TYPE_CHECKING

import click
import msgspec

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.options import parse_data
from autokitteh_server.cli.server import json_option, limit_option, show, show_all, with_client
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.stored import SetValue, StoredValue
from autokitteh_server.core.api_types.values import raw

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.store"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List the keys of stored values."),
    "get": Lazy(f"{_HERE}:get", "Print a stored value, as JSON."),
    "set": Lazy(f"{_HERE}:set_", "Store a value."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a stored value."),
}

_EPILOG = """
\b
Examples:
  ak store set my_project counter 5
  ak store get my_project counter

PROJECT is a project's name or id. Code has these values as `autokitteh.store`.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def store() -> None:
    """Look at a project's stored values, and change them."""


@click.command("list", epilog=_EPILOG)
@click.argument("project")
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, limit: int, as_json: bool) -> None:
    """List the keys of stored values."""
    show_all(client.stored.list(project, limit), as_json, lambda found: [each.key for each in found])


@click.command(epilog=_EPILOG)
@click.argument("project")
@click.argument("key")
@json_option
@with_client
def get(client: "Client", project: str, key: str, as_json: bool) -> None:
    """Print a stored value, as JSON."""
    show(client.stored.get(project, key), as_json, _render)


@click.command("set", epilog=_EPILOG)
@click.argument("project")
@click.argument("key")
@click.argument("value", metavar="JSON|@FILE")
@with_client
def set_(client: "Client", project: str, key: str, value: str) -> None:
    """Store a value."""
    client.stored.put(project, key, SetValue(value=raw(parse_data("VALUE", value))))


@click.command(epilog=_EPILOG)
@click.argument("project")
@click.argument("key")
@with_client
def delete(client: "Client", project: str, key: str) -> None:
    """Delete a stored value."""
    client.stored.delete(project, key)
    say(f"Deleted {key}")


def _render(found: StoredValue) -> list[str]:
    return json.dumps(msgspec.json.decode(found.value), indent=2, ensure_ascii=False).splitlines()
