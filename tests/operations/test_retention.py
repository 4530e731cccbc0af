"""Old things go, little by little, and nothing goes that somebody still needs."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autokitteh_server.builds.folders import BuildFolders
from autokitteh_server.core.entities import Event, Session
from autokitteh_server.core.ids import new_id
from autokitteh_server.core.instruments import NoInstruments
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations.retention import BATCH, RetentionPolicy, Sweeper, Swept, sweep
from autokitteh_server.storage import blobs, builds, events, journal, projects, retention, schema, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database
from engine.stage import PATIENCE_S, HandClock
from storage.rows import BUILD, FILES, PROJECT, call, make_session

DAY = 86_400_000_000
NOW = 1_000 * DAY
POLICY = RetentionPolicy(events_days=30, sessions_days=90)
LARGE = b"x" * (journal.INLINE_BYTES + 1)


class Archive:
    """A store with things of many ages in it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folders = BuildFolders(folder)
        self._numbers = iter(range(1, 1_000_000))
        database.write(lambda conn: projects.get_or_create(conn, PROJECT))
        database.write(lambda conn: builds.save(conn, BUILD, FILES))

    def id(self, prefix: str, days_ago: float) -> str:
        return new_id(prefix, now_us=round(NOW - days_ago * DAY), random_bits=next(self._numbers))

    def add_event(self, days_ago: float) -> str:
        """Store an event of that age."""
        event = Event(
            id=self.id("evt", days_ago), project_id=PROJECT.id, source_id="trg_1", source_name="t", event_type="x",
            data={}, created_at=round(NOW - days_ago * DAY),
        )  # fmt: skip
        self.database.write(lambda conn: events.save_all(conn, [event]))
        return event.id

    def add_session(
        self, days_ago: float, state: SessionState = SessionState.COMPLETED, records: int = 0, **values: Any
    ) -> str:
        """Store a session that has been in this state for so long, with as many records."""
        at = round(NOW - days_ago * DAY)
        session: Session = make_session(
            id=self.id("ses", days_ago), state=state, created_at=at, updated_at=at, **values
        )

        def add(conn: Connection) -> None:
            sessions.create(conn, session)
            journal.insert(conn, session.id, [call(index if index % 2 else -1) for index in range(records)])

        self.database.write(add)
        return session.id

    def sweep(self, policy: RetentionPolicy = POLICY, go_on: Callable[[], bool] = lambda: True) -> Swept:
        return sweep(self.database, self.folders, policy, now=NOW, go_on=go_on)

    def ids(self, table: Any) -> set[str]:
        """The keys of what is there."""
        return set(self.database.read(lambda conn: conn.execute(table.select()).scalars().all()))

    def count(self, table: Any) -> int:
        return len(self.database.read(lambda conn: conn.execute(table.select()).all()))


@pytest.fixture
def archive(database: Database, tmp_path: Path) -> Archive:
    return Archive(database, tmp_path / "builds")


def test_old_events_go(archive: Archive) -> None:
    """Not those that are younger; and nothing goes where the age is 0."""
    old, young = archive.add_event(31), archive.add_event(29)

    assert archive.sweep(RetentionPolicy(events_days=0, sessions_days=1)).events == 0
    assert archive.ids(schema.events) == {old, young}

    assert archive.sweep().events == 1
    assert archive.ids(schema.events) == {young}


def test_the_event_of_a_session_that_goes_on_stays(archive: Archive) -> None:
    """It goes with the first sweep after the session's end."""
    event_id = archive.add_event(400)
    archive.add_session(400, SessionState.RUNNING, event={"event_id": event_id})
    done = archive.add_event(400)
    archive.add_session(1, event={"event_id": done})

    assert archive.sweep().events == 1
    assert archive.ids(schema.events) == {event_id}


def test_old_sessions_go_with_all_that_is_theirs(archive: Archive) -> None:
    """How long ago they ended counts. One that goes on is never too old, whatever its deployment is."""
    archive.add_session(91, records=3)
    young = archive.add_session(89, records=2)
    at_work = archive.add_session(500, SessionState.RUNNING, records=2, deployment_id="dep_1")
    new = archive.add_session(500, SessionState.CREATED)

    swept = archive.sweep()

    assert (swept.sessions, swept.records) == (1, 3)
    assert archive.ids(schema.sessions) == {young, at_work, new}
    assert archive.count(schema.journal) == 4


def test_a_session_that_was_long_in_coming_is_as_old_as_its_end(archive: Archive) -> None:
    """It began long ago and ended yesterday."""
    session_id = archive.add_session(500)
    archive.database.write(lambda conn: conn.execute(schema.sessions.update().values(updated_at=NOW - DAY)))

    assert archive.sweep().sessions == 0
    assert archive.ids(schema.sessions) == {session_id}


def test_families_stay_consistent(archive: Archive) -> None:
    """A child stays as long as its parent goes on; a parent that is over need not wait for its children."""
    parent = archive.add_session(300, SessionState.RUNNING)
    child_over = archive.add_session(200, parent_id=parent)
    parent_over = archive.add_session(200)
    child = archive.add_session(199, SessionState.RUNNING, parent_id=parent_over, records=1)
    archive.add_session(200, parent_id=parent_over)

    assert archive.sweep().sessions == 2
    assert archive.ids(schema.sessions) == {parent, child_over, child}
    assert archive.count(schema.journal) == 1


def test_nobody_waits_for_more_than_a_portion(archive: Archive) -> None:
    """Between two looks at whether to go on at most a batch of rows is gone."""
    for _ in range(BATCH + 10):
        archive.add_event(40)
    long = [archive.add_session(100, records=BATCH + 300) for _ in range(2)]
    left: list[int] = []

    def go_on() -> bool:
        left.append(sum(map(archive.count, (schema.events, schema.sessions, schema.journal))))
        return True

    swept = archive.sweep(go_on=go_on)

    assert (swept.events, swept.sessions, swept.records) == (BATCH + 10, len(long), 2 * (BATCH + 300))
    assert left[-1] == 0
    assert max(before - after for before, after in pairwise(left)) <= BATCH


def test_a_sweep_that_is_cut_off_is_finished_by_the_next(archive: Archive) -> None:
    """However little each of them gets done."""
    for _ in range(3):
        archive.add_session(100, records=BATCH)
    turns = 0
    while archive.count(schema.sessions):
        steps = iter([True, True, True])
        archive.sweep(go_on=lambda steps=steps: next(steps, False))
        turns += 1

    assert 1 < turns < 20
    assert archive.count(schema.journal) == 0


def test_keys_are_forgotten_after_a_day(archive: Archive) -> None:
    """Repeats of older ones are not recognised any more, so they need not be kept."""

    def add(conn: Connection) -> None:
        keys = [("trg_1", f"k{number}", "evt_1", round(NOW - 2 * DAY)) for number in range(BATCH + 5)]
        keys += [("trg_2", "day", "evt_2", NOW - DAY), ("trg_3", "younger", "evt_3", NOW - DAY + 1)]
        names = ("source_id", "key", "event_id", "seen_at")
        conn.execute(schema.event_keys.insert(), [dict(zip(names, key, strict=True)) for key in keys])

    archive.database.write(add)

    assert archive.sweep().event_keys == BATCH + 6
    assert archive.ids(schema.event_keys) == {"trg_3"}


def test_blobs_go_when_nothing_refers_to_them(archive: Archive) -> None:
    """Of files of a build and of a session's large result they stay until those are gone."""
    session_id = archive.add_session(80)
    archive.database.write(lambda conn: journal.insert(conn, session_id, [call(0, payload=LARGE)]))
    archive.database.write(lambda conn: blobs.put(conn, b"of nobody"))

    assert archive.sweep().blobs == 1
    assert archive.ids(schema.blobs) == {blobs.hash_of(LARGE), *map(blobs.hash_of, FILES.values())}
    swept = archive.sweep(RetentionPolicy(sessions_days=70))

    assert (swept.sessions, swept.blobs) == (1, 1)
    assert archive.ids(schema.blobs) == set(map(blobs.hash_of, FILES.values()))


def test_a_blob_that_somebody_has_just_found_there_stays(archive: Archive, store_url: str) -> None:
    """Another server finds the blob, stores nothing therefore, and commits its record while the blob is swept."""
    session_id = archive.add_session(0)
    name = archive.database.write(lambda conn: blobs.put(conn, LARGE))
    found, proceed = threading.Event(), threading.Event()

    def append(conn: Connection) -> None:
        blobs.put(conn, LARGE)
        found.set()
        proceed.wait(PATIENCE_S)
        journal.insert(conn, session_id, [call(0, payload=LARGE)])

    with Database.open(store_url) as other:
        writing = threading.Thread(target=other.write, args=(append,))
        writing.start()
        assert found.wait(PATIENCE_S)
        deleted: list[int] = []
        sweeping = threading.Thread(
            target=lambda: deleted.append(archive.database.write(lambda conn: retention.delete_blobs(conn, [name])))
        )
        sweeping.start()
        sweeping.join(0.3)  # without a lock it is done by then
        assert deleted == []
        proceed.set()
        writing.join(PATIENCE_S)
        sweeping.join(PATIENCE_S)

    assert deleted == [0]
    (stored,) = archive.database.read(lambda conn: journal.load(conn, session_id))
    assert stored.record.payload == LARGE


def test_folders_of_builds_that_are_gone_are_removed(archive: Archive, tmp_path: Path) -> None:
    """And what a server that died left half written, once it is old."""
    archive.folders.write(BUILD.digest, FILES)
    gone = archive.folders.write("d2", FILES)
    fresh, stale = tmp_path / "builds" / ".unfinished-a", tmp_path / "builds" / ".unfinished-b"
    for folder, days_ago in ((fresh, 0.5), (stale, 2)):
        folder.mkdir()
        os.utime(folder, ns=(0, round(NOW - days_ago * DAY) * 1000))

    assert archive.sweep().build_folders == 1
    assert archive.folders.find(BUILD.digest) is not None
    assert not gone.exists() and fresh.exists() and not stale.exists()


class Notes(NoInstruments):
    """Notes what was swept."""

    def __init__(self) -> None:
        self.counts: list[Mapping[str, int]] = []

    def swept(self, counts: Mapping[str, int]) -> None:
        self.counts.append(counts)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def sweeper(archive: Archive, notes: Notes) -> Iterator[tuple[Sweeper, HandClock]]:
    """A sweeper at work, and its clock."""
    clock = HandClock(NOW)
    sweeper = Sweeper(archive.database, archive.folders, POLICY, clock=clock, instruments=notes)
    sweeper.open()
    yield sweeper, clock
    sweeper.close()


def test_sweeps_follow_the_clock(archive: Archive, notes: Notes, sweeper: tuple[Sweeper, HandClock]) -> None:
    """The first after a minute, then one an hour; each tells how much it was, if it was something."""
    _, clock = sweeper
    for number in (1, 2):
        archive.add_event(40)
        for _ in range(10_000):
            if len(notes.counts) == number:
                break
            clock.reach(clock.now_us() + 60_000_000)
            threading.Event().wait(0.001)

    assert notes.counts == [{"events": 1}] * 2
    assert clock.now_us() >= NOW + 3_660_000_000


def test_a_store_that_fails_does_not_end_it(archive: Archive, notes: Notes) -> None:
    """The next hour may be better."""
    sweeper = Sweeper(archive.database, archive.folders, POLICY, clock=HandClock(NOW), instruments=notes)
    archive.add_event(40)
    archive.database.close()

    assert sweeper.sweep_now() is None
    assert notes.counts == []
