"""`ak token`: who may use the server."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.options import parse_lifetime
from autokitteh_server.cli.server import json_option, limit_option, show, show_all, with_client
from autokitteh_server.cli.table import render_table
from autokitteh_server.cli.terminal import say

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.token"
_COMMANDS = {
    "create": Lazy(f"{_HERE}:create", "Make a token, and show its secret this once."),
    "list": Lazy(f"{_HERE}:list_", "List tokens, without their secrets."),
    "revoke": Lazy(f"{_HERE}:revoke", "Have a token be good for nothing from now on."),
}
_SCOPES = ("read", "write", "secrets", "admin")

_EPILOG = """
\b
Scopes:
  read     see everything but secrets
  write    change everything but tokens
  secrets  see the values of secret vars
  admin    make and revoke tokens

\b
Examples:
  ak token create dashboard --scope read --expires-in 90d
  AK_TOKEN=ak_... ak session list --server https://ak.example.com
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def token() -> None:
    """Say who may use the server."""


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, default=("read", "write"),
              show_default=True, help="What it is good for; may be given several times.")  # fmt: skip
@click.option("--expires-in", metavar="TIME", help="Such as 90d, 12h or 30m. Default: never.")
@json_option
@with_client
def create(client: "Client", name: str, scopes: tuple[str, ...], expires_in: str | None, as_json: bool) -> None:
    """Make a token, and show its secret this once."""
    from autokitteh_server.core.api_types.tokens import CreateToken, Scope  # with the client

    expires_at = None if expires_in is None else _moment(parse_lifetime(expires_in))
    made = client.tokens.create(
        CreateToken(name=name, scopes=[Scope(scope) for scope in scopes], expires_at=expires_at)
    )
    show(made, as_json, lambda made: [made.secret])


@click.command("list", epilog=_EPILOG)
@limit_option
@json_option
@with_client
def list_(client: "Client", limit: int, as_json: bool) -> None:
    """List tokens, without their secrets."""
    titles = ("NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "ID")
    show_all(
        client.tokens.list(limit),
        as_json,
        lambda tokens: render_table(
            titles,
            [
                (
                    each.name,
                    ",".join(each.scopes),
                    local_time(each.created_at),
                    local_time(each.expires_at) or "never",
                    local_time(each.last_used_at) or "never",
                    each.id,
                )
                for each in tokens
            ],
        ),
    )


@click.command(epilog=_EPILOG)
@click.argument("which", metavar="NAME")
@with_client
def revoke(client: "Client", which: str) -> None:
    """Have a token be good for nothing from now on.

    NAME is its name or id.
    """
    client.tokens.revoke(which)
    say(f"Revoked token {which}")


def _moment(lifetime: timedelta) -> str:
    return (datetime.now(UTC) + lifetime).isoformat()
