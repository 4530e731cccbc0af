"""The journal's rows: what is stored comes back, in order, from either index and from the blobs."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.journal import EFFECTS, Record, StoredRecord
from autokitteh_server.storage import journal, schema
from autokitteh_server.storage.blobs import hash_of
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.values import is_storable, same_json, storable_text
from storage.rows import add_session, call, load

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)

RECORDS = st.builds(
    Record,
    kind=st.sampled_from(sorted(EFFECTS)) | st.just("print"),
    phase=st.sampled_from(["start", "done"]),
    task=st.sampled_from(["0", "0.1", "0.2.13"]),
    index=st.just(-1),
    name=ANY_TEXT,
    site=ANY_TEXT,
    args=ANY_TEXT,
    result=ANY_TEXT,
    error=ANY_TEXT,
    attempt=st.integers(1, 9),
    started_at=INT64,
    finished_at=INT64,
    codec=st.sampled_from(["", "pickle", "error", "json"]),
    payload=st.binary(max_size=50),
    digest=st.just(""),
    blob=st.just(""),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORDS, max_size=5))
def test_records_come_back_with_storable_texts(database: Database, records: list[Record]) -> None:
    """Every field survives but for what no database takes in texts for people, which becomes escapes."""
    session = add_session(database)
    database.writer.commit(session, 1, records)
    assert [stored.record for stored in load(database, session)] == [
        record._replace(
            name=storable_text(record.name),
            site=storable_text(record.site),
            args=storable_text(record.args),
            result=storable_text(record.result),
            error=storable_text(record.error),
        )
        for record in records
    ]


@given(text=ANY_TEXT)
def test_storable_text_keeps_what_it_can(text: str) -> None:
    """Only NUL and lone surrogates change; what is storable is left alone, and so is the answer."""
    stored = storable_text(text)
    stored.encode()
    assert "\0" not in stored
    assert storable_text(stored) == stored
    assert is_storable(text) == (stored == text)
    assert is_storable(text) == ("\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text))


def test_nul_and_surrogates_in_previews() -> None:
    """They are spelled out as Python would."""
    assert storable_text("a\0b") == r"a\x00b"
    assert storable_text("ä\udc80\0") == r"ä\udc80\x00"


def test_same_json_tells_truth_from_one() -> None:
    """Unlike Python's own comparison."""
    assert same_json([1, {"a": 2.0}], (1.0, {"a": 2}))
    assert not same_json({"a": True}, {"a": 1})
    assert not same_json([0], [False])
    assert not same_json([1], [1, 2])
    assert not same_json({"a": 1}, {"b": 1})
    assert not same_json([], {})


@pytest.mark.parametrize("size", [journal.INLINE_BYTES, journal.INLINE_BYTES + 1, 5_000_000])
def test_large_payloads_are_blobs(database: Database, size: int) -> None:
    """Above the limit the row keeps the hash, equal payloads are kept once, and reading notices nothing."""
    session = add_session(database)
    payload = b"\x00\xff" * (size // 2) + b"!" * (size % 2)
    database.writer.commit(session, 1, [call(0, payload=payload), call(1, payload=payload), call(2, payload=b"small")])
    is_blob = size > journal.INLINE_BYTES
    first, second, third = (stored.record for stored in load(database, session))
    assert first.payload == second.payload == payload
    assert first.blob == second.blob == (hash_of(payload) if is_blob else "")
    assert (third.payload, third.blob) == (b"small", "")
    query = select(func.count()).select_from(schema.blobs).where(schema.blobs.c.hash == hash_of(payload))
    assert database.read(lambda conn: conn.execute(query).scalar_one()) == int(is_blob)


def test_a_record_may_name_a_blob_that_is_there(database: Database) -> None:
    """Whoever has stored a payload before needs not send it again; a blob that is missing is not passed over."""
    session = add_session(database)
    payload = b"x" * 100_000
    database.writer.commit(session, 1, [call(0, payload=payload)])
    database.writer.commit(session, 1, [call(1, blob=hash_of(payload))])
    assert load(database, session)[1].record.payload == payload
    database.writer.commit(session, 1, [call(2, blob="0" * 64)])
    with pytest.raises(NotFound, match="no blob"):
        load(database, session)


def test_tail_goes_on_after_a_seq(database: Database) -> None:
    """Pages follow one another, with records of both indexes in the order of appending."""
    mine, other = add_session(database), add_session(database)
    for index in range(6):
        database.writer.append(mine, 1, [call(index), Record(kind="log", phase="done", result=str(index))])
        database.writer.append(other, 1, [call(index)])
    database.writer.flush()
    everything = load(database, mine)
    assert len(everything) == 12
    assert [stored.record.kind for stored in everything] == ["call", "log"] * 6
    seen: list[StoredRecord] = []
    after = 0
    while page := database.read(lambda conn: journal.tail(conn, mine, after, 5)):  # noqa: B023
        seen += page
        after = page[-1].seq
    assert seen == everything
    assert [stored.seq for stored in seen] == sorted({stored.seq for stored in seen})


def test_kinds_and_phases_count_by_themselves(database: Database) -> None:
    """A start, its end, a second attempt and a print may have the same index."""
    session = add_session(database)
    records = [
        call(0, phase="start"),
        call(0, phase="start", attempt=2),
        call(0),
        call(0, kind="print"),
        call(0, task="0.1"),
    ]
    database.writer.commit(session, 1, records)
    assert [stored.record for stored in load(database, session)] == records


def test_replay_gets_what_it_needs_in_order(database: Database) -> None:
    """Effects, numbered prints, states and warnings come in the order of appending, with large payloads."""
    session = add_session(database)
    large = b"x" * (journal.INLINE_BYTES + 1)
    records = [
        Record(kind="state", phase="done", name="RUNNING"),
        Record(kind="call", phase="start", index=1, name="later"),
        Record(kind="print", phase="done", name="stdout", result="in an activity"),
        Record(kind="note", phase="done", index=0, name="sooner", payload=b"n"),
        Record(kind="call", phase="done", index=1, name="later", attempt=2, codec="pickle", payload=large),
        Record(kind="warning", phase="done", name="open"),
    ]
    database.writer.commit(session, 1, records)

    rows = database.read(lambda conn: journal.load_replay(conn, session))

    assert [(row.name, row.phase, row.index, row.attempt, payload) for row, payload in rows] == [
        ("RUNNING", "done", -1, 1, b""),
        ("later", "start", 1, 1, b""),
        ("sooner", "done", 0, 1, b"n"),
        ("later", "done", 1, 2, large),
        ("open", "done", -1, 1, b""),
    ]
