"""Fresh tokens of connections: renewed before they expire, once for all who ask, and stored before they are given out.

A service that changes the refresh token each time takes an old one as a theft. So one at a time renews, of all threads
and of all servers on the database, and the new pair is stored in one transaction.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from autokitteh_server.accounts import keeping
from autokitteh_server.accounts.errors import NotConnected, ServiceUnavailable, TokenRefused
from autokitteh_server.accounts.grants import Grants
from autokitteh_server.accounts.keeping import Kept
from autokitteh_server.accounts.signing import sign
from autokitteh_server.accounts.tokens import Token
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import Connection
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.spec import Code, Integration
from autokitteh_server.secretbox.box import Box
from autokitteh_server.storage import connections
from autokitteh_server.storage.connection import Connection as Conn
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

#: What an integration is, by its name. Raises NotFound.
FindIntegration = Callable[[str], Integration]

#: Notes how a connection stands, by its id. OK without a message: what was said of its token before does not hold.
Mark = Callable[[str, Code, str], None]

#: Sessions that are refused all at once ask for a new token one after another: one that is as new as this is new.
NEW_US: Final = 10_000_000

#: Integrations whose connections may be signed for with the server's own key.
_GITHUB: Final = ("github", "githubcopilot")


class Tokens:
    """Threads may share it. What it does may wait for a service, so nobody may hold a transaction."""

    def __init__(
        self,
        *,
        database: Database,
        box: Box,
        clock: Clock,
        grants: Grants,
        find_integration: FindIntegration,
        mark: Mark,
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._grants = grants
        self._find_integration = find_integration
        self._mark = mark

    def fresh(self, connection: Connection, *, force: bool = False) -> Token:
        """A connection's token if it is good for five minutes yet, else a new one; with `force` a new one in any case.

        What is only seconds old is a new one. While the service cannot be asked, a token that has not expired is good
        enough, unless forced. Raises NotConnected, TokenRefused, ServiceUnavailable, NotFound and StorageUnavailable.
        """
        kept = self._load(connection)
        if self._is_good(kept, kept, force):
            assert kept.token is not None
            return kept.token
        with self._database.alone(f"token {connection.id}"):
            now_kept = self._load(connection)
            if now_kept.token is not None and self._is_good(now_kept, kept, force):
                return now_kept.token
            return self._renew(connection, now_kept, force)

    def sign(self, connection: Connection, payload: dict[str, Any]) -> str:
        """A JSON Web Token of the connection's app (RS256). Raises NotConnected."""
        key = self._load(connection).values.get("private_key", "")
        if not key and connection.integration in _GITHUB:
            key = self._grants.apps.environ.get("GITHUB_PRIVATE_KEY", "")
        if not key:
            raise NotConnected("this server has no key of an app for the connection", "Say `ak connection init`.")
        signed = sign(payload, key)
        masker.add(signed)
        return signed

    def _is_good(self, kept: Kept, before: Kept, force: bool) -> bool:
        """Whether what is kept may be given out. `before`: what was there when it was asked for."""
        now = self._clock.now_us()
        if kept.token is None or not kept.token.lasts(now):
            return False
        if not force:
            return True
        return kept.token != before.token or 0 <= now - kept.renewed_at < NEW_US

    def _renew(self, connection: Connection, kept: Kept, force: bool) -> Token:
        try:
            token = self._ask(connection, kept)
        except TokenRefused as error:
            if error.is_lasting:
                _log.warning("connection %s gets no new token: %s", connection.id, error.message)
                message = f"{error.message}. Connect it anew: `ak connection init`."
                note(self._mark, connection, Code.ERROR, message)
            raise
        except ServiceUnavailable as error:
            if not force and kept.token is not None and kept.token.lasts(self._clock.now_us(), margin_us=0):
                _log.warning("the token of connection %s is not renewed yet: %s", connection.id, error.message)
                return kept.token
            raise
        crash_point("refresh.after_request")
        stored = self._store(connection, kept, token)
        crash_point("refresh.after_commit")
        note(self._mark, connection, Code.OK, "")
        return stored

    def _ask(self, connection: Connection, kept: Kept) -> Token:
        name = kept.values.get("auth_type", "")
        auth, oauth = keeping.way_of(self._find_integration(connection.integration), connection, name)
        crash_point("refresh.before_request")
        token = self._grants.renew(auth, oauth, kept.values, kept.token, self._clock.now_us())
        masker.add(token.access, token.refresh)
        return token

    def _store(self, connection: Connection, kept: Kept, token: Token) -> Token:
        """Store a new token in the place of the one it was had for; what the connection then has."""

        def write(conn: Conn) -> Token:
            connections.get(conn, connection.id)
            present = keeping.load(conn, self._box, connection.id).token
            if present is not None and present != kept.token:
                return present  # somebody has connected it anew meanwhile
            keeping.save(conn, self._box, connection.id, token.to_variables(), now=self._clock.now_us())
            return token

        return self._database.write(write)

    def _load(self, connection: Connection) -> Kept:
        return self._database.read(lambda conn: keeping.load(conn, self._box, connection.id))


def note(mark: Mark, connection: Connection, code: Code, message: str) -> None:
    """Mark a connection. Whoever has a token, or an error to tell of, is not kept from it if that fails."""
    try:
        mark(connection.id, code, message)
    except ServerError as problem:
        _log.warning("how connection %s stands could not be noted: %s", connection.id, problem.message)
