"""Deleting what has served its time. Each function does a little: what it is asked for, in one transaction.

Candidates are looked for by `find_...` in a read, which blocks nobody however long it takes. What deletes looks again,
for what was true in the read may not be true any more.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, not_, or_, select, text, tuple_

from autokitteh_server.core.ids import new_id
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import BLOBS_LOCK, dialect_of

_FINAL = [state.value for state in SessionState if state.is_final]


def find_events(conn: Connection, *, before: int, after: str = "", limit: int) -> Sequence[str]:
    """Ids of events older than a moment, oldest first, from those behind `after`."""
    rows = schema.events
    query = select(rows.c.id).where(
        rows.c.id > after,
        # Ids begin with their time: no event that is younger need be looked at.
        rows.c.id < new_id("evt", now_us=before, random_bits=0),
        rows.c.created_at < before,
        _is_free(rows),
    )
    return conn.execute(query.order_by(rows.c.id).limit(limit)).scalars().all()


def delete_events(conn: Connection, event_ids: Collection[str]) -> int:
    """Delete events but those of sessions that are not over; how many."""
    rows = schema.events
    return conn.execute(delete(rows).where(rows.c.id.in_(event_ids), _is_free(rows))).rowcount


def find_sessions(conn: Connection, *, before: int, after: str = "", limit: int) -> Sequence[str]:
    """Ids of sessions that were over before a moment, oldest first, from those behind `after`."""
    rows = schema.sessions
    query = select(rows.c.id).where(
        rows.c.id > after,
        rows.c.id < new_id("ses", now_us=before, random_bits=0),  # what is over then had begun before
        rows.c.updated_at < before,
        _is_over(),
    )
    return conn.execute(query.order_by(rows.c.id).limit(limit)).scalars().all()


def delete_records(conn: Connection, session_ids: Collection[str], *, limit: int) -> int:
    """Delete some of the records of sessions that are over; how many. Fewer than `limit`: no record is left."""
    over = conn.execute(select(schema.sessions.c.id).where(schema.sessions.c.id.in_(session_ids), _is_over()))
    wanted = over.scalars().all()
    rows = schema.journal
    deleted = 0
    for half in ("idx >= 0", "idx < 0"):  # as the journal's two indexes are
        some = select(rows.c.seq).where(rows.c.session_id.in_(wanted), text(half)).limit(limit - deleted)
        deleted += conn.execute(delete(rows).where(rows.c.seq.in_(some))).rowcount
    return deleted


def delete_sessions(conn: Connection, session_ids: Collection[str]) -> int:
    """Delete sessions that are over; how many. Their records must be gone."""
    rows = schema.sessions
    return conn.execute(delete(rows).where(rows.c.id.in_(session_ids), _is_over())).rowcount


def find_keys(
    conn: Connection, *, seen_before: int, after: tuple[str, str] = ("", ""), limit: int
) -> Sequence[tuple[str, str]]:
    """Keys of events that are remembered no longer, from those behind `after`: source and key."""
    rows = schema.event_keys
    place = tuple_(rows.c.source_id, rows.c.key)
    query = select(rows.c.source_id, rows.c.key).where(place > after, rows.c.seen_at <= seen_before)
    return [(row[0], row[1]) for row in conn.execute(query.order_by(rows.c.source_id, rows.c.key).limit(limit))]


def delete_keys(conn: Connection, keys: Collection[tuple[str, str]], *, seen_before: int) -> int:
    """Forget keys, unless they have been seen again; how many."""
    rows = schema.event_keys
    wanted = or_(*(and_(rows.c.source_id == source_id, rows.c.key == key) for source_id, key in keys))
    return conn.execute(delete(rows).where(wanted, rows.c.seen_at <= seen_before)).rowcount


def find_blobs(conn: Connection, *, after: str = "", limit: int) -> Sequence[str]:
    """Hashes of blobs that nothing refers to, from those behind `after`."""
    rows = schema.blobs
    query = select(rows.c.hash).where(rows.c.hash > after, _is_unreferenced())
    return conn.execute(query.order_by(rows.c.hash).limit(limit)).scalars().all()


def delete_blobs(conn: Connection, hashes: Collection[str]) -> int:
    """Delete those blobs that nothing refers to; how many.

    A writer may have found one of them there at this very moment, stored nothing therefore, and be about to commit a
    record that refers to it. On SQLite it cannot be: BEGIN IMMEDIATE lets one transaction write at a time, so this one
    sees all records of those before it, and those after it do not find the blob. On PostgreSQL whoever inserts blobs
    holds a lock, shared, from before it looks until it has committed (`insert_blobs`). Taken here for ourselves alone,
    it has us wait for all who have looked, and see what they committed (the DELETE is a statement of its own, so it
    has a snapshot taken after the lock); whoever comes later waits for us, and then stores the blob anew.
    """
    dialect_of(conn).lock_name(conn, BLOBS_LOCK)
    return conn.execute(delete(schema.blobs).where(schema.blobs.c.hash.in_(hashes), _is_unreferenced())).rowcount


def list_digests(conn: Connection) -> frozenset[str]:
    """The digests of all builds."""
    return frozenset(conn.execute(select(schema.builds.c.digest).distinct()).scalars())


def _is_over() -> ColumnElement[bool]:
    """Over, and without a parent that is not: replaying, that one may yet ask for its child."""
    rows, parents = schema.sessions, schema.sessions.alias("parents")
    parent_goes_on = exists().where(parents.c.id == rows.c.parent_id, parents.c.state.not_in(_FINAL))
    return and_(rows.c.state.in_(_FINAL), not_(parent_goes_on))


def _is_free(events: Any) -> ColumnElement[bool]:
    """No session that an event started goes on."""
    rows = schema.sessions
    return not_(exists().where(rows.c.event_id == events.c.id, rows.c.state.not_in(_FINAL)))


def _is_unreferenced() -> ColumnElement[bool]:
    def refers(table: Any) -> Select[Any]:
        return select(text("1")).select_from(table).where(table.c.blob == schema.blobs.c.hash)

    return and_(not_(refers(schema.journal).exists()), not_(refers(schema.build_files).exists()))
