"""`ak run` that goes well: what is shown of it, and where."""

import pytest

from ak_process import Ak

HELLO = """
def on_trigger(event):
    print("Hello,", event.data.get("name", "world"))
"""

FAMILY = """
import autokitteh

def child(event):
    print("child", event.data.n)
    return event.data.n * 2

def on_trigger(event):
    ids = [autokitteh.start("family.py:child", {"n": n}) for n in (1, 2)]
    print("sum", sum(autokitteh.next_signal(each).payload["value"] for each in ids))
"""


def test_prints_are_all_there_is_on_standard_output(ak: Ak) -> None:
    """A file of Python runs as it is, says what it prints, and leaves nothing behind."""
    ak.write(hello=HELLO)

    ended = ak("run", "hello.py")

    assert (ended.code, ended.out, ended.err) == (0, "Hello, world\n", "")
    assert ak.left_behind == []


def test_streams_are_kept_apart(ak: Ak) -> None:
    """What the code writes to standard error, logs, and is warned about goes to standard error, in order."""
    ak.write(
        talk="""
        import logging, sys

        def main(event):
            print("out")
            print("err", file=sys.stderr)
            logging.info("info %s", 1)
            logging.getLogger("mine").warning("careful")
            sys.stdout.write("no newline at the end")
            return object()
        """
    )

    ended = ak("run", "talk.py")

    assert ended.out == "out\nno newline at the end\n"
    *talk, warning = ended.err.splitlines()
    assert talk == ["err", "INFO: info 1", "WARNING: careful"]
    assert warning.startswith("Warning: ")


@pytest.mark.parametrize(
    ("event", "greeted"), [('{"name": "Ann"}', "Ann"), ("@event.json", "Eve"), ('{"name": "\\u00e4"}', "ä")]
)
def test_event_is_json_or_a_file_of_it(ak: Ak, event: str, greeted: str) -> None:
    """The event's data comes from the command line or from a file."""
    ak.write(hello=HELLO)
    (ak.folder / "event.json").write_text('{"name": "Eve"}')

    assert ak("run", "hello.py", "--event", event).out == f"Hello, {greeted}\n"


def test_archive_with_several_files(ak: Ak) -> None:
    """A txtar archive is a project: its files import one another."""
    archive = "-- main.py --\nfrom lib.names import NAME\ndef on_trigger(event):\n    print(NAME)\n"
    (ak.folder / "p.txtar").write_text(f"{archive}-- lib/__init__.py --\n-- lib/names.py --\nNAME = 'Ann'\n")

    assert ak("run", "p.txtar").out == "Ann\n"


def test_directory_with_a_manifest(ak: Ak) -> None:
    """The manifest says what runs and with which vars; those of the command line win."""
    folder = ak.folder / "project"
    folder.mkdir()
    (folder / "handlers.py").write_text("import os\ndef go(event):\n    print(os.environ['A'], os.environ['B'])\n")
    (folder / "autokitteh.yaml").write_text(
        "version: v1\nproject:\n  name: p\n  vars:\n    - {name: A, value: a}\n    - {name: B, value: b}\n"
        "  triggers:\n    - {name: t, type: webhook, call: 'handlers.py:go'}\n"
    )

    assert ak("run", "project", "--var", "B=x=y").out == "a x=y\n"


def test_environment_is_not_handed_on(ak: Ak) -> None:
    """The code sees its vars, and not what happens to be in the shell of who runs it."""
    ak.write(look="import os\ndef main(event):\n    print(os.environ.get('SECRET'), os.environ.get('AK_DEBUG'))\n")

    assert ak("run", "look.py", environ={"SECRET": "x", "AK_DEBUG": "1"}).out == "None None\n"


def test_children_are_shown_and_waited_for(ak: Ak) -> None:
    """Prints of sessions that the session starts are shown, and the command ends after the last of them."""
    ak.write(family=FAMILY)

    ended = ak("run", "family.py", "--entry", "family.py:on_trigger")

    assert ended.code == 0
    assert sorted(ended.lines) == ["child 1", "child 2", "sum 6"]


def test_failed_child_is_a_warning(ak: Ak) -> None:
    """A child's failure is told, and is not that of the session."""
    ak.write(
        family="""
        import autokitteh

        def child(event):
            raise ValueError("broken")

        def on_trigger(event):
            autokitteh.start("family.py:child")
        """
    )

    ended = ak("run", "family.py", "--entry", "family.py:on_trigger")

    assert ended.code == 0
    assert ended.err.startswith("Warning: session ses_")
    assert "started by this one, failed: ValueError: broken\n" in ended.err


def test_json_is_the_log_with_the_last_state_last(ak: Ak) -> None:
    """With -j standard output is the log, one object a line, and the children's too."""
    ak.write(family=FAMILY)

    ended = ak("run", "family.py", "--entry", "family.py:on_trigger", "-j")

    *records, last = ended.objects
    session = last["session"]
    assert {record["kind"] for record in records} == {"state", "start", "wait", "print"}
    assert {"child 1", "child 2"} <= {record.get("text") for record in records if record["session"] != session}
    assert last == {
        "t": last["t"], "kind": "state", "session": session, "state": "COMPLETED", "error": None, "result": None,
    }  # fmt: skip
    assert sum(record.get("state") == "COMPLETED" for record in records) == 2  # the children


def test_json_of_a_call(ak: Ak) -> None:
    """A call's record says what was called, where, with what, what came of it, and how long it took."""
    ak.write(
        call="""
        import autokitteh

        @autokitteh.activity
        def twice(x):
            return 2 * x

        def on_trigger(event):
            return {"is": twice(21)}
        """
    )

    objects = ak("run", "call.py", "--entry", "call.py:on_trigger", "-j").objects

    call = next(record for record in objects if record["kind"] == "call")
    assert call.pop("t").endswith("Z")
    assert call.pop("seconds") >= 0
    assert call.pop("session") == objects[-1]["session"]
    assert call == {
        "kind": "call", "task": "0", "name": "call.twice", "site": "call.py:8:on_trigger", "args": "21",
        "result": "42", "attempt": 1, "replayed": False,
    }  # fmt: skip
    assert objects[-1]["result"] == {"is": 42}


def test_failed_attempts_are_records_of_their_own(ak: Ak) -> None:
    """Each attempt that failed is shown with its error, then the one that did not."""
    ak.write(
        call="""
        import autokitteh

        tries = []

        @autokitteh.activity(retries=2, retry_delay=0)
        def flaky():
            tries.append(1)
            if len(tries) < 3:
                raise OSError(f"try {len(tries)}")

        def on_trigger(event):
            flaky()
        """
    )

    objects = ak("run", "call.py", "--entry", "call.py:on_trigger", "-j").objects

    calls = [(each["attempt"], each.get("error")) for each in objects if each["kind"] == "call"]
    assert calls == [(1, "OSError: try 1"), (2, "OSError: try 2"), (3, None)]


def test_no_durable_records_nothing_but_the_log(ak: Ak) -> None:
    """With --no-durable calls are made as they are, and leave no records."""
    ak.write(hello="import time\ndef main(event):\n    print(time.time() > 0)\n    time.sleep(0.01)\n")

    objects = ak("run", "hello.py", "--no-durable", "-j").objects

    assert [record["kind"] for record in objects] == ["state", "print", "state"]


def test_output_has_no_colours_when_piped(ak: Ak) -> None:
    """Escape sequences are for terminals."""
    ak.write(bad="def main(event):\n    raise ValueError('x')\n")
    (ak.folder / "data").mkdir()

    texts = [ak("run", "bad.py", "--data-dir", "data").err]
    texts += [ak("session", name, "--data-dir", "data").out for name in ("list", "get", "log", "prints")]

    assert all("\x1b" not in text for text in texts)


def test_prints_are_shown_at_once(ak: Ak) -> None:
    """A line can be read while the session that printed it still waits."""
    ak.write(wait="import time\ndef main(event):\n    print('ready')\n    time.sleep(1000)\n")
    process = ak.start("run", "wait.py")
    assert process.stdout is not None

    line = process.stdout.readline()

    process.terminate()
    assert line == "ready\n"
    assert process.wait() == 143


def test_closed_pipe_is_quiet(ak: Ak) -> None:
    """`ak run ... | head -1` ends the run without a word."""
    ak.write(many="import time\ndef main(event):\n    while True:\n        print('more')\n        time.sleep(0.001)\n")
    process = ak.start("run", "many.py")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()

    process.stdout.close()

    assert process.wait() == 141
    assert process.stderr.read() == ""
    assert ak.left_behind == []
