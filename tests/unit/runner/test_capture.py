"""What is printed reaches the log line by line, each line once, whoever prints it."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_runner.capture import LogStream, SessionLog
from autokitteh_runner.outbox import LINE_LIMIT
from autokitteh_runner.protocol import LINE_OVERHEAD_BYTES, Limits
from autokitteh_runner.scope import Outside, Scope, Task, scope


class Log:
    """A session's log, of which some lines are there already."""

    def __init__(self, log_bytes: int = 0, **printed: int) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self.warnings: list[str] = []
        effects = SimpleNamespace(
            limits=Limits(log_bytes=log_bytes),
            warn_once=lambda site, about, text: self.warnings.append(text),
            outbox=SimpleNamespace(say=lambda kind, name, *rest: self.lines.append(rest)),
            replay=SimpleNamespace(printed=lambda task: printed.get(task.replace(".", "_").replace("0", "main"), 0)),
        )
        self.stream = LogStream(SessionLog(effects, durable=True), "stdout")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _outside() -> Iterator[None]:
    """Each test says itself where it is."""
    before = scope.set(None)
    yield
    scope.reset(before)


def write(log: Log, where: Scope, text: str) -> None:
    """Print something somewhere."""
    before = scope.set(where)
    log.stream.write(text)
    scope.reset(before)


@given(st.lists(st.text(alphabet="ab\n")))
def test_lines_are_whole(parts: list[str]) -> None:
    """However text is cut up, its lines come out whole and in order, and the last one at the end."""
    log = Log()
    for part in parts:
        assert log.stream.write(part) == len(part)
    log.stream.finish()
    text = "".join(parts)
    lines = text.split("\n")
    assert [line for (line,) in log.lines] == (lines if lines[-1] else lines[:-1])


def test_lines_of_tasks_have_numbers() -> None:
    """Each task counts its own lines; activities do not count; loading counts by itself."""
    log, main, child = Log(), Task("0"), Task("0.0")
    for where, text in (
        (main, "a\nb"),
        (child, "c\n"),
        (Outside.ACTIVITY, "d\n"),
        (Outside.LOADING, "e\n"),
        (main, "b\n"),
    ):
        write(log, where, text)
    assert log.lines == [("a", "0", 0), ("c", "0.0", 0), ("d",), ("e", "load", 0), ("bb", "0", 1)]


def test_lines_that_the_log_has_are_left_out() -> None:
    """In replay nothing is printed twice."""
    log, main = Log(main=2), Task("0")
    write(log, main, "a\nb\nc\n")
    assert log.lines == [("c", "0", 2)]


def test_activities_and_threads_have_lines_of_their_own() -> None:
    """What an activity leaves unfinished comes out at its end, and mixes with nobody else's."""
    log, main = Log(), Task("0")
    write(log, main, "main ")
    write(log, Outside.ACTIVITY, "activity")
    thread = threading.Thread(target=lambda: log.stream.write("thread\n"))
    thread.start()
    thread.join()
    log.stream.finish_activity()
    write(log, main, "goes on\n")
    assert log.lines == [("thread",), ("activity",), ("main goes on", "0", 0)]


def test_long_lines_are_cut() -> None:
    """A line of any length reaches the log, in pieces."""
    log = Log()
    log.stream.write("x" * (LINE_LIMIT + 5) + "\n")
    assert [len(line) for (line,) in log.lines] == [LINE_LIMIT, 5]


def test_a_line_without_end_is_cut_before_it_fills_the_memory() -> None:
    """What is longer than a line may be does not wait for the line's end."""
    log = Log()
    log.stream.write("x" * (LINE_LIMIT * 2 + 5))
    assert [len(line) for (line,) in log.lines] == [LINE_LIMIT, LINE_LIMIT]


def test_a_character_may_come_in_two_pieces() -> None:
    """Bytes are decoded as a stream: where they are cut says nothing."""
    log = Log()
    for piece in (b"\xc3", b"\xa9\n"):
        log.stream.buffer.write(piece)
    assert log.lines == [("é",)]


@pytest.mark.parametrize("there", [0, 2])
def test_more_than_the_log_takes_is_dropped(there: int) -> None:
    """From some line on everything is, the same lines in each process of the session, and a warning says so."""
    log = Log(2 * (LINE_OVERHEAD_BYTES + 5), main=there)
    write(log, Task("0"), "12345\n12345\nand\nmore\n")
    assert log.lines == [("12345", "0", 0), ("12345", "0", 1)][there:]
    assert set(log.warnings) == {"The session has more than 210 bytes for its log; what comes from here on is dropped"}


def test_streams_take_text_and_bytes() -> None:
    """As sys.stdout does: text, or bytes by way of its buffer, and nothing else."""
    log = Log()
    print("a", 1, file=log.stream)
    assert log.stream.buffer.write(b"b\xff\n") == 3
    with pytest.raises(TypeError, match="must be str, not bytes"):
        log.stream.write(b"c")  # type: ignore[arg-type]
    assert log.stream.writable()
    assert [line for (line,) in log.lines] == ["a 1", "b\\xff"]
