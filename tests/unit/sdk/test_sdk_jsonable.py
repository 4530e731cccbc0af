"""The check of data that leaves a session."""

import enum
import json
import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh import AttrDict
from autokitteh._jsonable import MAX_DEPTH, check_json

ANY_TEXT = st.text(st.characters())  # lone surrogates included
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
VALUES = st.recursive(
    LEAVES | st.binary(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3)
)
TEXTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Plain(enum.Enum):
    ONE = 1


class Point(NamedTuple):
    x: int
    y: int


class Celsius(float):
    pass


@given(VALUES)
def test_gives_an_equal_copy(value: Any) -> None:
    """What is JSON already comes back equal, and unchanged by a second pass."""
    checked = check_json(value, "value")
    assert checked == value
    assert check_json(checked, "value") == checked


@given(TEXTS)
def test_agrees_with_json(value: Any) -> None:
    """What passed can be written by the strictest of JSON writers, and reads back the same."""
    assert json.loads(json.dumps(check_json(value, "value"), allow_nan=False)) == value


def test_the_copy_shares_nothing() -> None:
    """Changing the original afterwards does not reach the copy."""
    original = {"a": [{"b": 1}]}
    checked = check_json(original, "value")
    original["a"][0]["b"] = 2
    assert checked == {"a": [{"b": 1}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AttrDict(a={"b": 1}), {"a": {"b": 1}}),
        (OrderedDict(a=1), {"a": 1}),
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
        (Level.HIGH, 3),
        (Celsius(1.5), 1.5),
        (bytearray(b"x"), b"x"),
        pytest.param(10**5000, 10**5000, id="large"),
    ],
)
def test_subclasses_become_what_they_are_based_on(value: Any, expected: Any) -> None:
    """The copy has exact types only, at every depth."""
    checked = check_json(value, "value")
    assert checked == expected and type(checked) is type(expected)
    if isinstance(checked, dict):
        assert [type(key) for key in checked] == [str] and type(checked.get("a")) is type(expected.get("a"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"when": date(2024, 1, 1)}, 'data["when"]: date is not JSON; use .isoformat()'),
        ({"a": [0, {"t": datetime.now(UTC)}]}, 'data["a"][1]["t"]: datetime is not JSON; use .isoformat()'),
        (timedelta(1), "data: timedelta is not JSON; use .total_seconds()"),
        ([Decimal(1)], "data[0]: Decimal is not JSON; use str() or float()"),
        ({"s": {1}}, 'data["s"]: set is not JSON; use sorted() or list()'),
        ({"p": PurePosixPath("x")}, 'data["p"]: PurePosixPath is not JSON; use str()'),
        ({"m": MappingProxyType({})}, 'data["m"]: mappingproxy is not JSON; use dict()'),
        ({"e": Plain.ONE}, 'data["e"]: Plain is not JSON; use .value'),
        ({"e": ValueError("x")}, 'data["e"]: ValueError is not JSON; use str()'),
        ({"o": object()}, 'data["o"]: object is not JSON; pass the parts of it that are plain data'),
        ({"x": [math.nan]}, 'data["x"][0]: nan is not JSON; use None or a string'),
        ({"x": -math.inf}, 'data["x"]: -inf is not JSON; use None or a string'),
        ({"x": {1: 2}}, 'data["x"]: the key 1 is int, not str; use strings as keys'),
        ({None: 2}, "data: the key None is NoneType, not str; use strings as keys"),
        ({"it's": {1, 2}}, 'data["it\'s"]: set is not JSON; use sorted() or list()'),
        ({"\ud800\n": {1, 2}}, 'data["\\ud800\\n"]: set is not JSON; use sorted() or list()'),
    ],
)
def test_refusals_name_place_and_remedy(value: Any, message: str) -> None:
    """The message leads to the very spot, in a form that can always be printed."""
    with pytest.raises(TypeError) as raised:
        check_json(value, "data")
    assert str(raised.value) == message
    message.encode()


def test_cycles_are_refused() -> None:
    """Data that contains itself is found at once, and siblings that share an object are no cycle."""
    inner: dict[str, Any] = {}
    inner["self"] = [inner]
    with pytest.raises(TypeError, match=r'data\["x"\]\["self"\]\[0\]: this dict contains itself'):
        check_json({"x": inner}, "data")
    shared: list[Any] = []
    assert check_json([shared, shared, {"a": shared}], "data") == [[], [], {"a": []}]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"k": inner}])
def test_depth_is_limited(wrap: Callable[[Any], Any]) -> None:
    """The limit itself passes; one more is refused, with a path that fits on a line."""
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = wrap(value)
    check_json(value, "data")
    with pytest.raises(TypeError, match=f"nested deeper than {MAX_DEPTH} levels") as raised:
        check_json(wrap(value), "data")
    assert len(str(raised.value)) < 200
