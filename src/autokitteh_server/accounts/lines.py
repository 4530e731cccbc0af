"""The way to a connection's service: its variables, with a token that is good, and what asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autokitteh_server.accounts import keeping
from autokitteh_server.accounts.refresh import Tokens
from autokitteh_server.core.entities import Connection
from autokitteh_server.integrations.forms import AUTH_TYPE, auth_in_use, find_problem
from autokitteh_server.integrations.spec import Http, Integration
from autokitteh_server.secretbox.box import Box
from autokitteh_server.storage.database import Database

#: Makes what asks a service: its API's address, and what is in place of that.
HttpFor = Callable[[str, str], Http]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Threads may share it."""

    database: Database
    box: Box
    tokens: Tokens
    http_for: HttpFor

    def open(self, connection: Connection, spec: Integration, *, force: bool = False) -> tuple[Mapping[str, str], Http]:
        """The connection's variables, and the way to its service. May wait for the service.

        `force`: the token that it has was refused. Raises what `Tokens.fresh` does, and CannotOpen.
        """
        values = self._load(connection)
        if gets_tokens(spec, values):
            self.tokens.fresh(connection, force=force)
            values = self._load(connection)
        return values, http_of(spec, values, self.http_for)

    def _load(self, connection: Connection) -> Mapping[str, str]:
        return self.database.read(lambda conn: keeping.load(conn, self.box, connection.id)).values


def gets_tokens(spec: Integration, values: Mapping[str, str]) -> bool:
    """Whether the server gets tokens for a connection with these variables.

    Those that speak to a stand-in are left alone: tokens come from the service itself, which does not know them.
    """
    auth = auth_in_use(spec, values)
    is_there = auth is not None and auth.oauth is not None and find_problem(spec, values) is None
    return is_there and not values.get("base_url") and bool(values.get(AUTH_TYPE))


def http_of(spec: Integration, values: Mapping[str, str], http_for: HttpFor) -> Http:
    """The way to the service of a connection with these variables."""
    api = spec.api
    for name, value in values.items():
        api = api.replace(f"{{{name}}}", value)
    return http_for(api, values.get("base_url", ""))
