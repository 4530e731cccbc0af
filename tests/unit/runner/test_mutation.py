"""What an activity changes in its arguments is the same again in replay, for every reference that code may hold."""

import email.message
import io
import pickle
import random
import sys
import threading
import time
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autokitteh_runner.mutation import Snapshot

sys.path.insert(0, str(Path(__file__).parent))  # pickle must find the classes by name

from object_graphs import AttributeDict, Reduced, WithState, build, change, difference, reachable, something


def check_changes(seed: int, size: int, arguments: int, steps: int) -> None:
    """Let activities change a graph, and replay change another one that was built alike; nobody can tell them apart."""
    first, again = build(random.Random(seed), size), build(random.Random(seed), size)
    for turn in range(3):
        rng = random.Random(f"{seed} {turn}")
        picked = [rng.randrange(size) for _ in range(arguments)]
        given_first, given_again = [first[n] for n in picked], [again[n] for n in picked]

        snapshot = Snapshot([("x", value) for value in given_first])
        known = reachable(given_first)
        change(rng, known, steps)
        result = [something(rng, known + reachable(given_first)) for _ in range(rng.randrange(3))]
        recorded = snapshot.record(result)
        assert snapshot.uncaptured == []

        replayed = Snapshot([("x", value) for value in given_again])
        copy = None if recorded is None else replayed.restore(recorded.payload)
        assert difference([first, given_first], [again, given_again]) == ""
        if recorded is not None and recorded.has_result:
            assert difference([first, recorded.result], [again, copy]) == ""
        else:
            assert not {id(obj) for obj in reachable([result])} & {id(obj) for obj in known}
        for graph in (first, again):  # and the code goes on
            change(random.Random(seed + turn), reachable(graph), 2)


@given(st.integers(0, 2**32), st.integers(1, 10), st.integers(1, 3), st.integers(0, 6))
@example(7, 5, 1, 14)  # something new is in an object that was taken out, and elsewhere
@settings(max_examples=400, deadline=None)
def test_changes_are_the_same_in_replay(seed: int, size: int, arguments: int, steps: int) -> None:
    """Values, order, and which references are to the same object: all is as it was in the first run."""
    check_changes(seed, size, arguments, steps)


@pytest.mark.slow
@given(st.integers(0, 2**64), st.integers(1, 40), st.integers(1, 5), st.integers(0, 20))
@settings(max_examples=5000, deadline=None)
def test_changes_are_the_same_in_replay_at_length(seed: int, size: int, arguments: int, steps: int) -> None:
    """The same for larger graphs and more changes."""
    check_changes(seed, size, arguments, steps)


def again_after(make: Callable[[], Any], activity: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What an activity makes of an argument, in the first run and in replay."""
    first, again = make(), make()
    snapshot = Snapshot([("argument 1", first)])
    activity(first)
    recorded = snapshot.record()
    assert snapshot.uncaptured == []
    assert recorded is not None
    Snapshot([("argument 1", again)]).restore(recorded.payload)
    return first, again


def cookies(session: requests.Session) -> Any:
    session.cookies.set("token", "1", domain="example.com")
    session.headers["X-A"] = "b"
    del session.headers["Accept"]


def fill(message: email.message.EmailMessage) -> None:
    message["Subject"] = "Hello"
    message.set_content("text")
    message.add_attachment(b"bytes", maintype="a", subtype="b")
    message.set_boundary("--")


def read_some(stream: Any) -> None:
    stream.write(stream.read(1) * 3)
    stream.seek(2)


def tree() -> ElementTree.Element:
    return ElementTree.fromstring("<a x='1'><b/>text</a>")


def grow(element: ElementTree.Element) -> None:
    element.set("x", "2")
    ElementTree.SubElement(element[0], "c").text = "new"


@pytest.mark.parametrize(
    ("make", "activity", "shown"),
    [
        (lambda: [3, 1, 2], list.sort, repr),
        (lambda: Counter("aab"), lambda c: c.update("bbb"), repr),
        (lambda: Counter("aab"), Counter.clear, repr),
        (lambda: OrderedDict(a=1, b=2), lambda d: d.move_to_end("a"), repr),
        (lambda: defaultdict(list, a=[1]), lambda d: d["b"].append(2), repr),
        (lambda: ChainMap({}, {"a": 1}), lambda c: c.update(a=2, b=3), repr),
        (lambda: UserList([2, 1]), UserList.sort, repr),
        (lambda: UserDict(a=1), lambda d: d.pop("a"), repr),
        (lambda: deque([1, 2], 2), lambda d: d.append(3), repr),
        (lambda: bytearray(b"abc"), bytearray.reverse, repr),
        (lambda: SimpleNamespace(a=1), lambda n: vars(n).update(b=[n.a]), repr),
        (lambda: random.Random(1), random.Random.random, lambda r: r.getstate()),
        (lambda: io.StringIO("abc\ndef"), read_some, lambda s: (s.getvalue(), s.tell())),
        (lambda: io.BytesIO(b"abc\ndef"), read_some, lambda s: (s.getvalue(), s.tell())),
        (email.message.EmailMessage, fill, bytes),
        (requests.Session, cookies, lambda s: (s.cookies.get_dict(), dict(s.headers))),
        (tree, grow, ElementTree.tostring),
        (AttributeDict, lambda d: d.update(a=1), lambda d: (d, d.a, vars(d) is d)),
        (lambda: Reduced(1, 2), lambda r: vars(r).update(b=3), vars),
        (lambda: iter([1, 2, 3]), next, list),
        (lambda: ValueError(1), lambda e: e.add_note("more"), lambda e: (e.args, e.__notes__)),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)
def test_objects_of_all_kinds(make: Callable[[], Any], activity: Any, shown: Callable[[Any], Any]) -> None:
    """What the standard library and others have that can change, is changed in place in replay."""
    first, again = again_after(make, activity)
    assert first is not again
    assert shown(again) == shown(first)


def test_parts_keep_their_identity() -> None:
    """A reference to something deep inside goes on seeing what happens there."""
    first, again = ({"rows": [{"a": 1}], "session": requests.Session()} for _ in range(2))
    held = again["rows"][0], again["session"].headers  # type: ignore[index]
    snapshot = Snapshot([("data", first)])
    first["rows"][0]["a"] = 2  # type: ignore[index]
    first["rows"].insert(0, {"b": 1})  # type: ignore[union-attr]
    first["session"].headers["x"] = "y"  # type: ignore[union-attr]
    recorded = snapshot.record()
    assert recorded is not None
    Snapshot([("data", again)]).restore(recorded.payload)
    assert held[0] is again["rows"][1]  # type: ignore[index]
    assert held[0] == {"a": 2}
    assert held[1] is again["session"].headers  # type: ignore[union-attr]
    assert held[1]["x"] == "y"


def test_equal_objects_that_change_places() -> None:
    """Where nothing but identity changes, that is a change, too."""
    one, other = [], []  # type: ignore[var-annotated]
    pair = [one, other]
    snapshot = Snapshot([("pair", pair)])
    pair.reverse()
    recorded = snapshot.record()
    pair.reverse()
    assert recorded is not None
    Snapshot([("pair", pair)]).restore(recorded.payload)
    assert pair[0] is other
    assert pair[1] is one


def test_equal_strings_are_no_change() -> None:
    """Whether equal strings are one object or two says nothing, and shifts no number."""
    name = "".join(["some", "thing"])
    first: list[Any] = ["something", {"something": []}, "something"]
    again: list[Any] = [name, {"".join(["some", "thing"]): []}, "something"]
    snapshot = Snapshot([("x", first)])
    first[0] = "".join(["some", "thing"])
    first[1]["something"].append(1)
    recorded = snapshot.record()
    assert recorded is not None
    inner = again[1][name]
    Snapshot([("x", again)]).restore(recorded.payload)
    assert again[1][name] is inner
    assert inner == [1]


@pytest.mark.parametrize(
    "value", [1, "text", b"b", None, (1, ("x",)), Path("/a"), len, test_equal_strings_are_no_change]
)
def test_what_cannot_change_costs_nothing(value: Any) -> None:
    """Plain arguments, paths and functions are not looked at; neither is there anything to record of them."""
    snapshot = Snapshot([("x", value)])
    assert snapshot.record() is None
    assert snapshot.uncaptured == []


@pytest.mark.parametrize(
    "make",
    [dict, WithState, lambda: Reduced([1]), requests.Session, lambda: {1, 2}, lambda: Counter("a"), AttributeDict],
)
def test_no_change_is_no_record(make: Callable[[], Any]) -> None:
    """Nothing is recorded where nothing has changed, also where the class makes new objects for pickle."""
    snapshot = Snapshot([("x", [make(), make()])])
    assert snapshot.record() is None


def test_iteration_is_not_disturbed() -> None:
    """What has not changed itself is not touched, so that code may be iterating over it."""
    seen, out = {"a": 1, "b": 2, "c": 3}, []  # type: ignore[var-annotated]
    del seen["a"]  # leaves a hole, which a dict that is filled anew has not
    changed: list[Any] = []
    snapshot = Snapshot([("seen", seen), ("out", changed)])
    changed.append(1)
    recorded = snapshot.record()
    assert recorded is not None
    for key in seen:
        out.append(key)
        fresh: list[Any] = []
        Snapshot([("seen", seen), ("out", fresh)]).restore(recorded.payload)
    assert out == ["b", "c"]


def test_unpicklable_parts_stay() -> None:
    """An attribute that a __getstate__ leaves out is not lost; what has not changed is not set up anew."""
    again: Any = None
    for holder in (WithState(), [WithState()]):
        first, again = holder, holder
        target = first if isinstance(first, WithState) else first[0]
        lock = target.lock
        snapshot = Snapshot([("x", first)])
        before = dict(vars(target))
        target.a = [1]
        recorded = snapshot.record()
        vars(target).clear()
        vars(target).update(before)
        assert recorded is not None
        Snapshot([("x", again)]).restore(recorded.payload)
        assert target.a == [1]
        assert target.lock is lock


def test_what_cannot_be_followed_is_reported() -> None:
    """An argument that can't be pickled is named; the others are followed all the same."""
    held: list[Any] = []
    snapshot = Snapshot([("argument 1", threading.Lock()), ("rows", held), ("hook", [lambda: 0])])
    held.append(1)
    assert snapshot.record() is not None
    assert [text.split(":")[0] for text in snapshot.uncaptured] == ["argument 1 (_thread.lock)", "hook (list)"]
    assert "cannot pickle '_thread.lock' object" in snapshot.uncaptured[0]


def test_what_is_put_in_and_cannot_be_pickled_is_reported() -> None:
    """If an activity puts a lock into an argument, no change is recorded, and each argument is named."""
    held: list[Any] = []
    other: list[Any] = []
    snapshot = Snapshot([("rows", held), ("other", other)])
    held.append(threading.Lock())
    other.append(1)
    assert snapshot.record([held]) is None
    assert snapshot.uncaptured == [
        "rows (list): cannot pickle '_thread.lock' object",
        "other (list), along with the rest",
    ]
    assert other == [1]


class Opaque(Exception):
    """Can be pickled, and not unpickled."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)


def test_what_is_put_in_and_cannot_be_unpickled_is_reported() -> None:
    """What would fail in replay only, is known in the first run."""
    held: list[Any] = []
    snapshot = Snapshot([("rows", held)])
    held.append(Opaque(1, "x"))
    assert snapshot.record() is None
    assert snapshot.uncaptured[0].startswith("rows (list), along with the rest: ")
    assert type(held[0]) is Opaque


def test_new_objects_are_those_of_replay() -> None:
    """New objects are replaced by copies, so that what pickle does not keep is missing in the first run, too."""
    held: list[Any] = []
    snapshot = Snapshot([("rows", held)])
    new = AttributeDict()
    held.append(new)
    snapshot.record()
    assert held == [new]
    assert held[0] is not new


def test_new_objects_of_others_stay() -> None:
    """While another activity is under way, which may have put in what is new, that is left as it is."""
    held: list[Any] = []
    snapshot = Snapshot([("rows", held)])
    new: list[Any] = []
    held.append(new)
    recorded = snapshot.record(new, alone=False)
    assert held[0] is new
    assert recorded is not None
    assert recorded.result is new
    again: list[Any] = []
    assert Snapshot([("rows", again)]).restore(recorded.payload) is again[0]


@pytest.mark.parametrize(
    "activity",
    [
        lambda d: d["rows"],
        lambda d: d["rows"].pop(),
        lambda d: {"first": d["rows"][0], "again": d["rows"][0]},
        lambda d: d["rows"].append([]) or d["rows"][-1],
        lambda d: d.setdefault("new", {}),
        lambda d: (d, 1),
    ],
)
def test_results_made_of_arguments(activity: Callable[[Any], Any]) -> None:
    """A result that has parts in common with the arguments has so in replay, also with what was taken out of them."""
    first, again = ({"rows": [[1], [2], [3]]} for _ in range(2))
    held_first, held_again = list(first["rows"]), list(again["rows"])
    snapshot = Snapshot([("d", first)])
    recorded = snapshot.record(activity(first))
    assert recorded is not None
    assert recorded.has_result
    result = Snapshot([("d", again)]).restore(recorded.payload)
    assert difference([first, held_first, recorded.result], [again, held_again, result]) == ""


@pytest.mark.parametrize("result", [[1], {"a": "rows"}, (1, [2]), object(), "rows", threading.Lock()])
def test_results_of_their_own(result: Any) -> None:
    """A result that has nothing in common with the arguments is none of a snapshot's business."""
    assert Snapshot([("d", {"rows": [[1], "rows"]})]).record(result) is None


@pytest.mark.parametrize("other", [[], [[1, 2]], [[1], [2]], [(1,)], "text", threading.Lock()])
def test_other_arguments(other: Any) -> None:
    """What was recorded of arguments of another make can't be put into these, and that is said."""
    first = [{"a": [1]}]
    snapshot = Snapshot([("x", first)])
    first[0]["a"].append(2)
    recorded = snapshot.record(first[0])
    assert recorded is not None
    with pytest.raises(pickle.UnpicklingError):
        Snapshot([("x", other)]).restore(recorded.payload)


def test_large_arguments() -> None:
    """Megabytes of arguments are followed in time that nobody notices beside the call."""
    rows = [{"id": n, "text": f"row {n}" * 10} for n in range(50_000)]
    started = time.process_time()
    snapshot = Snapshot([("rows", rows)])
    rows[7]["id"] = -1
    recorded = snapshot.record()
    assert recorded is not None
    rows[7]["id"] = 7
    Snapshot([("rows", rows)]).restore(recorded.payload)
    assert rows[7]["id"] == -1
    assert time.process_time() - started < 10


def test_deep_arguments_are_reported() -> None:
    """What is too deep for pickle is reported like anything that can't be pickled."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    snapshot = Snapshot([("deep", deep)])
    assert snapshot.record() is None
    assert "recursion" in snapshot.uncaptured[0]
