"""What people see of logs and errors: pure functions."""

import pytest

from autokitteh_server.cli.failure_text import describe_failure
from autokitteh_server.cli.log_text import render_log, render_print
from autokitteh_server.cli.moments import format_seconds
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import visible
from autokitteh_server.operations.session_log import LogEntry, line_of

CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 1, in f
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in g
    raise ValueError
ValueError: two
lines"""


def test_failure_begins_with_what_went_wrong() -> None:
    """The last exception's text comes first, with all its lines; the tracebacks follow as they were."""
    lines = describe_failure(CHAINED).splitlines()

    assert lines[:3] == ["ValueError: two", "lines", "Traceback (most recent call last):"]
    assert lines[-1] == "    raise ValueError"


def test_a_log_tells_a_failure_in_the_line_that_says_what_it_is() -> None:
    """That is not always the last one: a message may go on below."""
    entry = LogEntry(seq=1, at=0, kind="state", task="0", name="ERROR", error=CHAINED)

    (line,) = render_log([line_of(entry, "ses_1")])

    assert line.endswith("ERROR  ValueError: two")


def test_control_characters_are_shown_and_not_obeyed() -> None:
    """What a stranger has sent must not clear the screen of whoever reads the log, nor forge its lines."""
    entry = LogEntry(seq=1, at=0, kind="print", task="0", name="stdout", text="a\x1b[2Jb\x9bc\rd\té\U0001f600")
    line = line_of(entry, "ses_1")

    assert render_log([line])[0].endswith(r"a\x1b[2Jb\x9bc\x0dd" + "\té\U0001f600")
    assert render_print(line, timestamps=True) == f"{render_log([line])[0][:23]}  {visible(entry.text)}"
    assert render_print(line, timestamps=False) == entry.text
    assert render_table(["NAME"], [["\x1b[2J"]])[1] == r"\x1b[2J"
    assert render_fields({"name": "\x07"}) == [r"name  \x07"]


@pytest.mark.parametrize("error", ["stopped", "SystemExit: the code called sys.exit(1)", ""])
def test_failure_without_a_traceback_is_as_it_is(error: str) -> None:
    """There is nothing to put in front."""
    assert describe_failure(error) == error


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00012, "0.12 ms"), (0.5, "500 ms"), (1.234, "1.23 s"), (60, "1 min"), (125, "2 min 5 s"),
        (3600, "1 h"), (12_000, "3 h 20 min"), (86_400, "1 d"), (360_000, "4 d 4 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    """Two units at most."""
    assert format_seconds(seconds) == text


def test_long_arguments_are_cut() -> None:
    """An entry is one line, of a length that can be read."""
    entry = LogEntry(
        seq=1, at=0, kind="call", task="0", name="m.f", args="x" * 500, text="y\ny", site="a.py:1:f", seconds=0.0
    )

    (line,) = render_log([line_of(entry, "ses_1")])

    assert len(line) < 200 and "y y" in line and line.endswith("(a.py:1)")
