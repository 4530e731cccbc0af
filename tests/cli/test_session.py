"""`ak session`: what it shows of a folder's sessions, also of those under way."""

import re

import pytest

from ak_process import Ak, finish

PROGRAM = """
import time
import autokitteh

@autokitteh.activity
def fail():
    raise OSError("no disk")

def child(event):
    print("child")

def on_trigger(event):
    print("one")
    print("two words")
    time.sleep(0.05)
    autokitteh.start("program.py:child")
    fail()
"""


@pytest.fixture
def ran(ak: Ak) -> Ak:
    """A folder with a session that failed, and its child."""
    ak.write(program=PROGRAM)
    ak("run", "program.py", "--entry", "program.py:on_trigger", "--data-dir", "data", "--var", "TOKEN=secret")
    return ak


def test_log_for_programs(ran: Ak) -> None:
    """Records in order, the times growing, the last one the session's state with its error."""
    objects = ran("session", "log", "-j", "--data-dir", "data").objects

    assert [each["kind"] for each in objects] == ["state", "print", "print", "wait", "start", "call", "state"]
    assert [each["t"] for each in objects] == sorted(each["t"] for each in objects)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", each["t"]) for each in objects)
    wait, call, last = objects[3], objects[5], objects[6]
    assert wait["seconds"] >= 0.05 and wait["deadline"]
    assert call["error"] == "OSError: no disk" and "result" not in call
    assert last["state"] == "ERROR" and last["error"].endswith("OSError: no disk")


def test_log_for_people(ran: Ak) -> None:
    """A line for each record: when, what kind, what, and where."""
    lines = ran("session", "log", "last", "--data-dir", "data").lines

    assert [line.split()[2] for line in lines] == ["state", "print", "print", "wait", "start", "call", "state"]
    assert re.search(r"time\.sleep\(0\.05\)  \(program\.py:14, \d+.* ms\)$", lines[3])
    assert "program.fail() raised OSError: no disk  (program.py:16" in lines[5]
    assert lines[6].endswith("ERROR  OSError: no disk")


def test_prints_bare_and_with_times(ran: Ak) -> None:
    """The text as it was printed, or with a time in front."""
    bare = ran("session", "prints", "last", "--no-timestamps", "--data-dir", "data")
    timed = ran("session", "prints", "last", "--data-dir", "data")

    assert bare.out == "one\ntwo words\n"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  .*", line) for line in timed.lines)


def test_list_and_get(ran: Ak) -> None:
    """The list has the newest first; a session is shown with its family, its vars' names, and no secrets."""
    child, parent = ran("session", "list", "-j", "--data-dir", "data").objects
    shown = ran("session", "get", parent["id"], "--data-dir", "data")
    got = ran("session", "get", parent["id"], "-j", "--data-dir", "data").objects[0]

    assert (parent["state"], child["state"]) == ("ERROR", "COMPLETED")
    assert child["parent_id"] == parent["id"] and got["children"] == [child["id"]]
    assert got["vars"] == ["TOKEN"]
    assert "OSError: no disk" in shown.out and child["id"] in shown.out and "secret" not in shown.out
    assert [line.split()[0] for line in ran("session", "list", "--data-dir", "data").lines] == [
        "ID", child["id"], parent["id"],
    ]  # fmt: skip


def test_session_by_the_beginning_of_its_id(ran: Ak) -> None:
    """As much of the id as tells it from the others is enough, with or without its prefix."""
    child, parent = (each["id"] for each in ran("session", "list", "-j", "--data-dir", "data").objects)
    length = next(at for at in range(len(child)) if child[at] != parent[at]) + 1

    by_beginning = ran("session", "get", parent[:length], "-j", "--data-dir", "data").objects[0]
    without_prefix = ran("session", "get", parent.removeprefix("ses_"), "-j", "--data-dir", "data").objects[0]
    ambiguous = ran("session", "get", "ses_", "--data-dir", "data")

    assert by_beginning["id"] == without_prefix["id"] == parent
    assert ambiguous.code == 40
    assert child in ambiguous.err and parent in ambiguous.err


def test_folder_may_come_from_the_environment(ran: Ak) -> None:
    """AK_DATA_DIR is the folder where none is given."""
    assert len(ran("session", "list", "-j", environ={"AK_DATA_DIR": "data"}).objects) == 2


@pytest.mark.parametrize("arguments", [["get", "ses_7"], ["log", "nope"]])
def test_unknown_session(ran: Ak, arguments: list[str]) -> None:
    """What is not there is named, and how to see what is."""
    ended = ran("session", *arguments, "--data-dir", "data")

    assert ended.code == 44
    assert ended.err.startswith(f"Error: there is no session {arguments[1]}\n")
    assert "ak session list" in ended.err


def test_folder_without_sessions(ak: Ak) -> None:
    """Looking at a folder that does not exist says so, and does not make it."""
    ended = ak("session", "list", "--data-dir", "nowhere")

    assert ended.code == 44
    assert "there are no sessions here" in ended.err
    assert not (ak.folder / "nowhere").exists()


def test_log_while_the_session_runs(ak: Ak) -> None:
    """Another process may look at any time: what is under way is shown as such."""
    ak.write(wait="import time\ndef main(event):\n    print('begun')\n    time.sleep(1000)\n")
    process = ak.start("run", "wait.py", "--data-dir", "data")
    assert process.stdout is not None
    process.stdout.readline()

    objects = ak("session", "log", "-j", "--data-dir", "data").objects
    listed = ak("session", "list", "-j", "--data-dir", "data").objects

    process.kill()
    finish(process)
    assert [each["kind"] for each in objects][:2] == ["state", "print"]
    assert all(each["running"] and each["deadline"] for each in objects[2:])
    assert listed[0]["state"] == "RUNNING"
