"""Previews and digests never raise and never run for long, whatever they are shown."""

import threading
import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_runner.preview import LIMIT, digest, error_line, explain_unpicklable, preview, preview_call

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


class Hostile:
    """Raises whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __len__(self) -> int:
        raise RuntimeError("len")


class HostileDict(dict[Any, Any]):
    """A dict that can't be listed."""

    def items(self) -> Any:
        raise RuntimeError("items")


class BadText(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("str")


class Answers:
    """Can be called, and fails in its own way when asked for an attribute."""

    def __call__(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


def endless() -> list[Any]:
    items: list[Any] = [1]
    items += [items, {"again": items}]
    return items


def doubled(times: int) -> list[Any]:
    """A list of few objects which is endless when written out."""
    items: list[Any] = []
    for _ in range(times):
        items = [items, items]
    return items


#: By name, for pytest itself could not stand all of these.
ODD = {
    "hostile": Hostile(),
    "hostile in a list": [Hostile()],
    "hostile in a dict": {"a": Hostile()},
    "hostile dict": HostileDict(a=1),
    "hostile attributes": Answers(),
    "mock": MagicMock(),
    "exception without text": BadText("x"),
    "endless list": endless(),
    "doubled list": doubled(100),
    "large integer": 10**10_000,
    "large integer in a list": [10**10_000],
    "long text": "x" * 10_000_000,
    "many bytes": bytearray(10_000_000),
    "shared text": ["x" * 1_000_000] * 1000,
    "long deque": deque(range(1_000_000)),
    "long range": range(10**12),
    "class": type("Made", (), {}),
    "partial": partial(print, 1),
    "lock": threading.Lock(),
    "not a number": float("nan"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_values(name: str) -> None:
    """A preview and a digest are short, quick, and without addresses, whatever the value."""
    value = ODD[name]
    started = time.process_time()
    shown = [preview(value), preview_call((value,), {"a": value})]
    digest((value,), {"a": value})
    assert time.process_time() - started < 2
    assert all(len(text) <= LIMIT for text in shown)
    assert not any(" at 0x" in text for text in shown)


@pytest.mark.parametrize("name", list(ODD)[:8])
def test_odd_values_are_explained(name: str) -> None:
    """Why something can't be pickled is said even of what raises when it is looked at."""
    assert explain_unpicklable(ODD[name])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        ("a", "'a'"),
        ([1, "b"], "[1, 'b']"),
        ((1,), "(1,)"),
        ((), "()"),
        ({1}, "{1}"),
        ({"a": [1]}, "{'a': [1]}"),
        (deque([1]), "[1]"),
        (OrderedDict(a=1), "{'a': 1}"),
        (Counter("a"), "{'a': 1}"),
        (list(range(30)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, …]"),
        ([[[[[1]]]]], "[[[[…]]]]"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (len, "<builtins.len>"),
        (preview, "<autokitteh_runner.preview.preview>"),
        (threading.Lock(), "<lock>"),
        (1 << 2000, "<int of 2001 bits>"),
        ("x" * 300, "'" + "x" * 198 + "…"),
    ],
)
def test_previews(value: Any, shown: str) -> None:
    """Values are shown as a person would write them, and cut."""
    assert preview(value) == shown


def test_previews_of_calls() -> None:
    """Arguments are shown by position and by name, each cut."""
    assert preview_call((), {}) == ""
    assert preview_call((1, "a"), {"b": [2]}) == "1, 'a', b=[2]"
    assert preview_call(("x" * 1000, 2), {}) == "'" + "x" * 78 + "…, 2"


@given(PLAIN, PLAIN)
def test_digests_of_equal_arguments_are_equal(one: Any, other: Any) -> None:
    """A digest tells plain arguments apart by what they are, not by which objects they are."""
    assert digest((one,), {}) == digest((rebuilt(one),), {})
    if repr(one) != repr(other):
        assert digest((one,), {}) != digest((other,), {})
    assert len(digest((one,), {"a": other})) == 16


def rebuilt(value: Any) -> Any:
    """An equal value that has no object in common with it, but those that Python itself shares."""
    if isinstance(value, dict):
        return {rebuilt(key): rebuilt(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(rebuilt, value))
    return "".join(list(value)) if isinstance(value, str) else value


def test_digests_without_sharing() -> None:
    """Whether equal arguments are one object or two is not seen."""
    text = "".join(["a ", "text"])
    shared, apart = [text, text, [text]], ["a text", text, ["".join(["a te", "xt"])]]
    assert digest((shared,), {}) == digest((apart,), {}) != ""
    assert digest(({1000, 2000, -3},), {}) == digest(({-3, 2000, 1000},), {}) != ""


@pytest.mark.parametrize("value", [object(), len, doubled(40), endless(), Counter("a"), [threading.Lock()]])
def test_no_digests(value: Any) -> None:
    """Of anything that is not plain, or would have to be written out for too long, there is no digest."""
    assert digest((value,), {}) == ""


def test_lines_of_errors() -> None:
    """An error is shown with its type and message, and even if it has no text."""
    assert error_line(ValueError("no")) == "ValueError: no"
    assert error_line(BadText("x")).endswith("BadText: ")
    assert len(error_line(ValueError("x" * 10_000))) < 2100


@dataclass(slots=True)
class Holder:
    """Has slots."""

    part: Any


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (threading.Lock(), "the value itself (_thread.lock): "),
        ([1, threading.Lock()], "[1] (_thread.lock): "),
        ({"a": [threading.Lock()]}, "['a'][0] (_thread.lock): "),
        (Holder({"x": lambda: 0}), ".part['x'] (function): "),
    ],
)
def test_explanations(value: Any, path: str) -> None:
    """What can't be pickled is named by the way to it."""
    assert explain_unpicklable(value).startswith(path)
