"""Sessions that end by no return: deaths of the process, endless code, what replay cannot follow."""

import signal
from pathlib import Path

import pytest

from autokitteh_runner.protocol import Limits
from harness import Bench, Result, run
from sessions.killing import kill_runners

SEGFAULT = """
import ctypes
from autokitteh import activity

@activity
def crash():
    print("trying")
    ctypes.string_at(0)

def on_trigger(event):
    print("before")
    crash()
"""

EXIT = """
import os

def on_trigger(event):
    print("before")
    os._exit(3)
"""


@pytest.mark.parametrize(
    ("program", "how", "what"),
    [
        (SEGFAULT, "was killed by SIGSEGV", "during program.crash at program.py:12:on_trigger"),
        (EXIT, "exited with status 3", "during os._exit at program.py:6:on_trigger"),
    ],
)
def test_a_process_that_dies_is_tried_three_times(durable: Bench, program: str, how: str, what: str) -> None:
    """A segmentation fault, or an exit past Python, fails the session after three attempts, and names the activity."""
    result = durable.wait(durable.submit(program).id)
    assert result.state == "ERROR"
    assert how in result.error
    assert what in result.error
    assert "3 times in a row" in result.error
    assert [record.attempt for record in result.calls("start")] == [1, 2, 3]
    assert result.prints[0] == "before"
    assert "before" not in result.prints[1:]


def test_a_process_that_dies_while_nothing_is_under_way(durable: Bench) -> None:
    """Where workflow code itself kills the process, the error says that it was workflow code."""
    program = (
        "import autokitteh, os\ndef end(key):\n    os._exit(4)\n\ndef on_trigger(event):\n    sorted([1], key=end)\n"
    )
    registered = "import autokitteh, os\nautokitteh.register_no_activity([os._exit])\n" + program.partition("\n")[2]
    result = durable.wait(durable.submit(registered).id)
    assert result.state == "ERROR"
    assert "exited with status 4 in workflow code" in result.error


ENDLESS = """
def spin():
    n = 0
    while True:
        n += 1

def on_trigger(event):
    print("before")
    try:
        spin()
    except BaseException:
        print("never")
"""


def test_workflow_code_that_does_not_come_back(tmp_path: Path) -> None:
    """An endless loop is warned about, and then ends the session with an error that names its line and the remedy."""
    limits = Limits(warn_after_s=0.2, fail_after_s=0.8)
    result = run(tmp_path, ENDLESS, limits=limits)
    assert result.state == "ERROR"
    assert result.error.startswith("WorkflowTimeoutError: workflow code has been running for 1 s")
    assert "program.py, line 5, in spin" in result.error or "program.py, line 4, in spin" in result.error
    assert "@autokitteh.activity" in result.error
    [warning] = result.warnings
    assert "in spin" in warning
    assert result.prints == ["before"]


PATIENT = """
import time
from autokitteh import activity, add_values

@activity
def work():
    time.sleep(0.5)

def on_trigger(event):
    work()
    time.sleep(0.5)
    add_values("n", 1)
    return "done"
"""


def test_waiting_is_not_held_against_workflow_code(tmp_path: Path) -> None:
    """Activities and sleeps may take longer than workflow code may."""
    result = run(tmp_path, PATIENT, limits=Limits(warn_after_s=0.3, fail_after_s=0.4))
    assert (result.state, result.session.result, result.warnings) == ("COMPLETED", "done", [])


LARGE = """
from autokitteh import activity
from autokitteh.errors import ResultTooLargeError

@activity
def load(size):
    return b"x" * size

def on_trigger(event):
    print(len(load(500)))
    try:
        load(2000)
    except ResultTooLargeError as err:
        print(err)
    return "done"
"""


def test_a_result_beyond_the_limit_can_be_caught(tmp_path: Path) -> None:
    """A result larger than the configured limit is an error in the code, with both sizes and what to do."""
    result = run(tmp_path, LARGE, limits=Limits(result_bytes=1000), effects_per_turn=1)
    assert result.prints[0] == "500"
    assert result.prints[1].startswith("The result of program.load has 2,0")
    assert "the limit is 1,000" in result.prints[1]
    assert result.session.result == "done"


#: What a module reads while it is loaded is not recorded: here, how often it has been loaded.
LOADS = """
import os, pathlib
from time import sleep
from autokitteh import activity

COUNTER = pathlib.Path(os.environ["COUNTER"])
LOADS = len(COUNTER.read_text()) if COUNTER.exists() else 0
COUNTER.write_text("x" * (LOADS + 1))

@activity
def one(value):
    return value

@activity
def two(value):
    return value
"""


def runs_twice(folder: Path, handler: str) -> Result:
    """Run a program that does what its `LOADS` says, with another process for each effect."""
    return run(folder, LOADS + handler, vars={"COUNTER": str(folder / "counter")}, effects_per_turn=1)


@pytest.mark.parametrize(
    ("handler", "then", "now"),
    [
        (
            "def on_trigger(event):\n    if LOADS:\n        two(1)\n    else:\n        one(1)\n    sleep(0.001)\n",
            ("0", "program.one", 5, "on_trigger"),
            ("program.two", 3),
        ),
        (
            "def on_trigger(event):\n    if not LOADS:\n        one(1)\n    sleep(0.001)\n    one(2)\n",
            ("0", "program.one", 3, "on_trigger"),
            ("time.sleep", 4),
        ),
        (
            "def on_trigger(event):\n    if not LOADS:\n        one(1)\n    return 5\n",
            ("0", "program.one", 3, "on_trigger"),
            None,
        ),
        (
            "def on_trigger(event):\n    try:\n        two(1) if LOADS else one(1)\n"
            "    except BaseException:\n        print('never')\n    one(3)\n",
            ("0", "program.one", 3, "on_trigger"),
            ("program.two", 3),
        ),
        (
            "import asyncio\nasync def work():\n    await asyncio.sleep(0.001)\n"
            "async def on_trigger(event):\n    await asyncio.gather(*(work() for _ in range(0 if LOADS else 2)))\n"
            "    one(1)\n",
            ("0.0", "asyncio.sleep", 3, "work"),
            None,
        ),
    ],
    ids=["branch", "missing step", "early end", "caught", "missing tasks"],
)
def test_replay_that_takes_another_way(
    tmp_path: Path, handler: str, then: tuple[str, str, int, str], now: tuple[str, int] | None
) -> None:
    """Code that branches on what is not recorded ends with an error that names what was done then and now, and why."""
    result = runs_twice(tmp_path, handler)
    assert result.state == "ERROR"
    assert result.error.startswith("NonDeterminismError: The code took another way than when it ran first")
    task, name, line, function = then
    above = LOADS.count("\n")
    assert f"step 0 of task {task} was {name} at program.py, line {above + line}, in {function}; now " in result.error
    if now is None:
        assert "now the code does not come to it" in result.error
    else:
        assert f"now it is {now[0]} at program.py, line {above + now[1]}, in on_trigger" in result.error
    assert "Usual causes" in result.error
    assert "never" not in result.prints


def test_other_arguments_in_replay_are_a_warning(tmp_path: Path) -> None:
    """An activity that is replayed with another argument than it had is warned about, and its result is the old one."""
    result = runs_twice(
        tmp_path, "def on_trigger(event):\n    print(one(LOADS))\n    sleep(0.001)\n    return one(5)\n"
    )
    assert (result.state, result.prints) == ("COMPLETED", ["0"])
    [warning] = result.warnings
    assert warning.startswith("program.one is replayed with other arguments than it had: 1")


INTERRUPTED = """
import os, pathlib, signal
from autokitteh import activity
from autokitteh.errors import ActivityInterruptedError

MARK = pathlib.Path(os.environ["COUNTER"])

def die_once():
    with MARK.open("a") as file:
        file.write("x")
    if MARK.stat().st_size == 1:
        os.kill(os.getpid(), signal.SIGKILL)

@activity
def again():
    die_once()
    return "again"

@activity(on_unknown="fail")
def not_again():
    die_once()
    return "not again"

@activity(retries=1, retry_delay=0)
def fill(rows):
    rows.append("row")
    if len(rows) == 1 and not MARK.exists():
        raise ValueError("the first attempt")
    die_once()

def on_trigger(event):
    print(again())

def with_rows(event):
    rows = []
    fill(rows)
    print(rows)

def guarded(event):
    try:
        print(not_again())
    except ActivityInterruptedError as err:
        print("caught:", err)
    print(not_again())
"""


def interrupted(folder: Path, entry: str) -> Result:
    """Run the program in which an activity kills its process once."""
    return run(folder, INTERRUPTED, f"program.py:{entry}", vars={"COUNTER": str(folder / "mark")})


def test_an_interrupted_activity_is_repeated_and_marked_so(tmp_path: Path) -> None:
    """The activity in flight at a crash is made once more, as its second attempt."""
    result = interrupted(tmp_path, "on_trigger")
    assert (result.state, result.prints) == ("COMPLETED", ["again"])
    assert [record.attempt for record in result.calls("start")] == [1, 2]
    assert [record.attempt for record in result.calls()] == [2]
    assert (tmp_path / "mark").read_text() == "xx"


def test_an_interrupted_activity_that_must_not_be_repeated(tmp_path: Path) -> None:
    """With on_unknown="fail" it is not made again: the code is told, with a remedy, and can go on."""
    result = interrupted(tmp_path, "guarded")
    assert result.state == "COMPLETED", result.error
    assert result.prints[0].startswith("caught: program.not_again was under way when the session's process was lost")
    assert result.prints[1] == "not again"
    assert (tmp_path / "mark").read_text() == "xx"


def test_what_a_failed_attempt_changed_is_lost_with_the_process(tmp_path: Path) -> None:
    """After a crash an attempt gets its arguments as they were before the first one, not as a failed one left them."""
    result = interrupted(tmp_path, "with_rows")
    assert (result.state, result.prints) == ("COMPLETED", ["['row']"])
    assert [record.attempt for record in result.calls("failed")] == [1]
    assert [record.attempt for record in result.calls("start")] == [1, 2, 3]


def test_a_session_that_is_not_durable_begins_anew(tmp_path: Path) -> None:
    """After a loss of its process it starts from the top, so that what it printed is printed again."""
    program = INTERRUPTED.replace("print(again())", 'print("top")\n    print(again())')
    result = run(tmp_path, program, vars={"COUNTER": str(tmp_path / "mark")}, durable=False)
    assert (result.state, result.prints) == ("COMPLETED", ["top", "top", "again"])


def test_a_session_that_is_not_durable_begins_anew_three_times_at_most(durable: Bench) -> None:
    """One that kills its process each time fails in the end."""
    result = durable.wait(durable.submit(EXIT, durable=False).id)
    assert result.state == "ERROR"
    assert "exited with status 3" in result.error
    assert result.prints == ["before"] * 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("next_signal('x')", "DurableOnlyError"),
        ("next_signal('x', timeout=0)", "DurableOnlyError"),
    ],
)
def test_what_needs_durability_says_so(durable: Bench, code: str, error: str) -> None:
    """Functions that need a durable session raise an error elsewhere, with the remedy."""
    program = f"from autokitteh import *\nfrom autokitteh import next_signal\ndef on_trigger(event):\n    {code}\n"
    result = durable.wait(durable.submit(program, durable=False).id)
    assert result.state == "ERROR"
    assert error in result.error
    assert "--durable" in result.error


def test_waiting_in_an_activity_is_refused(durable: Bench) -> None:
    """next_signal in an activity raises an error that says where it belongs."""
    program = (
        "from autokitteh import activity, next_signal\n@activity\ndef wait():\n    next_signal('x')\n"
        "def on_trigger(event):\n    wait()\n"
    )
    result = durable.wait(durable.submit(program).id)
    assert "NotInActivityError" in result.error
    assert "Call it in the function that calls the activity" in result.error


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_waiting_process_that_is_killed_is_not_missed(tmp_path: Path, sig: int) -> None:
    """A session goes on although the process that was kept for it has gone."""
    program = (
        "from autokitteh import next_signal\ndef on_trigger(event):\n    print('waits')\n"
        "    print(next_signal('go', timeout=0.5))\n"
    )
    with Bench(tmp_path) as bench:
        session = bench.submit(program)
        bench.wait_until(session.id, lambda result: result.session.waits is not None)
        kill_runners(sig)
        result = bench.wait(session.id)
    assert result.prints == ["waits", "None"]
