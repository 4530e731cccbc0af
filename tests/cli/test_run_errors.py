"""`ak run` that goes wrong: each message says what, where, and what to do; the exit code says whose fault it is."""

import pytest

from ak_process import Ak
from autokitteh_server.cli.main import main

FINE = "def main(event):\n    print('fine')\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "nope.py"], 44, "nope.py: no such file or directory"),
        (["run", "notes.txt"], 40, "notes.txt: this is not a project"),
        (["run", "fine.py", "--entry", "fine.py:mian"], 40, "fine.py defines no mian at its top level"),
        (["run", "fine.py", "--entry", "fine.py:mian"], 40, "Did you mean main?"),
        (["run", "fine.py", "--entry", "other.py:main"], 40, "there is no file other.py in the project"),
        (["run", "fine.py", "--entry", "main"], 40, "'main' is not an entry point"),
        (["run", "two.py"], 40, "it is not clear which function to start with"),
        (["run", "syntax.py"], 40, "syntax.py:2:9: invalid syntax"),
        (["run", "fine.py", "--event", '{"a" 1}'], 40, "--event is not JSON: line 1, column 6"),
        (["run", "fine.py", "--event", "@bad.json"], 40, "--event: bad.json is not JSON: line 2, column 3"),
        (["run", "fine.py", "--event", "NaN"], 40, "NaN is no JSON value"),
        (["run", "fine.py", "--event", "[" * 100_000], 40, "it is nested too deep"),
        (["run", "fine.py", "--event", "@nope.json"], 44, "--event @nope.json: no such file"),
        (["run", "fine.py", "--var", "1A=x"], 40, "'1A' cannot be the name of a variable"),
        (["run", "fine.py", "--var", "A"], 40, "there is no `=` in it"),
        (["run", "fine.py", "--var", "A=1", "--var", "A=2"], 40, "--var A is given twice"),
        (["run", "fine.py", "--timeout", "0"], 2, "is not a number of seconds above 0"),
        (["run", "fine.py", "--timeout", "nan"], 2, "is not a number of seconds above 0"),
        (["run", "fine.py", "--data-dir", "fine.py"], 2, "is a file"),
        (["run"], 2, "Missing argument 'TARGET'"),
        (["run", "fine.py", "--evnt", "1"], 2, "No such option '--evnt'"),
        (["rnu"], 2, "There is no command 'rnu'. Did you mean run?"),
        (["session", "lgo"], 2, "There is no command 'lgo'. Did you mean log?"),
    ],
)
def test_bad_use_is_explained(
    ak: Ak,
    arguments: list[str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is run, nothing is on standard output, and the message begins with `Error: `.

    In this process, for there are many cases, and half a second of imports in each.
    """
    monkeypatch.chdir(ak.folder)
    ak.write(fine=FINE, two="def a(event): pass\ndef b(event): pass\n", syntax="def main(event):\n    x = = 1\n")
    (ak.folder / "bad.json").write_text("[\n  oops\n]")
    (ak.folder / "notes.txt").write_text("")

    ended_with = main(arguments)

    out, err = capsys.readouterr()
    assert (ended_with, out) == (code, "")
    assert err.startswith("Error: ")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("setting", ["AK_CRASH_AT=nowhere", "AK_MAX_RUNNERS=many", "AK_MAX_RUNNERS=0"])
def test_bad_settings_are_named(ak: Ak, setting: str) -> None:
    """A variable of the environment that cannot be used is named with its value."""
    ak.write(fine=FINE)
    name, _, value = setting.partition("=")

    ended = ak("run", "fine.py", environ={name: value})

    assert ended.code == 40
    assert ended.err.startswith(f"Error: {setting}: ")


@pytest.mark.parametrize(
    ("code", "summary", "where"),
    [
        ("import time\n\ndef main(event):\n    time.sleep(-1)\n", "ValueError: sleep length must be non-negative", 4),
        ("def main(event):\n    return event.data.missing\n", "AttributeError: ", 2),
        ("def main(event):\n\n\n    raise LookupError('gone')\n", "LookupError: gone", 4),
        ("def main(event):\n    raise ValueError('two\\nlines')\n", "ValueError: two\nlines\nTraceback", 2),
        ("def main(event):\n    import sys; sys.exit('no')\n", "SystemExit: the code called sys.exit('no')", None),
    ],
)
def test_error_of_the_code_is_shown_with_its_line(ak: Ak, code: str, summary: str, where: int | None) -> None:
    """First what went wrong, then the traceback: the user's lines only, with paths as in the project."""
    ak.write(broken=code)

    ended = ak("run", "broken.py")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"Error: {summary}")
    assert "autokitteh_runner" not in ended.err
    assert str(ak.folder) not in ended.err
    if where is not None:
        assert f'  File "broken.py", line {where}, in ' in ended.err


def test_unpicklable_result_names_the_part_that_is(ak: Ak) -> None:
    """An activity whose result cannot be recorded fails at once, and says which part of it is to blame."""
    ak.write(
        lock="""
        import threading
        import autokitteh

        @autokitteh.activity
        def make():
            return {"a": [threading.Lock()]}

        def on_trigger(event):
            make()
        """
    )

    ended = ak("run", "lock.py", "--entry", "lock.py:on_trigger")

    assert ended.code == 1
    assert "UnpicklableResultError: lock.make returned a dict, which can't be recorded: ['a'][0]" in ended.err
    assert '  File "lock.py", line 9, in on_trigger' in ended.err


def test_error_in_json(ak: Ak) -> None:
    """The last state has the whole error, which is on standard error as well."""
    ak.write(broken="def main(event):\n    raise LookupError('gone')\n")

    ended = ak("run", "broken.py", "-j")

    last = ended.objects[-1]
    assert (ended.code, last["state"], last["result"]) == (1, "ERROR", None)
    assert last["error"].endswith("LookupError: gone")
    assert ended.err.startswith("Error: LookupError: gone\nTraceback")


def test_time_out_stops_the_session(ak: Ak) -> None:
    """What is not over in time is stopped, with all that it started."""
    ak.write(
        slow="""
        import time
        import autokitteh

        def child(event):
            time.sleep(1000)

        def main(event):
            autokitteh.start("slow.py:child")
            print("begun")
            time.sleep(1000)
        """
    )

    ended = ak("run", "slow.py", "--entry", "slow.py:main", "--timeout", "2", "-j")

    assert ended.code == 1
    assert ended.err == "Error: timed out after 2 s: the session was stopped\n"
    assert [each["state"] for each in ended.objects if each["kind"] == "state"][-2:] == ["STOPPED", "STOPPED"]


def test_internal_errors_are_ours(ak: Ak) -> None:
    """A mistake of the program's own says so and how to report it; the traceback is for those who ask."""
    ak.write(fine=FINE)
    (ak.folder / "data").mkdir()
    (ak.folder / "data" / "hash-seed").write_text("no number")

    ended = ak("run", "fine.py", "--data-dir", "data")
    traced = ak("run", "fine.py", "--data-dir", "data", environ={"AK_DEBUG": "1"})

    assert (ended.code, traced.code) == (1, 1)
    assert ended.err.startswith("Error: internal: ValueError: ")
    assert "report" in ended.err and "Traceback" not in ended.err
    assert "Traceback" in traced.err


def test_an_import_that_nothing_provides_is_told_before_the_code_runs(ak: Ak) -> None:
    """At the top of a file nothing is run at all; in a function it is a warning, for the function may not be called."""
    ak.write(top="import nothing_like_it\n\ndef main(event):\n    pass\n")
    ak.write(late="def main(event):\n    import nothing_like_it\n")

    top, late = ak("run", "top.py"), ak("run", "late.py")

    assert top.code == 40
    assert top.err.startswith("Error: top.py:1:1: there is no module nothing_like_it. Name the package")
    assert late.code == 1
    assert late.err.startswith("Warning: late.py:2:1: there is no module nothing_like_it. Name the package")
    assert "\nError: ModuleNotFoundError: No module named 'nothing_like_it'\n" in late.err
