"""What code gets from an activity the first time is what it gets in replay."""

import functools
import pickle
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh.errors import NonDeterminismError, ResultTooLargeError, UnpicklableResultError
from autokitteh_runner.mutation import Snapshot
from autokitteh_runner.outcome import Outcome, answered, arguments_of, raised, replayed, succeeded
from autokitteh_runner.protocol import dump_json

sys.path.insert(0, str(Path(__file__).parent))  # pickle must find the classes by name

from object_graphs import build, change, difference, reachable, something
from raised import BadPickle, Custom, Unpicklable, local_class


def run(fn: Any, *args: Any, limit: int = 0, **kwargs: Any) -> Outcome:
    """Call a function as the first run of an activity does."""
    arguments = arguments_of(fn, args, kwargs)
    snapshot = Snapshot(arguments)
    try:
        result = fn(*args, **kwargs)
    except Exception as err:
        return raised(err, "f", snapshot)
    return succeeded(result, "f", arguments, snapshot, limit)


def again(outcome: Outcome, fn: Any, *args: Any, **kwargs: Any) -> Any:
    """What replay makes of what was recorded, without calling anything."""
    return replayed(outcome.codec, outcome.payload, "f", fn, args, kwargs)


def caught(action: Callable[[], Any]) -> BaseException:
    """What an action raises."""
    with pytest.raises(BaseException) as info:
        action()
    return info.value


@given(st.integers(0, 2**32), st.integers(1, 8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_replay_is_the_same(seed: int, size: int, fails: bool) -> None:
    """Result or exception, arguments, and which objects they share with one another: all as in the first run."""
    graphs = [build(random.Random(seed), size) for _ in range(2)]
    chosen = random.Random(seed).randrange(size)

    def activity(argument: Any) -> Any:
        rng = random.Random(seed)
        known = reachable([argument])
        change(rng, known, 4)
        if fails:
            raise Custom(3, hint="h")
        return something(rng, known + reachable([argument]))

    outcome = run(activity, graphs[0][chosen])
    if fails:
        error = caught(lambda: again(outcome, activity, graphs[1][chosen]))
        assert outcome.error is not None
        assert repr(vars(error)) == repr(vars(outcome.error))
        assert difference(graphs[0], graphs[1]) == ""
    else:
        result = again(outcome, activity, graphs[1][chosen])
        assert outcome.error is None
        assert difference([graphs[0], outcome.get()], [graphs[1], result]) == ""


class Query:
    """A fluent API."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.lock: Any = None

    def where(self, part: str) -> "Query":
        self.parts.append(part)
        return self

    def __call__(self, part: str) -> int:
        self.parts.append(part)
        return len(self.parts)


@pytest.mark.parametrize("lock", [None, threading.Lock()], ids=["picklable", "unpicklable"])
def test_fluent_methods(lock: Any) -> None:
    """A method that returns its object does so in replay, also where the object can't be pickled."""
    first, later = Query(), Query()
    first.lock = later.lock = lock
    outcome = run(first.where, "a")
    assert outcome.get() is first
    assert again(outcome, later.where, "a") is later
    assert later.parts == ([] if lock else ["a"])


def test_objects_that_can_be_called() -> None:
    """An object with `__call__` changes itself, and so it does in replay."""
    first, later = Query(), Query()
    outcome = run(first, "a")
    assert again(outcome, later, "a") == 1
    assert later.parts == ["a"]


def test_arguments_by_name_and_in_partials() -> None:
    """What is passed by name or bound beforehand is followed as well."""
    first, later = ({"rows": [], "more": []} for _ in range(2))  # type: ignore[var-annotated]

    def activity(rows: list[int], *, more: list[int]) -> list[int]:
        rows.append(1)
        more.append(2)
        return more

    outcome = run(functools.partial(activity, first["rows"]), more=first["more"])
    assert outcome.get() is first["more"]
    assert again(outcome, functools.partial(activity, later["rows"]), more=later["more"]) is later["more"]
    assert later == {"rows": [1], "more": [2]}


@pytest.mark.parametrize(
    ("fn", "labels"),
    [
        (len, []),
        ([].append, ["self"]),
        (str.upper, []),
        (int, []),
        (Query, []),
        (Query().where, ["self"]),
        (Query.where, []),
        (Query().parts.__len__, ["self"]),
    ],
)
def test_what_a_call_may_change(fn: Any, labels: list[str]) -> None:
    """Besides its arguments, that is the object of a method; never a module or a class."""
    found = [label for label, value in arguments_of(fn, (), {}) if Snapshot([(label, value)])._roots]
    assert found == labels


def test_arguments_have_labels() -> None:
    """Warnings say which argument they mean."""
    assert [label for label, _ in arguments_of(len, (1, 2), {"key": 3})][-3:] == ["argument 1", "argument 2", "key"]


@pytest.mark.parametrize("value", [None, True, 1, 2.5, "text", b"bytes", 1j])
def test_plain_results(value: Any) -> None:
    """Plain results need no copy, even those that are arguments as well."""
    outcome = run(lambda given: given, value)
    assert outcome.codec == "pickle"
    assert outcome.get() is value
    assert again(outcome, None, value) == value


def test_results_are_copies() -> None:
    """What the code gets is the copy that replay will give, and never what the activity may go on using."""
    kept = [[1]]
    outcome = run(lambda: kept)
    assert outcome.get() == kept
    assert outcome.get() is not kept
    assert again(outcome, None) == kept


def test_exceptions_change_arguments_too() -> None:
    """What an activity did before it raised has happened."""
    first: list[int] = []
    later: list[int] = []

    def activity(rows: list[int]) -> None:
        rows.append(1)
        raise Custom(3, hint="h")

    outcome = run(activity, first)
    error = caught(outcome.get)
    copy = caught(lambda: again(outcome, activity, later))
    assert later == [1]
    assert (type(error), error.args, vars(error)) == (type(copy), copy.args, vars(copy))
    assert outcome.error_text == "raised.Custom: failed with 3"
    assert error.__traceback__ is not None


@pytest.mark.parametrize(
    "result", [Unpicklable(), [BadPickle()], lambda: 0], ids=["unpicklable", "bad pickle", "lambda"]
)
def test_results_that_cannot_be_recorded(result: Any) -> None:
    """They are an error, the same in replay, and what the activity changed is not lost for that."""
    first: list[int] = []
    later: list[int] = []

    def activity(rows: list[int]) -> Any:
        rows.append(1)
        return result

    outcome = run(activity, first)
    error = caught(outcome.get)
    assert type(error) is UnpicklableResultError
    assert str(caught(lambda: again(outcome, activity, later))) == str(error)
    assert later == [1]


@pytest.mark.parametrize("shared", [False, True])
def test_results_that_are_too_large(shared: bool) -> None:
    """They are an error that says how large, the same in replay; changes of arguments are recorded all the same."""
    first: list[Any] = []
    later: list[Any] = []

    def activity(rows: list[Any]) -> Any:
        rows.append(1)
        return ["x" * 1000, rows if shared else 0]

    outcome = run(activity, first, limit=1000)
    error = caught(outcome.get)
    assert type(error) is ResultTooLargeError
    assert "bytes, the limit is 1,000" in str(error)
    assert str(caught(lambda: again(outcome, activity, later))) == str(error)
    assert later == [1]
    assert run(activity, [], limit=2000).error is None


def test_exceptions_that_cannot_be_recorded() -> None:
    """They become an error that names them, and shows where they came from."""

    def activity() -> None:
        raise local_class()("the text")

    outcome = run(activity)
    assert type(outcome.error) is UnpicklableResultError
    assert "Local: the text" in str(outcome.error)
    assert outcome.error.__traceback__ is not None
    assert str(caught(lambda: again(outcome, activity))) == str(outcome.error)


class BadText(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("str")


def test_exceptions_without_text() -> None:
    """An exception that can't be turned into text is recorded all the same."""

    def activity() -> None:
        raise BadText("x")

    outcome = run(activity)
    assert type(caught(outcome.get)).__name__ == "BadText"
    assert outcome.error_text.endswith("BadText: ")


@pytest.mark.parametrize("arguments", [(), ([],), ({},), ("x",), ([], [])])
def test_replay_with_other_arguments(arguments: tuple[Any, ...]) -> None:
    """Where what was done to the arguments can't be done to these, that is told as what it is."""

    def activity(*rows: list[Any]) -> Any:
        rows[0][0].append(2)
        return rows[0][0]

    outcome = run(activity, [[1], []])
    with pytest.raises(NonDeterminismError, match="f is called with arguments of another make"):
        again(outcome, activity, *arguments)


def test_argument_that_is_missing() -> None:
    """A result that was an argument which the call has no more is told likewise."""
    outcome = run(lambda *values: values[1], [1], [2])
    with pytest.raises(NonDeterminismError, match="another make"):
        again(outcome, None, [1])


def test_answers() -> None:
    """Answers of the server are values, or errors of classes that both sides know."""
    value = {"a": [1, b"x"], "$bytes": 2}
    assert answered("json", dump_json(value).encode()) == value
    for name, cls in (("ValueError", ValueError), ("KeyError", KeyError), ("DurableOnlyError", None)):
        error = caught(lambda name=name: answered("json-error", dump_json([name, "text"]).encode()))  # type: ignore[misc]
        assert type(error).__name__ == name
        assert error.args == ("text",)
        assert cls is None or type(error) is cls


def test_results_are_shown() -> None:
    """The journal shows results to people."""
    assert run(lambda: {"a": 1}).shown == "{'a': 1}"
    assert run(lambda: 1 / 0).error_text == "ZeroDivisionError: division by zero"


def test_payloads_are_of_a_protocol_that_all_versions_read() -> None:
    """A journal can be replayed by any version of Python that is supported."""
    assert pickle.loads(run(lambda: [1]).payload) == [1]
    assert run(lambda: [1]).payload[:2] == b"\x80\x05"
