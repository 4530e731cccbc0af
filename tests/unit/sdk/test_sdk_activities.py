"""Marks for functions: what they set, and what they refuse."""

import asyncio
import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import autokitteh
from autokitteh import testing
from autokitteh.activities import ACTIVITY_MARK, INHIBIT_MARK, ActivityOptions

MARKS = [(autokitteh.activity, ACTIVITY_MARK, ActivityOptions()), (autokitteh.inhibit_activities, INHIBIT_MARK, True)]
each_mark = pytest.mark.parametrize(("decorator", "mark", "value"), MARKS, ids=["activity", "inhibit"])


@each_mark
def test_returns_the_very_function(decorator: Callable[[Any], Any], mark: str, value: object) -> None:
    """A marked function is the same object, and is called as before."""

    def double(n: int) -> int:
        return 2 * n

    marked = decorator(double)
    assert marked is double and marked(2) == 4
    assert getattr(double, mark) == value


@each_mark
def test_marks_async_functions(decorator: Callable[[Any], Any], mark: str, value: object) -> None:
    """An async function stays one."""

    @decorator
    async def double(n: int) -> int:
        return 2 * n

    assert asyncio.run(double(2)) == 4
    assert getattr(double, mark) == value


@each_mark
def test_marks_methods_of_every_kind(decorator: Callable[[Any], Any], mark: str, value: object) -> None:
    """Whether above or below staticmethod and classmethod, the mark shows on what is called."""

    class Client:
        @decorator
        def plain(self) -> str:
            return "plain"

        @decorator
        @staticmethod
        def static_outside() -> str:
            return "static"

        @staticmethod
        @decorator
        def static_inside() -> str:
            return "static"

        @decorator
        @classmethod
        def class_outside(cls) -> str:
            return cls.__name__

        @classmethod
        @decorator
        def class_inside(cls) -> str:
            return cls.__name__

    client = Client()
    assert client.plain() == "plain" and client.static_outside() == "static" and client.class_outside() == "Client"
    for name in ("plain", "static_outside", "static_inside", "class_outside", "class_inside"):
        assert getattr(getattr(client, name), mark) == value
        assert getattr(getattr(Client, name), mark) == value


@each_mark
def test_marks_objects_that_can_be_called(decorator: Callable[[Any], Any], mark: str, value: object) -> None:
    """An instance bears its own mark; a bound method passes it on to its function."""

    class Caller:
        def __call__(self) -> int:
            return 1

        def method(self) -> int:
            return 2

    caller, other = Caller(), Caller()
    assert decorator(caller)() == 1 and getattr(caller, mark) == value and not hasattr(other, mark)
    assert decorator(other.method)() == 2 and getattr(Caller.method, mark) == value
    assert getattr(decorator(functools.partial(int, "7")), mark) == value


@each_mark
def test_refuses_what_cannot_be_marked(decorator: Callable[[Any], Any], mark: str, value: object) -> None:
    """Classes, values and built-in functions are refused with what to do instead."""

    class Client:
        pass

    with pytest.raises(TypeError, match="cannot mark the class Client; mark its methods instead"):
        decorator(Client)
    with pytest.raises(TypeError, match="marks a function, not str"):
        decorator("name")
    with pytest.raises(TypeError, match="mark a function of yours that calls it"):
        decorator(len)
    assert not hasattr(Client, mark)


def test_options_are_kept_with_durations_in_seconds() -> None:
    """Time-outs and delays may be timedeltas; the session reads seconds."""

    @autokitteh.activity(
        name="fetch", retries=3, retry_delay=timedelta(seconds=2), timeout=timedelta(minutes=1), on_unknown="fail"
    )
    def get() -> int:
        return 1

    assert getattr(get, ACTIVITY_MARK) == ActivityOptions("fetch", 3, 2.0, 60.0, "fail")
    assert get() == 1


def test_empty_options_are_the_defaults() -> None:
    """`@activity()` is `@activity`."""

    @autokitteh.activity()
    def get() -> None: ...

    assert getattr(get, ACTIVITY_MARK) == ActivityOptions(None, 0, 1.0, None, "retry")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"retries": -1}, ValueError, "retries must not be negative"),
        ({"retries": 1.5}, TypeError, "retries must be an int, not float"),
        ({"retries": True}, TypeError, "retries must be an int, not bool"),
        ({"retry_delay": -1}, ValueError, "retry_delay must not be negative"),
        ({"retry_delay": "1s"}, TypeError, "retry_delay must be a timedelta or seconds, not str"),
        ({"timeout": 0}, ValueError, "None is no limit"),
        ({"timeout": timedelta(-1)}, ValueError, "timeout must not be negative"),
        ({"timeout": float("nan")}, ValueError, "timeout must not be negative, and is nan"),
        ({"timeout": float("inf")}, ValueError, "None waits for ever"),
        ({"on_unknown": "ignore"}, ValueError, 'on_unknown must be "retry" or "fail"'),
        ({"name": ""}, ValueError, "the name of an activity must not be empty"),
        ({"name": 1}, TypeError, "the name of an activity must be a string"),
    ],
)
def test_options_are_checked_when_decorating(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """A wrong option is an error where it is written, not when the function is called."""
    with pytest.raises(error, match=message):
        autokitteh.activity(**options)


def test_options_cannot_be_changed() -> None:
    """Functions may share their options, so these are fixed."""
    with pytest.raises(AttributeError):
        ActivityOptions().retries = 1  # type: ignore[misc]


def test_retries_do_not_apply_outside_a_session() -> None:
    """A plain call of a marked function fails as it would unmarked."""
    calls = []

    @autokitteh.activity(retries=5)
    def fail() -> None:
        calls.append(1)
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        fail()
    assert len(calls) == 1


def test_registers_functions_methods_and_classes() -> None:
    """The runtime gets what was registered, one by one, also a class that happens to be iterable."""

    class Pure:
        def method(self) -> None: ...

    with testing.session() as runtime:
        autokitteh.register_no_activity([len, Pure])
        autokitteh.register_no_activity(item for item in [Pure.method])
        autokitteh.register_no_activity(Pure)  # type: ignore[arg-type]
    assert runtime.no_activity == [len, Pure, Pure.method, Pure]


def test_registers_all_or_nothing() -> None:
    """One item that cannot be called refuses the whole list."""
    with testing.session() as runtime, pytest.raises(TypeError, match="not 'len'"):
        autokitteh.register_no_activity([len, "len"])
    assert runtime.no_activity == []
