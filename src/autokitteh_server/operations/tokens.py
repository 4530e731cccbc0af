"""Tokens: who may use the API, and for what. A secret is told once, when it is made; its digest is what is kept."""

import hashlib
import hmac
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.entities import Token
from autokitteh_server.core.errors import FailedPrecondition, Forbidden, InvalidArgument, NotFound, Unauthenticated
from autokitteh_server.core.names import is_token_name
from autokitteh_server.core.server_note import TOKEN_FILE
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import tokens
from autokitteh_server.storage.connection import Connection

#: What secrets begin with, so that people and scanners of leaks know them when they see them.
PREFIX = "ak_"

_FIRST_NAME = "first"
_TOUCH_EVERY_US = 60_000_000
_HOW = "Give a token with `--token` or AK_TOKEN; `ak up` writes one into the file `token` of its data folder."


def create(
    services: Services, name: str, scopes: Collection[Scope], expires_at: int | None = None
) -> tuple[Token, str]:
    """Make a token; it and its secret.

    Raises InvalidArgument, and FailedPrecondition if there is one of this name.
    """
    token, secret = _make(services, name, scopes, expires_at)
    services.database.write(lambda conn: tokens.create(conn, token))
    return token, secret


def list_all(services: Services) -> Sequence[Token]:
    """Every token, oldest first."""
    return services.database.read(tokens.list)


def revoke(services: Services, which: str) -> Token:
    """Have a token be good for nothing from now on. `which`: its name or id.

    Raises NotFound, and FailedPrecondition for the last one that can make others and does not expire.
    """

    def remove(conn: Connection) -> Token:
        known = tokens.list(conn)
        found = next((token for token in known if which in (token.id, token.name)), None)
        if found is None:
            raise NotFound(f"there is no token {which}", "`ak token list` shows those there are.")
        if not any(_is_master(token) for token in known if token != found):
            raise FailedPrecondition(
                f"{found.name} is the last token that can make others", "Make another one with the scope admin first."
            )
        tokens.revoke(conn, found.id)
        return found

    return services.database.write(remove)


def authenticate(services: Services, secret: str | None, scope: Scope) -> Token:
    """The token that has this secret and is good for the scope.

    Raises Unauthenticated and Forbidden.
    """
    if not secret:
        raise Unauthenticated("a token is needed", _HOW)
    digest = _digest(secret)
    token = services.database.read(lambda conn: tokens.find_by_digest(conn, digest))
    # The lookup has told nothing of use by its time, for nobody can choose a digest. This is for good measure.
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise Unauthenticated("the token is not known here; it may have been revoked", _HOW)
    now = services.clock.now_us()
    if token.expires_at is not None and token.expires_at <= now:
        raise Unauthenticated(f"the token {token.name} has expired", "Have another one made: `ak token create`.")
    _touch(services, token, now)
    if scope.value not in token.scopes:
        raise Forbidden(
            f"the token {token.name} lacks the scope {scope}, and has {', '.join(token.scopes)}",
            f"Use a token with it: `ak token create NAME --scope {scope}`.",
        )
    return token


def new_token(
    name: str, scopes: Collection[Scope], expires_at: int | None, *, now: int, id: str, slug: str
) -> tuple[Token, str]:
    """A token that is stored nowhere yet, and its secret."""
    secret = PREFIX + slug
    token = Token(
        id=id,
        name=name,
        digest=_digest(secret),
        scopes=tuple(scope.value for scope in Scope if scope in scopes),
        created_at=now,
        expires_at=expires_at,
    )
    return token, secret


def write_first_token(services: Services, data_dir: Path) -> Path | None:
    """At a server's first start, make a token that is good for everything, and write its secret to a file; which."""
    if services.database.read(tokens.list):
        return None
    path = data_dir / TOKEN_FILE
    token, secret = _make(services, _FIRST_NAME, tuple(Scope), None)
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(f"{secret}\n")
    # Last: after a crash before this the file is written anew, and after it both are there.
    services.database.write(lambda conn: tokens.create(conn, token))
    return path


def _touch(services: Services, token: Token, now: int) -> None:
    if token.last_used_at is None or token.last_used_at <= now - _TOUCH_EVERY_US:
        services.database.write(lambda conn: tokens.touch(conn, token.id, now=now))


def _is_master(token: Token) -> bool:
    return Scope.ADMIN in token.scopes and token.expires_at is None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _make(services: Services, name: str, scopes: Collection[Scope], expires_at: int | None) -> tuple[Token, str]:
    now = services.clock.now_us()
    if not is_token_name(name):
        raise InvalidArgument(f"name: {name!r} cannot be the name of a token", "Use 1 to 64 letters, digits, -, _ or .")
    if not scopes:
        raise InvalidArgument("scopes: there are none", f"Give some of {', '.join(Scope)}.")
    if expires_at is not None and expires_at <= now:
        raise InvalidArgument("expires_at: the moment is over", "Give one that is to come.")
    return new_token(name, scopes, expires_at, now=now, id=services.new_id("tok"), slug=services.new_slug())
