"""Hostile events and hostile filters: nothing of what they bring ends the process or keeps it long."""

import time
from typing import Any

import pytest

from autokitteh_server.core.filter_cost import BUDGET_NS, cost_ns
from autokitteh_server.core.filter_data import MAX_NESTING, activate, render_path
from autokitteh_server.core.filter_language import compile_expression
from autokitteh_server.core.filter_regex import regex_states
from autokitteh_server.core.filter_tree import read_tree
from autokitteh_server.core.filters import Match, check_filter, compile_filter


def nested(depth: int) -> dict[str, Any]:
    """Maps in one another."""
    data: dict[str, Any] = {}
    for _ in range(depth - 1):
        data = {"a": data}
    return data


def failure_of(data: object) -> str:
    """Why a filter that any event passes fails on this data."""
    found = compile_filter("true").match(activate("", data))
    assert not found.matched
    return found.failure


def test_a_nul_cuts_nothing() -> None:
    """A text with a NUL is not equal to what stands before it, in values, keys and the event's type."""
    event = activate("push\0x", {"user": "admin\0x", "key\0y": 1, "items": ["a\0b"]})

    for text in ("data.user == 'admin'", "event_type == 'push'", "has(data.key)", "'a' in data.items"):
        assert compile_filter(text).match(event) == Match(False)
    assert compile_filter("data.user.startsWith('admin') && size(data.user) == 7").match(event).matched


def test_a_nul_from_bytes_cuts_nothing() -> None:
    """Texts made of bytes keep a NUL on their way through functions that are written in Python."""
    event = activate("", {"raw": b"admin\0x"})

    assert compile_filter("string(data.raw) == 'admin'").match(event) == Match(False)
    assert compile_filter("[string(data.raw)].distinct()[0] == 'admin'").match(event) == Match(False)


def test_lone_surrogates_spoil_nothing_else() -> None:
    """One odd character does not keep other fields from being read."""
    event = activate("a\udc00", {"name": "\ud800", "\udfff": 1, "ok": 1})

    assert compile_filter("data.ok == 1 && data.name == '\ufffd'").match(event).matched


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**63 - 1, "data.n == 9223372036854775807"),
        (-(2**63), "data.n < -9223372036854775807"),
        (2**63, "data.n > 9e18 && data.n < 1e19"),
        (10**30, "data.n > 9e29"),
        (-(10**400), "data.n < -1e308"),
    ],
)
def test_large_numbers(number: int, text: str) -> None:
    """Whole numbers of 64 bits are exact; larger ones are compared as floats, and do not spoil the event."""
    assert compile_filter(text).match(activate("", {"n": number})).matched


def test_deep_data_is_refused() -> None:
    """Data may be nested as deep as is safe; deeper, every filter fails with the reason, and the empty one matches."""
    assert compile_filter("true").match(activate("", nested(MAX_NESTING))).matched
    assert failure_of(nested(MAX_NESTING + 1)) == "data: nested more than 200 deep"
    assert failure_of(nested(100_000)) == "data: nested more than 200 deep"
    assert compile_filter("").match(activate("", nested(100_000))).matched


def test_data_that_holds_itself_is_refused() -> None:
    """Neither a ring nor lists that double with each level keep the check busy."""
    ring: list[Any] = []
    ring.append(ring)
    double: list[Any] = []
    for _ in range(100):
        double = [double, double]

    assert failure_of({"a": ring}) == "data: nested more than 200 deep"
    assert "too much for filters" in failure_of({"a": double})


def test_large_data_is_refused() -> None:
    """There is a size beyond which no filter reads an event."""
    assert "too much for filters" in failure_of({"a": "x" * 17_000_000})


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        ([], "data: is of type list, and must be a map"),
        ("x", "data: is of type str, and must be a map"),
        ({"a": {"b": [1, {2}]}}, "data.a.b[1]: is of type set, which filters cannot read"),
        ({"a": {1: 2}}, "data.a: has a key that is of type int, and must be a text"),
    ],
)
def test_other_data_is_refused(data: object, failure: str) -> None:
    """What is not JSON with bytes fails with the path to it."""
    assert failure_of(data) == failure


def test_relatives_of_plain_types_are_read() -> None:
    """Tuples and byte arrays are as good as lists and bytes."""
    event = activate(None, {"t": (1, {"x": 2}), "b": bytearray(b"x")})

    assert compile_filter("data.t[1].x == 2 && data.b == b'x' && event_type == ''").match(event).matched
    assert compile_filter("true").match(activate(None, None)).matched


def test_paths_are_written_as_filters_have_them() -> None:
    """Keys that are no names stand in brackets."""
    assert render_path(("a", 0, "x-y", "b")) == 'data.a[0]["x-y"].b'


@pytest.mark.parametrize(
    "text",
    [
        # Each took seconds, or all memory, before it was bounded.
        "data.s.contains(data.half)",
        "data.s.indexOf(data.half) == 1",
        "data.s.replace('a', data.s) == ''",
        " || ".join(["data.s.contains('aaaaaaaaaaaaaaaaab')"] * 80),
        "data.numbers.exists(x, size(data.s) == 1)",
        "data.numbers.map(x, x) == []",
        "data.numbers.exists(x, -1 in data.numbers)",
        "data.numbers.slice(0, 1000).exists(x, data.numbers.slice(0, 1000).map(y, y) == [])",
        "data.s.matches('(a|b)*a(a|b){300}c')",
        "data.s.matches('((((a|b)?){10}){10}){10}c')",
        "data.words.exists(w, w.matches('(a?){100}c'))",
        "data.numbers.map(x, data.s) == []",
        "data.s.split('').distinct() == []",
        "cel.bind(a, data.s + data.s, cel.bind(b, a + a, cel.bind(c, b + b, c.contains(a))))",
    ],
)
def test_hostile_filters_are_not_even_tried(text: str) -> None:
    """What could take too long is refused when it is saved, or fails on a large event with the reason, at once."""
    if check_filter(text):
        return
    event = activate(
        "",
        {"s": "a" * 500_000, "half": "a" * 250_000 + "b", "numbers": list(range(9_000)), "words": ["a" * 20] * 9_000},
    )

    started = time.process_time()
    found = compile_filter(text).match(event)

    assert "could take too long" in found.failure
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "event_type == 'push'",
        "data.s.contains('needle') && data.s.lowerAscii().startsWith('x')",
        'data.s.matches(\'"status": *"failed"\')',
        "data.numbers.exists(x, x == -1)",
        "data.words.exists(w, w.contains('needle') || w == 'x')",
        "size(data.s) > 5 && size(data.numbers) > 7 && 5 in data.numbers",
    ],
)
def test_honest_filters_are_affordable_on_large_events(text: str) -> None:
    """The bound does not stand in the way of what people write, on events as large as a webhook takes."""
    event = activate("", {"s": "y" * 200_000, "numbers": list(range(1_000)), "words": ["word"] * 1_000})

    assert compile_filter(text).match(event).failure == ""


@pytest.mark.parametrize(
    "text",
    [
        "data.labels.map(l, l.name).exists(n, n == 'bug')",
        "data.commits.exists(c, c.files.filter(f, f.endsWith('.py')).size() > 0)",
        "data.body.text.matches('^[a-z0-9._%+-]+@[a-z.-]+$')",
        "data.text.matches('^/[a-z]{1,20} +\\\\d{4}-\\\\d{2}-\\\\d{2}$')",
        "data.commits.exists(c, c.files.exists(f, f in data.watched))",
    ],
)
def test_honest_filters_can_be_saved(text: str) -> None:
    """Loops in loops and regular expressions of the usual kind are within the bound."""
    assert check_filter(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data.a.exists(x, x.exists(y, y.exists(z, z.exists(w, w == 1))))", "more than 3 deep"),
        ("data.s.matches('(?:.?.?.?.?.?){200}x')", "more than 0.2 s"),
        ("data.a.map(x, data.a.map(y, y)).flatten() == []", "more than 0.2 s"),
        ("'%s%s'.format([data.a.map(x, data.s), 1]) == ''", "more than 0.2 s"),
    ],
)
def test_filters_that_are_dear_on_any_event_are_refused(text: str, said: str) -> None:
    """The time of such a filter is a problem when it is saved."""
    (problem,) = check_filter(text)

    assert said in problem.message


def test_more_rounds_than_allowed_fail() -> None:
    """Loops over more than 9,999 members fail with a reason."""
    found = compile_filter("data.n.exists(x, x == -1)").match(activate("", {"n": [0] * 10_001}))

    assert found == Match(False, "the filter's loops go round more than 9,999 times")


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        ("abc", 3, 5),
        ("a{100}", 100, 300),
        ("(ab{10}){10}", 110, 300),
        ("((a{2,9}){3,}){4}", 9 * 3 * 4, 500),
        ("[a-z]+@[a-z]+", 3, 20),
        (r"\pL{30}", 3000, 20_000),
        ("((((", 0, 10),
        (")))a{99999999}{9}", 1000, 1e9),
        ("[", 1, 5),
        ("", 0, 2),
    ],
)
def test_size_of_regular_expressions(pattern: str, least: float, most: float) -> None:
    """Repeats are counted as if they were written out, and any text has a size."""
    assert least <= regex_states(pattern) <= most


def test_cost_grows_with_the_event() -> None:
    """The bound is one: it never falls when the event grows, and is finite for the worst of filters."""
    tree = read_tree(compile_expression("data.a.map(x, data.s.replace('', data.s + x)).join(data.s) == ''").serialize())

    costs = [cost_ns(tree, weight=2.0**n, longest=2.0 ** min(n, 12)) for n in range(4, 40)]

    assert costs == sorted(costs)
    assert costs[-1] > BUDGET_NS
    assert costs[-1] < float("inf")
