"""Tokens as the HTTP API shows them."""

from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta, Struct

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.values import Moment
from autokitteh_server.core.timestamps import format_time


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"  # see everything but secrets
    WRITE = "write"  # change everything but tokens
    SECRETS = "secrets"  # see the values of secret vars
    ADMIN = "admin"  # make and revoke tokens


class Token(Struct, frozen=True, kw_only=True):
    """A way into the API, without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None

    @classmethod
    def of(cls, token: entities.Token) -> Self:
        return cls(
            id=token.id,
            name=token.name,
            scopes=[Scope(scope) for scope in token.scopes],
            created_at=format_time(token.created_at),
            expires_at=None if token.expires_at is None else format_time(token.expires_at),
            last_used_at=None if token.last_used_at is None else format_time(token.last_used_at),
        )


class CreateToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token that is wanted."""

    name: str
    scopes: list[Scope]
    expires_at: Annotated[Moment | None, Meta(description="null: never")] = None


class NewToken(Struct, frozen=True, kw_only=True):
    """A token that was made, with its secret, which is shown this once."""

    token: Token
    secret: str
