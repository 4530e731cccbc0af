"""The access tokens of connections, fresh when they are used: for clients that outlive the token they began with.

Tokens are kept here and not in the clients: what an activity changes in a client is recorded, and a token must not be.
"""

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from autokitteh import _runtime
from autokitteh.connections import read_first, read_variable
from autokitteh.errors import AutoKittehError, ConnectionInitError, EnvVarError, OAuthRefreshError

#: The two spellings of each variable: the newer one counts.
ACCESS: Final = ("oauth_access_token", "oauth_AccessToken")
REFRESH: Final = ("oauth_refresh_token", "oauth_RefreshToken")
EXPIRY: Final = ("oauth_expiry", "oauth_Expiry")

#: What this module may read of a connection.
VARIABLES: Final = (*ACCESS, *REFRESH, *EXPIRY, "auth_type")

#: A token that expires this soon is renewed before it is used. Google's library takes 225 s, and asks for no other.
_MARGIN: Final = timedelta(seconds=240)

#: RFC 3339, and how Go writes a time: "2025-03-01 10:11:12.5 +0000 UTC", perhaps with more behind it.
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|[+-]\d\d:?\d\d)?(?:[ +-].*)?")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token."""

    text: str
    expires_at: datetime | None  # in UTC; None: it never does

    def lasts(self, margin: timedelta = _MARGIN) -> bool:
        """Whether it is good for some time yet."""
        return self.expires_at is None or self.expires_at - datetime.now(UTC) > margin


#: The newest token of each connection, with who gave it, and the one in the environment that it replaces.
_renewed: dict[str, tuple[_runtime.Runtime, str, Token]] = {}
_lock = threading.RLock()


def access_token(connection: str) -> str:
    """A connection's access token that is good now: the one it has, or if that is about to expire a new one.

    Raises ConnectionInitError if there is none at all, EnvVarError if its time of expiry is none, OAuthRefreshError
    if it has expired and there is no new one.
    """
    with _lock:
        token = _newest(connection)
        if token is None:
            raise ConnectionInitError(connection)
        if token.lasts():
            return token.text
        try:
            return renew(connection).text
        except OAuthRefreshError:
            if token.lasts(timedelta()):
                return token.text
            raise


def renewed_token(connection: str, refused: str) -> str:
    """The token after the one that a service has refused. Raises OAuthRefreshError if there is none.

    Where another thread has renewed it in the meantime, it is that one.
    """
    with _lock:
        token = _newest(connection)
        if token is not None and token.text != refused and token.lasts():
            return token.text
        return renew(connection, force=True).text


def renew(connection: str, *, force: bool = False) -> Token:
    """Ask the server for a fresh token; with `force` for a new one in any case. Raises OAuthRefreshError."""
    with _lock:
        try:
            answer = _runtime.current().refresh_token(connection, force=force)
        except AutoKittehError as error:
            raise OAuthRefreshError(connection, error) from error
        token = Token(answer["access_token"], parse_time(answer.get("expiry") or ""))
        _renewed[connection] = _runtime.current(), read_first(connection, *ACCESS), token
        return token


def is_renewable(connection: str) -> bool:
    """Whether the server can be expected to get a new token."""
    return bool(read_first(connection, *REFRESH)) or read_variable(connection, "auth_type") == "serverToServer"


def parse_time(text: str) -> datetime | None:
    """A time in UTC, from RFC 3339 or Go's own form; None for "" and for Go's zero time. Raises ValueError."""
    if not text.strip():
        return None
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time")
    day, time, zone = found.groups()
    if day == "0001-01-01":  # where it is east of Greenwich, before the first year there is
        return None
    return datetime.fromisoformat(f"{day}T{time}{zone or 'Z'}").astimezone(UTC)


def expires_at(connection: str) -> datetime | None:
    """When the connection's newest token expires; None: never."""
    with _lock:
        token = _newest(connection)
        return None if token is None else token.expires_at


def expiry(connection: str) -> datetime | None:
    """When the connection's token in the environment expires. Raises EnvVarError if what is there is no time."""
    name = next((name for name in EXPIRY if read_variable(connection, name)), "")
    try:
        return parse_time(read_variable(connection, name)) if name else None
    except ValueError as error:
        raise EnvVarError(f"{connection}__{name}", "not a time") from error


def _newest(connection: str) -> Token | None:
    given = read_first(connection, *ACCESS)
    giver, replaced, token = _renewed.get(connection, (None, "", None))
    if token is not None and giver is _runtime.current() and replaced == given:
        return token
    return Token(given, expiry(connection)) if given else None
