"""What only one server may have at a time: it is held for a while, and kept by saying so again."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, or_, select, update

from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of

_rows = schema.leases


def take(conn: Connection, name: str, holder: str, *, until: int, now: int) -> bool:
    """Have something until a moment, or for longer; False if another holder has it."""
    row = dialect_of(conn).insert(_rows).values(name=name, holder=holder, until=until, place="")
    is_free = or_(_rows.c.holder == holder, _rows.c.until <= now)
    new = {"holder": row.excluded.holder, "until": row.excluded.until}
    taken = row.on_conflict_do_update(index_elements=[_rows.c.name], set_=new, where=is_free)
    return conn.execute(taken.returning(_rows.c.name)).one_or_none() is not None


def places(conn: Connection, names: Collection[str]) -> dict[str, str]:
    """Where those who hold or have held something have left off, by its name."""
    query = select(_rows.c.name, _rows.c.place).where(_rows.c.name.in_(names))
    return {row.name: row.place for row in conn.execute(query)}


def keep_place(conn: Connection, name: str, holder: str, place: str) -> None:
    """Note where a holder has left off, if it is still his."""
    is_his = (_rows.c.name == name, _rows.c.holder == holder)
    conn.execute(update(_rows).where(*is_his).values(place=place))


def release(conn: Connection, holder: str, *, now: int) -> None:
    """Let go of all that a holder has. Where he has left off stays, for whoever is next."""
    conn.execute(update(_rows).where(_rows.c.holder == holder).values(until=now))


def forget(conn: Connection, *, before: int) -> int:
    """Delete what nobody has had since a moment; how many there were."""
    return conn.execute(delete(_rows).where(_rows.c.until <= before)).rowcount
