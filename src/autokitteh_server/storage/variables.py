"""Vars of projects and connections. The value of a secret one is sealed: this module never sees what is in it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, tuple_, update

from autokitteh_server.core.entities import Var
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of

_rows = schema.variables


def put(conn: Connection, var: Var) -> None:
    """Store a var, in place of the one of the same owner and name."""
    values = {
        "owner_id": var.owner_id,
        "name": var.name,
        "value": var.value,
        "is_secret": var.is_secret,
        "is_declared": var.is_declared,
        "description": var.description,
        "updated_at": var.updated_at,
    }
    insert = dialect_of(conn).insert(_rows).values(values)
    changed = {name: insert.excluded[name] for name in values if name not in ("owner_id", "name")}
    conn.execute(insert.on_conflict_do_update(index_elements=[_rows.c.owner_id, _rows.c.name], set_=changed))


def find(conn: Connection, owner_id: str, name: str) -> Var | None:
    """The var of this owner and name, if there is one."""
    row = conn.execute(select(_rows).where(_rows.c.owner_id == owner_id, _rows.c.name == name)).one_or_none()
    return None if row is None else _from_row(row)


def of_owners(conn: Connection, owner_ids: Collection[str]) -> Sequence[Var]:
    """The vars of these projects and connections, by owner and name."""
    query = select(_rows).where(_rows.c.owner_id.in_(owner_ids)).order_by(_rows.c.owner_id, _rows.c.name)
    return [_from_row(row) for row in conn.execute(query)]


def secrets(conn: Connection) -> Sequence[Var]:
    """Every secret var there is."""
    return [_from_row(row) for row in conn.execute(select(_rows).where(_rows.c.is_secret))]


def count_secrets(conn: Connection) -> int:
    """How many secret vars there are."""
    return conn.execute(select(func.count()).select_from(_rows).where(_rows.c.is_secret)).scalar_one()


def secrets_after(conn: Connection, place: tuple[str, str], limit: int) -> Sequence[Var]:
    """At most so many secret vars that come after a place, by owner and name."""
    comes_after = tuple_(_rows.c.owner_id, _rows.c.name) > place
    query = select(_rows).where(_rows.c.is_secret, comes_after).order_by(_rows.c.owner_id, _rows.c.name).limit(limit)
    return [_from_row(row) for row in conn.execute(query)]


def reseal(conn: Connection, var: Var, value: str) -> bool:
    """Put another sealed text of the same secret in the place of the one that was read; False if it has changed."""
    place = (_rows.c.owner_id == var.owner_id, _rows.c.name == var.name)
    is_as_it_was = (_rows.c.is_secret, _rows.c.value == var.value)
    return bool(conn.execute(update(_rows).where(*place, *is_as_it_was).values(value=value)).rowcount)


def remove(conn: Connection, owner_id: str, name: str) -> bool:
    """Delete a var; whether there was one."""
    return bool(conn.execute(delete(_rows).where(_rows.c.owner_id == owner_id, _rows.c.name == name)).rowcount)


def _from_row(row: Row[Any]) -> Var:
    return Var(
        owner_id=row.owner_id,
        name=row.name,
        value=row.value,
        is_secret=row.is_secret,
        is_declared=row.is_declared,
        description=row.description,
        updated_at=row.updated_at,
    )
