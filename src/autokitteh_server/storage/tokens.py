"""Tokens' rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from autokitteh_server.core.entities import Token
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.storage import schema
from autokitteh_server.storage.values import dump_json, load_json

_rows = schema.tokens


def create(conn: Connection, token: Token) -> None:
    """Store a new token. Raises FailedPrecondition if there is one of this name."""
    if conn.execute(select(_rows.c.id).where(_rows.c.name == token.name)).one_or_none() is not None:
        raise FailedPrecondition(f"there is a token named {token.name!r}", "Revoke that one, or use another name.")
    conn.execute(
        insert(_rows).values(
            id=token.id,
            name=token.name,
            digest=token.digest,
            scopes=dump_json(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )
    )


def find_by_digest(conn: Connection, digest: str) -> Token | None:
    """The token whose secret has this digest, if there is one."""
    row = conn.execute(select(_rows).where(_rows.c.digest == digest)).one_or_none()
    return None if row is None else _from_row(row)


def list(conn: Connection) -> Sequence[Token]:
    """Every token, oldest first."""
    return [_from_row(row) for row in conn.execute(select(_rows).order_by(_rows.c.id))]


def touch(conn: Connection, token_id: str, *, now: int) -> None:
    """Note that a token has been used."""
    conn.execute(update(_rows).where(_rows.c.id == token_id).values(last_used_at=now))


def revoke(conn: Connection, token_id: str) -> bool:
    """Delete a token; whether there was one."""
    return bool(conn.execute(delete(_rows).where(_rows.c.id == token_id)).rowcount)


def _from_row(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        digest=row.digest,
        scopes=tuple(load_json(row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
