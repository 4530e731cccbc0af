"""What a connection keeps: its variables, opened, and what is stored among them of a token."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from autokitteh_server.accounts.apps import is_private
from autokitteh_server.accounts.errors import NotConnected
from autokitteh_server.accounts.tokens import ACCESS, SECRET, Token, token_of
from autokitteh_server.core.entities import Connection as Link
from autokitteh_server.core.entities import Var
from autokitteh_server.integrations.spec import AuthType, Integration, OAuth2
from autokitteh_server.secretbox.box import Box
from autokitteh_server.storage import variables
from autokitteh_server.storage.connection import Connection


@dataclass(frozen=True, slots=True)
class Kept:
    """A connection's variables at one moment."""

    values: Mapping[str, str]
    renewed_at: int  # when its token was stored; 0: never

    def __repr__(self) -> str:
        return f"Kept({', '.join(self.values)})"  # reprs end up in logs

    @property
    def token(self) -> Token | None:
        return token_of(self.values)


def load(conn: Connection, box: Box, connection_id: str) -> Kept:
    """What a connection keeps now. Raises CannotOpen."""
    found = variables.of_owners(conn, [connection_id])
    values = {
        var.name: box.open(var.value, owner_id=var.owner_id, name=var.name) if var.is_secret else var.value
        for var in found
    }
    return Kept(values, max((var.updated_at for var in found if var.name in ACCESS), default=0))


def save(
    conn: Connection,
    box: Box,
    connection_id: str,
    values: Mapping[str, str],
    *,
    now: int,
    secret: Collection[str] = SECRET,
) -> None:
    """Store variables of a connection. Those that are "" go away, unless a manifest wants them to be there."""
    for name, value in values.items():
        present = variables.find(conn, connection_id, name)
        is_declared = present is not None and present.is_declared
        if not value and not is_declared:
            variables.remove(conn, connection_id, name)
            continue
        is_secret = name in secret or (present is not None and present.is_secret)
        variables.put(
            conn,
            Var(
                owner_id=connection_id,
                name=name,
                value=box.seal(value, owner_id=connection_id, name=name) if is_secret else value,
                is_secret=is_secret,
                is_declared=is_declared,
                description="" if present is None else present.description,
                updated_at=now,
            ),
        )


def way_of(integration: Integration, connection: Link, name: str) -> tuple[AuthType, OAuth2]:
    """How a connection gets its tokens: by the way of this name, or the only one there is.

    Whoever brings an app has nothing to do with the server's. Raises NotConnected.
    """
    ways = [(each, _own(each, each.oauth)) for each in integration.auth if each.oauth is not None]
    if name:
        auth = integration.auth_type(name)
        if auth is None or auth.oauth is None:
            known = ", ".join(each.name for each, _ in ways) or "none"
            raise NotConnected(
                f"connection {connection.name} gets no tokens by {name[:100]!r}", f"Those that do are: {known}."
            )
        return auth, _own(auth, auth.oauth)
    if len(ways) == 1:
        return ways[0]
    if not ways:
        raise NotConnected(f"{integration.title} has no OAuth", "Say `ak connection init`, which asks for what it has.")
    names = ", ".join(each.name for each, _ in ways)
    raise NotConnected(f"connection {connection.name} is not connected yet", f"Choose how, one of: {names}.")


def _own(auth: AuthType, oauth: OAuth2) -> OAuth2:
    return replace(oauth, app="") if is_private(auth) else oauth
