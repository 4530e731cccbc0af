"""`ak var`: what code finds in its environment."""

import sys
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.server import json_option, limit_option, show, show_all, with_client
from autokitteh_server.cli.table import render_table
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.variables import OneVar, SetVar, Var, VarQuery

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.var"
_COMMANDS = {
    "set": Lazy(f"{_HERE}:set_", "Set a var."),
    "get": Lazy(f"{_HERE}:get", "Print a var's value."),
    "list": Lazy(f"{_HERE}:list_", "List vars, by name."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a var."),
}

_EPILOG = """
\b
Examples:
  ak var set my_project CHANNEL '#general'
  ak var set my_project/my_slack oauth_token --secret < token.txt
  ak var list my_project

OWNER is a project, or a connection as PROJECT/CONNECTION; or the id of either.
"""

_reveal = click.option("--reveal", is_flag=True, help="Show the value of a secret one; takes the scope `secrets`.")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def var() -> None:
    """Say what code finds in its environment."""


@click.command("set", epilog=_EPILOG)
@click.argument("owner")
@click.argument("name")
@click.argument("value", required=False)
@click.option(
    "--secret/--no-secret",
    "is_secret",
    default=None,
    help="Default: as it was; a new one is not, unless it is a connection's credential.",
)
@click.option("--description", metavar="TEXT", help="What it is for. Default: as it was.")
@json_option
@with_client
def set_(
    client: "Client",
    owner: str,
    name: str,
    value: str | None,
    is_secret: bool | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Set a var.

    Without VALUE it is read from standard input, less a line break at its end: so a secret stays out of the shell's
    history.
    """
    wanted = SetVar(value=_read() if value is None else value, is_secret=is_secret, description=description)
    made = client.vars.put(name, owner, wanted)
    show(made, as_json, lambda made: [])


@click.command(epilog=_EPILOG)
@click.argument("owner")
@click.argument("name")
@_reveal
@json_option
@with_client
def get(client: "Client", owner: str, name: str, reveal: bool, as_json: bool) -> None:
    """Print a var's value.

    Of a secret one without --reveal it is `***`.
    """
    found = client.vars.get(name, OneVar(owner=owner, reveal=reveal))
    show(found, as_json, lambda found: [_value(found)])


@click.command("list", epilog=_EPILOG)
@click.argument("owner")
@_reveal
@limit_option
@json_option
@with_client
def list_(client: "Client", owner: str, reveal: bool, limit: int, as_json: bool) -> None:
    """List vars, by name."""
    show_all(client.vars.list(VarQuery(owner=owner, reveal=reveal), limit), as_json, _render_list)


@click.command(epilog=_EPILOG)
@click.argument("owner")
@click.argument("name")
@with_client
def delete(client: "Client", owner: str, name: str) -> None:
    """Delete a var."""
    client.vars.delete(name, owner)
    say(f"Deleted var {name} of {owner}")


def _read() -> str:
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _render_list(variables: list[Var]) -> list[str]:
    rows = [
        (
            each.name,
            _value(each),
            "secret" if each.is_secret else "",
            "manifest" if each.is_declared else "hand",
            local_time(each.updated_at),
            each.description,
        )
        for each in variables
    ]
    return render_table(("NAME", "VALUE", "SECRET", "MADE BY", "CHANGED", "DESCRIPTION"), rows)


def _value(var: Var) -> str:
    return "***" if var.value is None else var.value
