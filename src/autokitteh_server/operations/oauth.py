"""How connections get tokens: people who let them into an account, and sessions that need a fresh one."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from autokitteh_server.accounts.accounts import Accounts
from autokitteh_server.accounts.oauth import Begun, Finished, Sent
from autokitteh_server.core.entities import Connection, Session
from autokitteh_server.core.errors import InternalError, ServerError
from autokitteh_server.engine.requests import RequestError
from autokitteh_server.operations.connections import find_connection
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import connections
from autokitteh_server.storage.database import Database

T = TypeVar("T")


def begin(services: Services, which: str, auth_type: str = "") -> Begun:
    """A link with which one browser can let a connection into an account, once and within ten minutes.

    `which`: `project/name` or id. `auth_type`: "" for the one it has, or the only one of its integration. Raises
    NotFound, and NotConnected if it lacks what the service must be told.
    """
    connection = services.database.read(lambda conn: find_connection(conn, which))
    return services.accounts.oauth.begin(connection, auth_type)


def start(services: Services, integration: str, connection_id: str, ticket: str) -> Sent:
    """Send a browser that has a link to the service. Raises what `OAuth.start` does."""
    return services.accounts.oauth.start(integration, connection_id, ticket)


def finish(services: Services, redirect: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Finished:
    """Take a browser that comes back. Raises what `OAuth.finish` does."""
    finished = services.accounts.oauth.finish(redirect, query, cookies)
    services.scheduler.retry()  # sessions may be waiting for a value that can be opened
    services.feeds_changed()
    return finished


def renew(services: Services, which: str, *, force: bool = True) -> None:
    """Have a connection get a token: a new one, or one that is good for a while. Raises what `Tokens.fresh` does."""
    connection = services.database.read(lambda conn: find_connection(conn, which))
    services.accounts.tokens.fresh(connection, force=force)
    services.scheduler.retry()


class SessionCredentials:
    """Tokens and signatures for sessions: the engine's `Credentials`."""

    def __init__(self, database: Callable[[], Database], accounts: Callable[[], Accounts]) -> None:
        """Both are asked for only when they are needed: the engine is made before them."""
        self._database = database
        self._accounts = accounts

    def refresh(self, session: Session, connection: str, *, force: bool) -> dict[str, str]:
        token = _told(lambda: self._accounts().tokens.fresh(self._find(session, connection), force=force))
        return {"access_token": token.access, "expiry": token.expiry}

    def sign(self, session: Session, connection: str, payload: dict[str, Any]) -> str:
        return _told(lambda: self._accounts().tokens.sign(self._find(session, connection), payload))

    def _find(self, session: Session, name: str) -> Connection:
        found = self._database().read(lambda conn: connections.find_by_name(conn, session.project_id, name))
        if found is None:
            raise RequestError("AutoKittehError", f"the project has no connection {name!r}")
        return found


def _told(work: Callable[[], T]) -> T:
    """What comes of work, with what goes wrong as a session's code is told it."""
    try:
        return work()
    except InternalError:
        raise
    except ServerError as error:
        raise RequestError("AutoKittehError", error.message) from error
