"""What only one server may have at a time: it is held for a while, and kept by saying so again."""

from sqlalchemy import Connection, delete, or_

from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of

_rows = schema.leases


def take(conn: Connection, name: str, holder: str, *, until: int, now: int) -> bool:
    """Have something until a moment, or for longer; False if another holder has it."""
    row = dialect_of(conn).insert(_rows).values(name=name, holder=holder, until=until)
    is_free = or_(_rows.c.holder == holder, _rows.c.until <= now)
    new = {"holder": row.excluded.holder, "until": row.excluded.until}
    taken = row.on_conflict_do_update(index_elements=[_rows.c.name], set_=new, where=is_free)
    return bool(conn.execute(taken).rowcount)


def release(conn: Connection, holder: str) -> None:
    """Let go of all that a holder has."""
    conn.execute(delete(_rows).where(_rows.c.holder == holder))
