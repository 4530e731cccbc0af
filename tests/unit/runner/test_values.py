"""Results and exceptions come back from the journal as what they were."""

import builtins
import copyreg
import pickle
import sqlite3
import ssl
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from decimal import InvalidOperation
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from autokitteh import errors as sdk_errors
from autokitteh.errors import UnpicklableResultError
from autokitteh_runner.values import dump_error, dump_result, load_error, load_result

sys.path.insert(0, str(Path(__file__).parent))  # pickle must find the classes by name

import raised
from raised import linked, noted, with_attributes


def rebuilt(error: BaseException) -> BaseException:
    """An exception as it comes out of the journal; a second time it is the same again."""
    copy = load_error(dump_error(error))
    assert dump_error(copy) == dump_error(load_error(dump_error(copy)))
    return copy


def fields(error: BaseException) -> dict[str, Any]:
    """What can be asked of an exception, but for where it was raised."""
    left_out = {"__traceback__", "__context__", "__cause__", "obj"}
    names = [name for name in dir(error) if name not in left_out and not callable(getattr(error, name, None))]
    return {name: repr(getattr(error, name, "not set")) for name in names if name[:2] != "__" or name == "__notes__"}


def is_same(one: BaseException, other: BaseException) -> bool:
    """Whether code that catches it could not tell."""
    assert type(one) is type(other)
    assert str(one) == str(other)
    assert repr(one.args) == repr(other.args)
    assert fields(one) == fields(other)
    assert traceback.format_exception_only(one) == traceback.format_exception_only(other)
    return True


def built_in_classes() -> list[type[BaseException]]:
    return [cls for cls in vars(builtins).values() if isinstance(cls, type) and issubclass(cls, BaseException)]


def made_by_python() -> Iterator[BaseException]:
    """Exceptions that Python itself raises, with the fields that it fills in."""
    for action in (
        lambda: open("/does/not/exist"),  # noqa: SIM115, PTH123
        lambda: Path("/a").rename("/b/c"),
        lambda: {}["key"],
        lambda: [][1],
        lambda: b"\xff".decode(),
        lambda: "\ud800".encode(),
        lambda: int("x"),
        lambda: compile("a b", "f.py", "exec"),
        lambda: compile("if x:\n\ty\n        z", "f.py", "exec"),
        lambda: __import__("no_such_module"),
        lambda: (1).nothing,  # type: ignore[attr-defined]
        lambda: nothing,  # type: ignore[name-defined]  # noqa: F821
        lambda: next(iter(())),
        lambda: sys.exit("gone"),
        lambda: zlib.decompress(b"x"),
        lambda: sqlite3.connect(":memory:").execute("nonsense"),
        lambda: pickle.loads(b"x"),
    ):
        try:
            action()  # type: ignore[no-untyped-call]
        except BaseException as err:
            yield err


ERRORS: list[BaseException] = [
    *(cls() for cls in built_in_classes() if not issubclass(cls, BaseExceptionGroup | UnicodeError)),
    *(cls("text") for cls in built_in_classes() if not issubclass(cls, BaseExceptionGroup | UnicodeError)),
    *(
        cls("a", 1, None)
        for cls in built_in_classes()
        if not issubclass(cls, BaseExceptionGroup | UnicodeError | SyntaxError)
    ),
    *made_by_python(),
    UnicodeTranslateError("x", 0, 1, "why"),
    OSError(2, "text", "file", None, "file2"),
    OSError(13, "text", "file"),
    BlockingIOError(11, "text", 7),
    StopIteration([1]),
    SystemExit(3),
    ImportError("text", name="n", path="p"),
    NameError("text", name="n"),
    SyntaxError("text", ("f", 1, 2, "line", 1, 4)),
    ssl.SSLError(1, "text"),
    InvalidOperation("x"),
    raised.Custom(3, hint="h"),
    raised.NoSuper(a=1),
    raised.Slotted(4),
    raised.WithProperties({"status": 404}),
    raised.Frozen(5),
    raised.OwnNew(code=6),
    raised.OwnReduce(7, "text"),
    raised.OwnSetstate(8),
    raised.OsLike(2, "text", "host"),
    raised.OsLikeNew("host"),
    raised.Shadowing(2, "text"),
    ExceptionGroup("text", [ValueError(1), ExceptionGroup("inner", [raised.Custom(3, hint="h")])]),
    BaseExceptionGroup("text", [KeyboardInterrupt()]),
    raised.Group("text", [ValueError(1)], 9),
    noted(ValueError(1), "a note"),
    with_attributes(ValueError(1), code=3),
    ValueError(KeyError("inner"), [OSError(2, "text")]),
    requests.ConnectionError("text", request=requests.Request("GET", "http://x").prepare()),
    requests.exceptions.JSONDecodeError("text", "doc", 0),
    httpx.ConnectTimeout("text", request=httpx.Request("GET", "http://x")),
    openai.APIConnectionError(request=httpx.Request("GET", "http://x")),
    openai.RateLimitError(
        "text",
        response=httpx.Response(429, request=httpx.Request("GET", "http://x"), json={"error": 1}),
        body={"code": "rate_limit"},
    ),
    sdk_errors.ConnectionInitError("slack"),
    sdk_errors.EnvVarError("NAME", "bad"),
    sdk_errors.AuthenticationError("slack", "revoked"),
    UnpicklableResultError("text"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_exceptions(error: BaseException) -> None:
    """Type, text, arguments and fields come back, however the class is made."""
    copy = rebuilt(error)
    assert copy is not error
    assert is_same(copy, error)


def test_every_built_in_exception_is_tried() -> None:
    """None is forgotten: all of Python's own classes are in the table."""
    assert set(built_in_classes()) <= {type(error) for error in ERRORS} | {
        UnicodeError,
        BaseExceptionGroup,
        ExceptionGroup,
    }


def test_private_slots() -> None:
    """Slots are told apart from what is not set, and private ones are there."""
    copy = rebuilt(raised.Slotted(4))
    assert isinstance(copy, raised.Slotted)
    assert (copy.code, copy.nothing, copy.secret()) == (4, None, "s")
    assert not hasattr(copy, "unset")


def test_fields_of_libraries() -> None:
    """Retrying code finds the response where the client put it."""
    response = requests.Response()
    response.status_code, response._content, response.url = 503, b'{"a": 1}', "http://x"
    response.headers["Retry-After"] = "7"
    copy = rebuilt(requests.HTTPError("503", response=response))
    assert isinstance(copy, requests.HTTPError)
    assert copy.response.status_code == 503
    assert copy.response.headers["retry-after"] == "7"
    assert copy.response.json() == {"a": 1}


def test_groups() -> None:
    """A group has its members, in their order, and can be split."""
    copy = rebuilt(raised.Group("text", [ValueError(1), KeyError(2)], 9))
    assert isinstance(copy, raised.Group)
    matched, rest = copy.split(KeyError)
    assert [type(error) for error in copy.exceptions] == [ValueError, KeyError]
    assert matched is not None
    assert rest is not None
    assert repr(matched.exceptions[0]) == "KeyError(2)"


def test_causes() -> None:
    """The chain of causes is kept, and so is that there is none."""
    copy = rebuilt(linked(ValueError(1), linked(KeyError(2), OSError(3))))
    assert repr(copy.__cause__) == "KeyError(2)"
    assert copy.__cause__ is not None
    assert repr(copy.__cause__.__cause__) == "OSError(3)"
    error = ValueError(1)
    error.__suppress_context__ = True
    assert rebuilt(error).__suppress_context__
    assert not rebuilt(ValueError(1)).__suppress_context__


def test_long_chains() -> None:
    """A long chain takes no longer than it is long, also where something in it can't be pickled."""
    for innermost in (None, raised.local_class()("x"), ValueError(threading.Lock())):
        error = innermost
        for number in range(60):
            error = linked(ValueError(number), error)
        assert error is not None
        started = time.process_time()
        assert rebuilt(error).args == (59,)
        assert time.process_time() - started < 5


def test_circles() -> None:
    """Exceptions that refer to one another, by cause or by attribute, still do."""
    one, other = ValueError(1), KeyError(2)
    linked(one, other)
    linked(other, one)
    copy = rebuilt(one)
    assert copy.__cause__ is not None
    assert copy.__cause__.__cause__ is copy
    with_attributes(one, own=one, all=[one, other], lock=threading.Lock())
    copy = rebuilt(one)
    assert copy.own is copy  # type: ignore[attr-defined]
    assert copy.all[1] is copy.__cause__  # type: ignore[attr-defined]
    assert not hasattr(copy, "lock")


@pytest.mark.parametrize("part", [raised.Unpicklable(), raised.BadPickle()], ids=["unpicklable", "bad pickle"])
def test_unpicklable_parts(part: Any) -> None:
    """Attributes that can't be recorded are dropped, arguments shown as text, and the rest is there."""
    error = with_attributes(raised.Custom(3, hint="h"), client=part, clients=[part], status=500, inner=ValueError(part))
    error.args = ("text", part, [part])
    copy = rebuilt(error)
    assert type(copy) is raised.Custom
    assert copy.args == ("text", repr(part), f"[{part!r}]")
    assert {name: value for name, value in vars(copy).items() if name != "inner"} == {
        "code": 3,
        "hint": "h",
        "status": 500,
    }
    assert repr(vars(copy)["inner"]) == f"ValueError({repr(part)!r})"


def test_causes_that_cannot_be_recorded() -> None:
    """A cause of a local class is dropped, and the exception is not lost for it."""
    copy = rebuilt(linked(ValueError(1), raised.local_class()("x")))
    assert copy.__cause__ is None
    assert copy.args == (1,)


def test_attributes_of_attribute_errors() -> None:
    """What was asked for an attribute is not recorded: it may be anything, however large."""
    with pytest.raises(AttributeError) as caught:
        SimpleNamespace(data="x" * 1_000_000).nothing  # noqa: B018
    assert len(dump_error(caught.value)) < 10_000
    assert rebuilt(caught.value).name == "nothing"  # type: ignore[attr-defined]


def test_local_classes() -> None:
    """An exception of a class that can't be found by name is told as what it was, and what to do."""
    with pytest.raises(UnpicklableResultError) as caught:
        dump_error(raised.local_class()("the text"))
    text = str(caught.value)
    assert "Local: the text" in text
    assert "local_class.<locals>.Local" in text
    assert "at the top level of a module" in text


def test_classes_in_disguise() -> None:
    """A class that comes back as another of the same name is not taken for it."""
    other = type("Custom", (ValueError,), {"__module__": "raised"})
    with pytest.raises(UnpicklableResultError, match="not the same object"):
        dump_error(other("x"))


def test_validation_errors_of_pydantic() -> None:
    """An exception that keeps its fields in another language comes back by its own means."""
    pydantic = pytest.importorskip("pydantic")
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("x")
    copy = rebuilt(caught.value)
    assert copy.errors() == caught.value.errors()  # type: ignore[attr-defined]


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.builds(ValueError, inner)))
def test_exceptions_in_results(value: Any) -> None:
    """Arguments of any depth come back, exceptions in them included."""
    copy = rebuilt(ValueError(value))
    assert repr(copy) == repr(ValueError(value))


# --- results ---------------------------------------------------------------------------------------------------------


@given(
    st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner) | st.tuples(inner))
)
def test_results(value: Any) -> None:
    """A result comes back as an equal copy."""
    copy = load_result(dump_result(value, "f"), "f")
    assert copy == value
    assert type(copy) is type(value)


def test_recursive_results() -> None:
    """A result that contains itself does so afterwards."""
    value: list[Any] = [1]
    value.append(value)
    copy = load_result(dump_result(value, "f"), "f")
    assert copy[1] is copy


class Handle:
    """Can't be pickled by itself."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = threading.Lock()


def test_copyreg_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that pickle was taught about can be recorded."""
    with pytest.raises(UnpicklableResultError):
        dump_result(Handle(3), "f")
    monkeypatch.setitem(copyreg.dispatch_table, Handle, lambda handle: (Handle, (handle.number,)))
    assert load_result(dump_result([Handle(3)], "f"), "f")[0].number == 3


def test_unpicklable_results() -> None:
    """The error names the activity, the type, the part and the remedy."""
    with pytest.raises(UnpicklableResultError) as caught:
        dump_result({"rows": [Handle(1)]}, "api.fetch")
    assert str(caught.value) == (
        "api.fetch returned a dict, which can't be recorded: ['rows'][0].lock (_thread.lock): "
        "cannot pickle '_thread.lock' object. "
        "Call it in a function of yours that is marked @autokitteh.activity and returns plain data"
    )


@pytest.mark.parametrize("result", [Handle(1), raised.BadPickle()], ids=["unpicklable", "bad pickle"])
def test_unpicklable_results_of_marked_functions(result: Any) -> None:
    """Where the mark is there already, the remedy is what to return, and not to mark it."""
    with pytest.raises(UnpicklableResultError) as caught:
        load_result(dump_result(result, "f", marked=True), "f", marked=True)
    assert "autokitteh.activity" not in str(caught.value)
    assert ". Use it inside the activity, and return plain data instead: numbers, text, lists" in str(caught.value)


def test_results_that_cannot_be_unpickled() -> None:
    """What can be written and not read is told when it is read."""
    with pytest.raises(UnpicklableResultError, match=r"f was pickled and can't be unpickled: TypeError: .* takes"):
        load_result(dump_result([raised.BadPickle()], "f"), "f")


def test_large_results() -> None:
    """There is no limit of size here."""
    value = [b"x" * 50_000_000]
    assert load_result(dump_result(value, "f"), "f") == value
