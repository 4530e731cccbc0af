"""Recorded effects are met again by their place, checked by kind and name, and let in in the recorded order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh.errors import NonDeterminismError
from autokitteh_runner.protocol import ReplayRecord
from autokitteh_runner.replay import Replay

SITE = "program.py:7:on_event"
OTHER_SITE = "program.py:9:on_event"


def record(
    task: str,
    index: int,
    *,
    kind: str = "call",
    phase: str = "done",
    name: str = "api.get",
    attempt: int = 1,
    site: str = SITE,
) -> ReplayRecord:
    """A record of a journal."""
    return ReplayRecord(kind, phase, task, index, name, site, "digest", attempt, 5, "pickle", 0)


def replay_of(*records: ReplayRecord) -> Replay:
    """The replay of a journal; payloads tell the records apart."""
    replay = Replay()
    for number, entry in enumerate(records):
        replay.add(entry, f"payload {number}".encode())
    return replay


def test_effects_are_found_by_place() -> None:
    """Each effect is found once, with all that is recorded of it."""
    replay = replay_of(record("0", 0, phase="start"), record("0", 0), record("0.1", 0, name="other"))
    entry = replay.take("0", 0, "call", "api.get", SITE)
    assert entry is not None
    assert entry.done is not None
    assert (entry.start, entry.payload, entry.attempts, entry.digest) == (b"payload 0", b"payload 1", 1, "digest")
    assert replay.take("0", 0, "call", "api.get", SITE) is None
    assert replay.take("0", 1, "call", "api.get", SITE) is None
    assert replay.take("0.1", 0, "call", "other", SITE) is not None
    assert replay.replayed == 2


def test_effects_that_were_cut_off() -> None:
    """An effect that has begun and is not over says how often it was tried."""
    replay = replay_of(
        record("0", 0, phase="start"),
        record("0", 0, phase="failed"),
        record("0", 0, phase="start", attempt=2),
    )
    entry = replay.take("0", 0, "call", "api.get", SITE)
    assert entry is not None
    assert (entry.done, entry.attempts, entry.failed) == (None, 2, 1)
    assert replay.replayed == 0


@pytest.mark.parametrize(("kind", "name"), [("call", "api.post"), ("sleep", "api.get")])
def test_another_effect_in_its_place(kind: str, name: str) -> None:
    """Where the code does something else, the error shows both, where they are, and what may be the cause."""
    replay = replay_of(record("0.2", 3))
    with pytest.raises(NonDeterminismError) as caught:
        replay.take("0.2", 3, kind, name, OTHER_SITE)
    text = str(caught.value)
    assert "step 3 of task 0.2 was api.get at program.py, line 7, in on_event" in text
    assert f"now it is {name} at program.py, line 9, in on_event" in text
    assert "Usual causes" in text
    assert "@autokitteh.activity" in text


def test_another_line_is_no_mismatch() -> None:
    """A call that has moved to another line is the same call."""
    assert replay_of(record("0", 0)).take("0", 0, "call", "api.get", OTHER_SITE) is not None


def test_sites_that_are_not_known() -> None:
    """An effect without a site is told without one."""
    with pytest.raises(NonDeterminismError, match=r"was api\.get at an unknown place; now it is x at y"):
        replay_of(record("0", 0, site="")).take("0", 0, "call", "x", "y")


def test_effects_that_are_not_met() -> None:
    """Code that ends before it has done all that is recorded took another way; what is not over does not count."""
    replay = replay_of(record("0", 0), record("0", 1, name="late"), record("0", 2, phase="start"))
    replay.take("0", 0, "call", "api.get", SITE)
    with pytest.raises(NonDeterminismError, match=r"step 1 of task 0 was late .* now the code does not come to it"):
        replay.check_exhausted()
    replay.take("0", 1, "call", "late", SITE)
    replay.check_exhausted()


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_the_recorded_order(order: list[int], waited_for: set[int]) -> None:
    """What is waited for is let in as it was over; what was met and needs no waiting is passed over."""
    starts = [record(f"0.{n}", 0, phase="start") for n in range(6)]
    replay = replay_of(*starts, *(record(f"0.{n}", 0) for n in order))
    for n in range(6):
        replay.take(f"0.{n}", 0, "call", "api.get", SITE)
    waiting = {(f"0.{n}", 0) for n in waited_for}
    met = []
    while (place := replay.next_over(waiting)) is not None:
        met.append(int(place[0].removeprefix("0.")))
        waiting.remove(place)
    assert met == [n for n in order if n in waited_for]


def test_arrivals_of_what_was_never_met() -> None:
    """An effect that is over next, and which no task has come to while all wait, will never be met."""
    replay = replay_of(record("0.0", 0), record("0.1", 0, name="never"))
    replay.take("0.0", 0, "call", "api.get", SITE)
    assert replay.next_over({("0.0", 0)}) == ("0.0", 0)
    with pytest.raises(NonDeterminismError, match="was never"):
        replay.next_over({("0.0", 1)})


def test_prints_are_counted() -> None:
    """Lines that the log has are counted for each task and are no effects."""
    replay = replay_of(
        record("0", 0, kind="print"), record("0", 1, kind="log"), record("0.1", 4, kind="print"), record("0", 0)
    )
    assert [replay.printed(task) for task in ("0", "0.1", "load")] == [2, 5, 0]
    assert replay.take("0", 0, "call", "api.get", SITE) is not None


def test_warnings_are_known() -> None:
    """What the log has a warning of is not warned of again."""
    replay = replay_of(record("0", -1, kind="warning", name="about"))
    assert replay.warned == {"about": {SITE}}


@pytest.mark.parametrize(
    ("records", "cut_off"),
    [
        ([], False),
        ([("state", "RUNNING")], True),
        ([("state", "RUNNING"), ("state", "WAITING")], False),
        ([("state", "RUNNING"), ("warning", "runner")], False),
        ([("state", "RUNNING"), ("warning", "runner"), ("state", "RUNNING")], True),
    ],
)
def test_a_process_that_ended_unseen(records: list[tuple[str, str]], cut_off: bool) -> None:
    """Only where nobody could note the end of the process before this one may its last words have been lost."""
    assert replay_of(*(record("0", -1, kind=kind, name=name) for kind, name in records)).cut_off is cut_off
