"""The journal's rows: append, read, tail.

`seq` grows within a session in the order of appending, for whoever appends holds the session: the writer's fence locks
its row until the commit.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, null, select

from autokitteh_runner.protocol import ReplayRecord
from autokitteh_server.core.journal import FORMAT, WAITS, Record, StoredRecord
from autokitteh_server.storage import blobs, schema
from autokitteh_server.storage.dialects import RECORD_COLUMNS, dialect_of, raw_of
from autokitteh_server.storage.errors import DoubledRecord
from autokitteh_server.storage.schema import Row
from autokitteh_server.storage.values import storable_text

#: Payloads above this many bytes are kept as blobs. A page of the journal should hold many records.
INLINE_BYTES = 64 * 1024


class Prepared(NamedTuple):
    """Records made ready to be inserted: the slow part, done in the thread that appends and not in the leader."""

    rows: list[Row]  # as RECORD_COLUMNS says
    blobs: list[tuple[str, bytes]]


def prepare(session_id: str, records: Iterable[Record]) -> Prepared:
    """Rows and blobs of records. Previews that a database would refuse are made fit."""
    prepared = Prepared([], [])
    for record in records:
        payload, blob = record.payload, record.blob or None
        if len(payload) > INLINE_BYTES:
            blob = blobs.hash_of(payload)
            prepared.blobs.append((blob, payload))
            payload = b""
        prepared.rows.append(
            (
                session_id,
                FORMAT,
                record.kind,
                record.phase,
                record.task,
                record.index,
                storable_text(record.name),
                storable_text(record.site),
                record.digest,
                storable_text(record.args),
                storable_text(record.result),
                storable_text(record.error),
                record.attempt,
                record.started_at,
                record.finished_at,
                record.codec,
                payload,
                blob,
            )
        )
    return prepared


def insert(conn: Connection, session_id: str, records: Sequence[Record]) -> None:
    """Append records in a transaction that holds the session: in `Writer.transact`, or after a change of its row.

    Raises DoubledRecord, and then the transaction is good for nothing but to be rolled back.
    """
    prepared = prepare(session_id, records)
    dialect, raw = dialect_of(conn), raw_of(conn)
    try:
        if prepared.blobs:
            dialect.insert_blobs(raw, sorted(prepared.blobs))
        if prepared.rows:
            dialect.insert_records(raw, prepared.rows)
    except Exception as error:
        if dialect.is_doubled(error):
            raise doubled(session_id, error) from error
        raise


def doubled(session_id: str, error: BaseException) -> DoubledRecord:
    """The error for a record whose place is taken."""
    return DoubledRecord(f"session {session_id} has this record already: {error}")


def load(conn: Connection, session_id: str) -> Sequence[StoredRecord]:
    """All records of a session, in order, with the payloads of blobs in place."""
    return _load(conn, session_id, after_seq=0, limit=None)


def load_replay(conn: Connection, session_id: str) -> list[tuple[ReplayRecord, bytes]]:
    """What replay needs of a session's records, in order, with their payloads. A third of the time `load` takes."""
    rows = dialect_of(conn).fetch_rows(raw_of(conn), _LOAD_REPLAY, (session_id, session_id))
    # Sorted here: a database would carry whole rows, payloads and all, through its sorting.
    rows.sort(key=itemgetter(0))
    contents = blobs.get_all(conn, {row[-1] for row in rows if row[-1]})
    payloads = [contents[row[-1]] if row[-1] else row[-2] for row in rows]
    return [
        (ReplayRecord._make((*row[1:-2], len(payload))), payload) for row, payload in zip(rows, payloads, strict=True)
    ]


def tail(conn: Connection, session_id: str, after_seq: int, limit: int) -> Sequence[StoredRecord]:
    """At most `limit` records of a session that come after `after_seq`, in order. 0 is before the first."""
    return _load(conn, session_id, after_seq=after_seq, limit=limit)


def read_log(conn: Connection, session_id: str, after_seq: int = 0) -> Sequence[StoredRecord]:
    """All records of a session, in order, as people need them: without payloads, but for those of waits' starts."""
    query = _FOR_PEOPLE.where(schema.journal.c.session_id == session_id).order_by(schema.journal.c.seq)
    if after_seq:
        query = query.where(schema.journal.c.seq > after_seq)
    return [stored for _, stored in _shown(conn, query)]


def read_news(conn: Connection, after_seq: int, limit: int) -> Sequence[tuple[str, StoredRecord]]:
    """At most `limit` records of all sessions that come after a seq, each with its session, without payloads.

    In order, and complete, for the process whose writer wrote them: on PostgreSQL another writer's records may become
    visible later than ones with a higher seq.
    """
    query = _FOR_PEOPLE.where(schema.journal.c.seq > after_seq).order_by(schema.journal.c.seq).limit(limit)
    return _shown(conn, query)


def has_warning(conn: Connection, session_id: str, name: str, text: str) -> bool:
    """Whether a session's log has this warning already."""
    table = schema.journal.c
    query = select(table.seq).where(
        table.session_id == session_id, table.idx < 0, table.kind == "warning", table.name == name
    )
    return conn.execute(query.where(table.result == storable_text(text)).limit(1)).first() is not None


def last_seq(conn: Connection) -> int:
    """The highest seq of all sessions; 0 if there are no records."""
    return conn.execute(select(func.max(schema.journal.c.seq))).scalar_one() or 0


def _shown(conn: Connection, query: Select[Any]) -> list[tuple[str, StoredRecord]]:
    return [(row[0], _from_row(tuple(row[1:]), {})) for row in conn.execute(query)]


# Payloads are large and say nothing to people, except when a wait will be over.
_FOR_PEOPLE: Select[Any] = select(
    schema.journal.c.session_id,
    schema.journal.c.seq,
    *(schema.journal.c[name] for name in RECORD_COLUMNS[1:-2]),
    case(
        (schema.journal.c.kind.in_(WAITS) & (schema.journal.c.phase == "start"), schema.journal.c.payload), else_=b""
    ).label("payload"),
    null().label("blob"),
)


# One half for each of the journal's partial indexes; a plain SELECT of a session's records would use neither.
_HALF = f"SELECT seq, {', '.join(RECORD_COLUMNS[1:])} FROM journal WHERE session_id = {{0}} AND seq > {{0}} AND idx"
_LOAD = f"{_HALF} >= 0 UNION ALL {_HALF} < 0 ORDER BY seq LIMIT {{0}}"

# Of what has no place, replay asks how the processes before ended and which warnings were given.
_REPLAY_HALF = (
    "SELECT seq, kind, phase, task, idx, name, site, digest, attempt, finished_at, codec, payload, blob"
    " FROM journal WHERE session_id = {0} AND idx"
)
_LOAD_REPLAY = f"{_REPLAY_HALF} >= 0 UNION ALL {_REPLAY_HALF} < 0 AND kind IN ('state', 'warning')"


def _load(conn: Connection, session_id: str, *, after_seq: int, limit: int | None) -> Sequence[StoredRecord]:
    most = 2**62 if limit is None else limit
    rows = dialect_of(conn).fetch_rows(raw_of(conn), _LOAD, (session_id, after_seq, session_id, after_seq, most))
    contents = blobs.get_all(conn, {blob for *_, blob in rows if blob})
    return [_from_row(row, contents) for row in rows]


def _from_row(row: Row, contents: dict[str, bytes]) -> StoredRecord:
    seq, _format, *values = row
    blob = values[-1]
    values[-2:] = (contents[blob], blob) if blob else (values[-2], "")
    return StoredRecord(seq, Record._make(values))


# Columns stand in the order of Record's fields, which `_from_row` relies on.
assert [name.replace("idx", "index") for name in RECORD_COLUMNS[2:]] == list(Record._fields)
