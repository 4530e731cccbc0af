"""Runs that are cut off, and taken up again by the same command."""

import signal
import subprocess

import pytest

from ak_process import Ak, finish

COUNT = """
import os
import autokitteh

@autokitteh.activity
def step(n):
    with open(os.environ["DONE"], "a") as done:
        done.write(f"{n}\\n")
    return n

def on_trigger(event):
    for n in range(3):
        print("count", step(n))
"""

WAIT = """
import autokitteh

def on_trigger(event):
    print("waiting")
    autokitteh.next_signal("never")
"""


def count(ak: Ak) -> list[str]:
    """A command that counts, and keeps its session."""
    ak.write(count=COUNT)
    entry = ("--entry", "count.py:on_trigger")
    return ["run", "count.py", *entry, "--data-dir", "data", "--var", f"DONE={ak.folder / 'done'}"]


def begin_waiting(ak: Ak, *options: str) -> "subprocess.Popen[str]":
    """A run that has printed a line, and waits for ever."""
    ak.write(wait=WAIT)
    process = ak.start("run", "wait.py", *options)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return process


@pytest.mark.parametrize("crash", ["session.created", "turn.claimed", "turn.before_commit:2", "turn.after_commit:2"])
def test_killed_run_goes_on_with_the_same_command(ak: Ak, crash: str) -> None:
    """Both runs together do each step once, and show each line at most once, the second one the rest."""
    command = count(ak)

    first = ak(*command, environ={"AK_CRASH_AT": crash})
    second = ak(*command)

    assert first.code == -signal.SIGKILL
    assert second.code == 0
    assert second.err.startswith("Resuming session ses_")
    shown = first.lines + second.lines
    assert shown == [f"count {n}" for n in range(3)][-len(shown) :]
    assert second.lines[-1] == "count 2"
    steps = (ak.folder / "done").read_text().split()
    assert list(dict.fromkeys(steps)) == ["0", "1", "2"]
    assert len(steps) <= 4  # the one in flight may be repeated


def test_resumed_json_is_the_whole_log(ak: Ak) -> None:
    """With -j a resumed run tells all that happened, and which calls were not made again."""
    command = count(ak)
    ak(*command, environ={"AK_CRASH_AT": "turn.after_ack:2"})

    objects = ak(*command, "-j").objects

    calls = [(each["args"], each["replayed"]) for each in objects if each["kind"] == "call" and "result" in each]
    assert [args for args, _ in calls] == ["0", "1", "2"]
    assert calls[0] == ("0", True)
    assert calls[-1] == ("2", False)
    assert any(each.get("text", "").startswith("resumed, ") for each in objects)
    assert objects[-1]["state"] == "COMPLETED"


def test_same_command_after_the_end_is_a_new_session(ak: Ak) -> None:
    """Only what is not over is taken up."""
    command = count(ak)

    runs = [ak(*command), ak(*command)]

    assert [run.lines for run in runs] == [[f"count {n}" for n in range(3)]] * 2
    assert len(ak("session", "list", "-j", "--data-dir", "data").objects) == 2


def test_other_unfinished_sessions_run_along(ak: Ak) -> None:
    """Another session of the folder goes on meanwhile, which is told; the command does not wait for it."""
    process = begin_waiting(ak, "--data-dir", "data")
    process.kill()
    finish(process)

    ended = ak(*count(ak))

    assert ended.code == 0
    assert ended.err == "Running along: 1 other session of this folder, not over yet\n"
    assert len(ended.lines) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_throw_away_is_stopped(ak: Ak, number: signal.Signals) -> None:
    """Ctrl-C ends the session and the command, and nothing is left."""
    process = begin_waiting(ak)

    process.send_signal(number)

    ended = finish(process)
    assert (ended.code, ended.err) == (128 + number, "Error: interrupted; the session is STOPPED\n")
    assert ak.left_behind == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_session_is_kept(ak: Ak, number: signal.Signals) -> None:
    """With --data-dir Ctrl-C leaves the session as it is, and says how to go on; which works."""
    process = begin_waiting(ak, "--data-dir", "data")

    process.send_signal(number)
    ended = finish(process)

    assert ended.code == 128 + number
    assert "is kept: with the same command it goes on where it was" in ended.err
    again = ak("run", "wait.py", "--data-dir", "data", "--timeout", "0.5")
    assert again.out == ""
    assert again.err.startswith("Resuming session ses_")
    assert ak("session", "list", "--data-dir", "data", "-j").objects[0]["state"] == "STOPPED"


def test_folder_in_use_is_refused(ak: Ak) -> None:
    """Two commands cannot run the sessions of one folder at once."""
    process = begin_waiting(ak, "--data-dir", "data")

    ended = ak("run", "wait.py", "--data-dir", "data")

    process.terminate()
    finish(process)
    assert ended.code == 42
    assert "is in use by another process" in ended.err
