"""A token as services answer it, as a connection keeps it, and when it is too old."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from autokitteh_server.accounts.errors import ServiceUnavailable
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.timestamps import format_time, parse_time

#: A token that is good for less is renewed before it is given to anybody. The SDK asks when it has 240 s left.
FRESH_US: Final = 300_000_000

#: The two spellings of each variable, for code that was written for either; the first is the one that counts.
ACCESS: Final = ("oauth_access_token", "oauth_AccessToken")
REFRESH: Final = ("oauth_refresh_token", "oauth_RefreshToken")
EXPIRY: Final = ("oauth_expiry", "oauth_Expiry")
KIND: Final = ("oauth_token_type", "oauth_TokenType")

SECRET: Final = frozenset({*ACCESS, *REFRESH})

#: How Go writes a time: "2025-03-01 10:11:12.5 +0000 UTC", perhaps with more behind it.
_GO_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})(?: .*)?")

_MOST_SECONDS: Final = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What lets a connection in."""

    access: str
    refresh: str = ""  # "": it cannot be renewed with one
    kind: str = "Bearer"
    expires_at: int | None = None  # None: it is good until it is revoked

    def __repr__(self) -> str:
        return f"Token(kind={self.kind!r}, expires_at={self.expires_at})"  # reprs end up in logs

    def lasts(self, now: int, margin_us: int = FRESH_US) -> bool:
        """Whether it is good for some time yet."""
        return self.expires_at is None or self.expires_at - now > margin_us

    @property
    def expiry(self) -> str:
        """RFC 3339; "" if it does not expire."""
        return "" if self.expires_at is None else format_time(self.expires_at)

    def to_variables(self) -> dict[str, str]:
        """As a connection keeps it."""
        values = {ACCESS: self.access, REFRESH: self.refresh, EXPIRY: self.expiry, KIND: self.kind}
        return {name: value for names, value in values.items() for name in names}


def token_of(variables: Mapping[str, str]) -> Token | None:
    """The token that a connection keeps; None if it has none."""
    access = _first(variables, ACCESS)
    if not access:
        return None
    return Token(
        access=access,
        refresh=_first(variables, REFRESH),
        kind=_first(variables, KIND) or "Bearer",
        expires_at=parse_expiry(_first(variables, EXPIRY)),
    )


def read_token(answer: Mapping[str, Any], *, now: int, refresh: str = "") -> Token:
    """The token in a service's answer. `refresh` is what it is renewed with if the answer has nothing newer.

    Raises ServiceUnavailable if there is none in it.
    """
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise ServiceUnavailable("the service's answer has no token in it", "Try again.")
    newer = answer.get("refresh_token")
    kind = answer.get("token_type")
    return Token(
        access=access,
        refresh=newer if isinstance(newer, str) and newer else refresh,
        kind=kind if isinstance(kind, str) and kind else "Bearer",
        expires_at=_end_of(answer, now),
    )


def parse_expiry(text: str) -> int | None:
    """When a token expires, from RFC 3339 or Go's own form; None for "" and Go's zero time: never.

    What is no time counts as long past: a new token is better than one of which nobody knows.
    """
    if not text.strip() or text.startswith("0001-01-01"):
        return None
    if found := _GO_TIME.fullmatch(text.strip()):
        text = "{}T{}{}".format(*found.groups())
    try:
        return parse_time(text.strip())
    except InvalidArgument:
        return 0


def _end_of(answer: Mapping[str, Any], now: int) -> int | None:
    if isinstance(expires_at := answer.get("expires_at"), str):  # GitHub
        return parse_expiry(expires_at)
    try:
        seconds = float(answer.get("expires_in") or 0)  # some write it as text
    except (TypeError, ValueError):
        return None
    return now + int(seconds * 1e6) if 0 < seconds < _MOST_SECONDS else None


def seconds_of(moment: int) -> int:
    """A moment as JSON Web Tokens have it."""
    return int(datetime.fromtimestamp(moment / 1e6, UTC).timestamp())


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
