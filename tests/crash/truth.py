"""Programs whose effects are seen outside, and what must be true of journal and world however often a crash came."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autokitteh_server.core.journal import EFFECTS, Record
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import sessions, signals, store
from autokitteh_server.storage.database import Database
from harness import Result, load_result

_BEGINNING = '''
import asyncio, time, uuid
import autokitteh
from autokitteh import activity, next_signal, outcome, signal, start

@activity
def effect(tag):
    """Takes effect outside, where it can be counted."""
    with open(EFFECTS_FILE, "a") as file:
        file.write(tag + chr(10))
    return tag.upper()

@activity
async def async_effect(tag):
    return effect(tag)

EFFECTS_FILE = FILE
'''


@dataclass(frozen=True)
class Program:
    """A program, and what comes of it if nothing goes wrong."""

    name: str
    code: str
    prints: Sequence[str]
    tags: Sequence[str]  # of all effects, those of children too
    sessions: int = 1
    added: int = 0  # in all, to the store's key "n"
    overlaps: bool = False  # its tasks go on side by side: their lines may come in another order

    def source(self, effects: Path) -> str:
        """Its text, with effects in a file."""
        return _BEGINNING.replace("FILE\n", f"{str(effects)!r}\n") + textwrap.dedent(self.code)


SMALL = Program(
    "small",
    """
    def main(event):
        print("one", effect("a"))
        time.sleep(0.03)
        print("two", effect("b"))
    """,
    prints=["one A", "two B"],
    tags="ab",
)

EVERY_KIND = Program(
    "every_kind",
    """
    def child(event, session_id):
        print("child")
        time.sleep(0.05)  # until then its parent waits for its signal, for ever if need be
        effect("c")
        autokitteh.add_values("n", 10)
        signal(event.data.parent, "hello", effect("d"))
        time.sleep(0.05)  # until then nothing but the signal has woken it
        return "grown"

    def main(event, session_id):
        token = str(uuid.uuid4())
        print("before", effect("a"))
        at = time.time()
        signal(session_id, "own", 1)
        started = start("program.py:child", {"parent": session_id})
        print("own", next_signal("own").payload, autokitteh.add_values("n", 1) % 10)
        print("hello", next_signal("hello").payload)
        time.sleep(0.03)
        effect(token[:0] + "b")
        outcome({"n": 1})
        print(next_signal(started).payload)
        print(next_signal("never", timeout=0.03), isinstance(at, float) and len(token))
        return 7
    """,
    prints=["before A", "own 1 1", "hello D", "{'completed': True, 'value': 'grown'}", "None 36"],
    tags="abcd",
    sessions=2,
    added=11,
)

GATHER = Program(
    "gather",
    """
    async def two(first, second):
        print("in", await async_effect(first))
        await asyncio.sleep(0.025)
        return await async_effect(second)

    async def main(event):
        print(await asyncio.gather(two("a", "b"), async_effect("c"), two("d", "e")))
        print(await asyncio.wait_for(async_effect("f"), 60))
    """,
    prints=["in A", "in D", "['B', 'C', 'E']", "F"],
    tags="abcdef",
    overlaps=True,
)

CHATTY = Program(
    "chatty",
    """
    def main(event):
        for n in range(3):
            print("line", n)
            effect(str(n))
            for line in range(20):
                print(n, line)
    """,
    prints=[line for n in range(3) for line in (f"line {n}", *(f"{n} {line}" for line in range(20)))],
    tags="012",
)

PROGRAMS = {program.name: program for program in (SMALL, EVERY_KIND, GATHER, CHATTY)}


def check(program: Program, url: str, effects: Path, *, crashes: int) -> None:
    """All that must be true once the session is over, and server or runner have died so often."""
    with Database.open(url) as database:
        rows = database.read(lambda conn: sessions.list(conn, limit=1000))
        results = [load_result(database, row.id) for row in rows]
        left = database.read(signals.sessions_with_signals)
        project = rows[0].project_id
        added = database.read(lambda conn: store.mutate(conn, project, "n", "get"))
    main = results[-1]  # the oldest
    assert main.state == "COMPLETED", main.error
    assert len(results) == program.sessions
    if program.overlaps:
        assert sorted(main.prints) == sorted(program.prints)
    else:
        assert main.prints == list(program.prints)
    assert added == (program.added or None)
    assert not left
    for result in results:
        _check_journal(result)
        if not program.overlaps:
            _check_nothing_is_missing(result)
            assert sum(record.attempt - 1 for record in result.calls()) <= crashes
    _check_effects(program, results, effects)


def _check_journal(result: Result) -> None:
    done = Counter(place for place in _places(result.records, "done"))
    assert not [place for place, times in done.items() if times > 1], "a record twice"
    prints = Counter((r.task, r.index) for r in result.records if r.kind == "print")
    assert not [place for place, times in prints.items() if times > 1], "a line twice"
    for end in result.calls():
        attempts = [r.attempt for r in result.calls("start") if (r.task, r.index) == (end.task, end.index)]
        assert attempts == sorted(set(attempts)) and attempts[-1] == end.attempt
    states = [record.name for record in result.records if record.kind == "state"]
    *before, last = states
    assert set(before) == {"RUNNING"} and last == result.session.state.value, states
    assert result.records[-1].kind == "state" and SessionState(last).is_final
    session = result.session
    assert session.waits is None
    assert session.epoch >= len(before)


def _check_nothing_is_missing(result: Result) -> None:
    """Where one effect follows another. (Timers that are called off have no end, and maybe no start.)"""
    done = set(_places(result.records, "done"))
    assert set(_places(result.records, "start")) <= done
    assert sorted(done) == [("0", index) for index in range(len(done))]


def _places(records: Sequence[Record], phase: str) -> Iterator[tuple[str, int]]:
    return ((r.task, r.index) for r in records if r.kind in EFFECTS and r.index >= 0 and r.phase == phase)


def _check_effects(program: Program, results: Sequence[Result], effects: Path) -> None:
    """What happened outside happened once, or again where the journal says that it may have."""
    seen = Counter(effects.read_text().split())
    attempts = {
        record.args.strip("'"): record.attempt
        for result in results
        for record in result.calls()
        if record.name.endswith("effect")
    }
    assert set(seen) == set(program.tags) == set(attempts)
    for tag, times in seen.items():
        assert times <= attempts[tag], f"{tag} took effect {times} times, in attempt {attempts[tag]}"
