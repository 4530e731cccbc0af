"""Large data by content: a blob is named by the SHA-256 of its bytes, so equal data is kept once."""

import hashlib
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from autokitteh_server.core.errors import NotFound
from autokitteh_server.storage.dialects import dialect_of, raw_of
from autokitteh_server.storage.schema import blobs


def hash_of(data: bytes) -> str:
    """The name of a blob."""
    return hashlib.sha256(data).hexdigest()


def put(conn: Connection, data: bytes) -> str:
    """Store data, if it is not there yet. Returns its hash."""
    return put_all(conn, [data])[0]


def put_all(conn: Connection, contents: Iterable[bytes]) -> list[str]:
    """Store several at once. Returns their hashes, in order."""
    named = [(hash_of(data), data) for data in contents]
    # Sorted: two servers that store the same blobs in different orders would wait for each other in a circle.
    dialect_of(conn).insert_blobs(raw_of(conn), sorted(dict(named).items()))
    return [name for name, _ in named]


def get(conn: Connection, name: str) -> bytes:
    """The data of a hash. Raises NotFound."""
    return get_all(conn, {name})[name]


def get_all(conn: Connection, names: Collection[str]) -> dict[str, bytes]:
    """The data of several hashes. Raises NotFound if one is missing."""
    if not names:
        return {}
    rows = conn.execute(select(blobs.c.hash, blobs.c.data).where(blobs.c.hash.in_(names)))
    found = {row.hash: bytes(row.data) for row in rows}
    for name in names:
        if name not in found:
            raise NotFound(f"there is no blob {name}")
    return found
