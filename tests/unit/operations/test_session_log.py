"""Journals as logs: pure functions of records."""

from typing import Any

import pytest

from autokitteh_runner.protocol import dump_json
from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.journal import Record, StoredRecord
from autokitteh_server.core.states import SessionState
from autokitteh_server.core.timestamps import format_time
from autokitteh_server.operations.session_log import LogEntry, build_log, entry_to_json, started_session

SECOND = 1_000_000


def session(state: str = "RUNNING", **fields: Any) -> Session:
    """A durable session of no interest."""
    defaults: dict[str, Any] = {
        "id": "ses_1", "project_id": "prj_1", "build_id": "bld_1", "entry": "a.py:f", "durable": True,
        "created_at": 0, "updated_at": 0,
    }  # fmt: skip
    return Session(**defaults | {"state": SessionState(state)} | fields)


def journal(*records: Record) -> list[StoredRecord]:
    """Records with their places."""
    return [StoredRecord(seq=seq, record=record) for seq, record in enumerate(records, 1)]


def begun(index: int, *, kind: str = "call", at: int = 0, **fields: Any) -> Record:
    """The start of an effect."""
    return Record(kind=kind, phase="start", index=index, started_at=at, **{"name": "m.f", "args": "1"} | fields)


def ended(index: int, *, kind: str = "call", phase: str = "done", at: int = 0, **fields: Any) -> Record:
    """The end of one."""
    times = {"started_at": at, "finished_at": at}
    return Record(kind=kind, phase=phase, index=index, **{"name": "m.f", "args": "1"} | times | fields)


def state(name: str, text: str = "") -> Record:
    return Record(kind="state", phase="done", name=name, result=text)


def wait_of(deadline_at: int | None) -> bytes:
    """The payload of a wait's start."""
    return dump_json({"deadline_at": deadline_at, "names": []}).encode()


def shown(entries: list[LogEntry]) -> list[tuple[str, str]]:
    """Each entry's kind, and the flags that it has."""
    flags = ("is_replayed", "is_running", "is_interrupted")
    return [(each.kind, " ".join(flag[3:] for flag in flags if getattr(each, flag))) for each in entries]


def test_start_and_end_are_one_entry_at_the_end() -> None:
    """A call is shown once, where it was over, with the time that it took by its own clock."""
    (entry,) = build_log(session(), journal(begun(0), ended(0, started_at=SECOND, finished_at=3 * SECOND, result="5")))

    assert (entry.at, entry.text, entry.seconds, entry.is_running) == (3 * SECOND, "5", 2.0, False)


def test_end_of_a_wait_gets_its_beginning_from_the_start() -> None:
    """How long it was waited for is the time from the start, for the end of a wait does not know it."""
    start = begun(0, kind="sleep", at=SECOND, payload=wait_of(4 * SECOND))

    (entry,) = build_log(session(), journal(start, ended(0, kind="sleep", at=5 * SECOND)))

    assert (entry.kind, entry.seconds, entry.deadline_at) == ("wait", 4.0, 4 * SECOND)


def test_failed_attempt_is_an_entry_of_its_own() -> None:
    """Each attempt is shown with how it ended."""
    entries = build_log(
        session(),
        journal(begun(0), ended(0, phase="failed", error="E: x"), begun(0, attempt=2), ended(0, attempt=2)),
    )

    assert [(each.attempt, each.error) for each in entries] == [(1, "E: x"), (2, "")]


def test_attempt_cut_off_is_shown_as_interrupted() -> None:
    """A second start without an end between: the process was lost during the first."""
    entries = build_log(session(), journal(begun(0), begun(0, attempt=2), ended(0, attempt=2)))

    assert [(each.attempt, each.is_interrupted) for each in entries] == [(1, True), (2, False)]


@pytest.mark.parametrize(("now", "flag"), [("RUNNING", "running"), ("STOPPED", "interrupted")])
def test_what_has_not_ended(now: str, flag: str) -> None:
    """It is running as long as the session is; after that it was interrupted. Its place is where it began."""
    entries = build_log(session(now), journal(begun(0), Record(kind="print", phase="done", result="x")))

    assert shown(entries) == [("call", flag), ("print", "")]


def test_timer_that_was_called_off_is_not_shown() -> None:
    """Of a waiting session it is known which timers count; of one that is over, that none does."""
    records = journal(
        begun(0, kind="timer", name="asyncio.timer", payload=wait_of(SECOND)),
        begun(1, kind="timer", name="asyncio.timer", payload=wait_of(2 * SECOND)),
    )
    waits = (Wait(task="0", index=1, kind="timer", deadline_at=2 * SECOND),)

    assert [each.deadline_at for each in build_log(session(waits=waits), records)] == [2 * SECOND]
    assert build_log(session("COMPLETED"), records) == []


def test_what_a_later_process_took_from_the_journal_is_replayed() -> None:
    """Effects that were over before the last process began, and nothing else."""
    records = journal(
        state("RUNNING"),
        ended(0),
        Record(kind="print", phase="done", index=0, result="x"),
        begun(1),
        state("RUNNING", "resumed, 1 records replayed"),
        begun(1, attempt=2),
        ended(1, attempt=2),
    )

    assert shown(build_log(session(), records)) == [
        ("state", ""), ("call", "replayed"), ("print", ""), ("call", "interrupted"), ("state", ""), ("call", ""),
    ]  # fmt: skip


def test_nothing_is_replayed_without_durability() -> None:
    """A session that is not durable begins anew."""
    records = journal(ended(-1, kind="store"), state("RUNNING", "resumed, 0 records replayed"))

    assert shown(build_log(session(durable=False), records)) == [("store", ""), ("state", "")]


def test_last_state_has_the_whole_outcome() -> None:
    """The journal has the beginning of a result; the log has the result."""
    done = session("COMPLETED", result={"long": "x" * 300})

    (entry,) = build_log(done, journal(state("COMPLETED", '{"long": "xx')))

    assert entry_to_json(entry, "ses_1") == {
        "t": "1970-01-01T00:00:00.000000Z", "kind": "state", "session": "ses_1", "state": "COMPLETED",
        "error": None, "result": {"long": "x" * 300},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (Record(kind="print", phase="done", name="stderr", result="x"), {"stream": "stderr", "text": "x"}),
        (Record(kind="log", phase="done", name="INFO", result="x"), {"level": "INFO", "text": "x"}),
        (
            Record(kind="warning", phase="done", name="watchdog", site="a.py:1:f", result="x"),
            {"about": "watchdog", "site": "a.py:1:f", "text": "x"},
        ),
    ],
)
def test_lines_as_json(record: Record, fields: dict[str, str]) -> None:
    """Each kind has its own fields beside those that all have."""
    (entry,) = build_log(session(), journal(record))

    head = {"t": "1970-01-01T00:00:00.000000Z", "kind": record.kind, "session": "ses_1", "task": "0"}
    assert entry_to_json(entry, "ses_1") == head | fields


def test_wait_under_way_as_json() -> None:
    """It says until when, and that it is not over; of a result there is no mention."""
    start = begun(0, kind="next_signal", at=SECOND, site="a.py:3:f", payload=wait_of(None))

    (entry,) = build_log(session(), journal(start))

    assert entry_to_json(entry, "ses_1") == {
        "t": "1970-01-01T00:00:01.000000Z", "kind": "wait", "session": "ses_1", "task": "0", "name": "m.f",
        "site": "a.py:3:f", "args": "1", "deadline": None, "seconds": None, "attempt": 1, "replayed": False,
        "running": True,
    }  # fmt: skip


def test_started_session_is_known_from_its_record() -> None:
    """A start that failed has started nothing, nor has a call."""
    records = journal(
        ended(0, kind="start", result='"ses_2"'), ended(1, kind="start", error="ValueError: x"), ended(2, result='"x"')
    )

    assert [started_session(entry) for entry in build_log(session(), records)] == ["ses_2", None, None]


def test_times_are_exact() -> None:
    """Microseconds are kept, where floating point would lose them."""
    assert format_time(1_700_000_000_000_001) == "2023-11-14T22:13:20.000001Z"
