"""What rewritten code calls instead of what it names, and that it costs little and keeps nothing."""

import asyncio
import collections
import datetime
import functools
import gc
import itertools
import math
import os
import random
import sys
import threading
import time
import timeit
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from autokitteh import AttrDict, activity, inhibit_activities
from autokitteh.errors import AutoKittehError
from autokitteh_runner.calls import Resolver, loading
from autokitteh_runner.loop import WorkflowLoop
from autokitteh_runner.scope import Inhibited, Outside, Task, scope
from autokitteh_runner.site import Sites


class Effects:
    """Notes down what would be effects, and makes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, int]] = []  # kind, name, task, index
        self.waited: list[tuple[str, float]] = []
        self.sites: list[str] = []
        self.activities = SimpleNamespace(
            call=functools.partial(self._call, "call"),
            note=functools.partial(self._call, "note"),
            call_async=functools.partial(self._call, "async"),
        )
        self.waits = SimpleNamespace(wait=lambda kind, name, seconds, *rest: self.waited.append((name, seconds)))

    def _call(self, kind: str, call: Any) -> Any:
        self.calls.append((kind, call.name, *call.place))
        self.sites.append(call.site)
        return call.fn(*call.args, **call.kwargs)

    @contextmanager
    def failing(self) -> Iterator[None]:
        yield

    @property
    def names(self) -> list[str]:
        return [name for _, name, _, _ in self.calls]


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def resolver(effects: Effects) -> Resolver:
    return Resolver(effects, Sites(os.path.dirname(__file__), {__file__}), {__file__}, "seed")  # type: ignore[arg-type]  # noqa: PTH120


@pytest.fixture(autouse=True)
def workflow() -> Iterator[None]:
    """All of these tests are workflow code."""
    before = scope.set(Task("0"))
    yield
    scope.reset(before)


def local() -> str:
    return "local"


class Local:
    def method(self) -> str:
        return "method"


@activity(name="the activity")
def marked(value: int) -> int:
    return value


@inhibit_activities
def inhibiting(resolve: Callable[[Any], Any]) -> Any:
    return type(scope.get()), resolve(os.listdir)


@dataclass
class Unhashable:
    """Has `__eq__` and so no hash."""

    x: int = 1

    def __call__(self) -> int:
        return self.x


class BadHash:
    """Fails when it is hashed."""

    def __hash__(self) -> int:
        raise RuntimeError("hash")

    def __call__(self) -> int:
        return 1


def test_direct_calls(resolver: Resolver, effects: Effects) -> None:
    """What is called directly is given back as it is, the first time and ever after."""
    bound = Local().method
    for _ in range(3):
        for fn in (local, bound, Local, len, [].append, {}.get, math.sqrt, datetime.timedelta, Unhashable(), BadHash()):
            assert resolver.resolve(fn) is fn
    assert effects.calls == []


def test_effects_have_places_and_sites(resolver: Resolver, effects: Effects) -> None:
    """Activities and notes are counted in the task, with the line that calls them."""
    assert resolver.resolve(marked)(3) == 3
    assert resolver.resolve(time.time)() > 0
    assert resolver.resolve(os.listdir)("/") == os.listdir("/")  # noqa: PTH208
    assert effects.calls == [
        ("call", "the activity", "0", 0),
        ("note", "time.time", "0", 1),
        ("call", "os.listdir", "0", 2),
    ]
    line = test_effects_have_places_and_sites.__code__.co_firstlineno + 2
    assert effects.sites == [f"test_calls.py:{line + n}:test_effects_have_places_and_sites" for n in range(3)]


@pytest.mark.parametrize("where", [None, Outside.ACTIVITY, Outside.LOADING, Inhibited(Task("0"))])
def test_outside_workflow_code(resolver: Resolver, effects: Effects, where: Any) -> None:
    """In activities, while loading, and where activities are inhibited, nothing is intercepted."""
    made_in_workflow = resolver.resolve(marked)
    before = scope.set(where)
    for fn in (marked, time.sleep, random.random, requests.get, threading.Thread, asyncio.run, map):
        assert resolver.resolve(fn) is fn
    assert made_in_workflow(4) == 4
    scope.reset(before)
    assert effects.calls == []
    assert resolver.resolve(marked) is not marked


def test_other_threads(resolver: Resolver, effects: Effects) -> None:
    """Threads of libraries are no workflow code."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(resolver.resolve(marked)))
    thread.start()
    thread.join()
    assert found == [marked]


def test_loading() -> None:
    """Statements of a module that is being loaded are not workflow code; afterwards it is as before."""
    with loading():
        assert scope.get() is Outside.LOADING
    assert type(scope.get()) is Task


def test_inhibited_functions(resolver: Resolver, effects: Effects) -> None:
    """A function that inhibits activities is called with all that it calls made directly."""
    assert resolver.resolve(inhibiting)(resolver.resolve) == (Inhibited, os.listdir)
    assert type(scope.get()) is Task
    assert effects.calls == []


@pytest.mark.parametrize("fn", [threading.Thread, threading.Timer])
def test_threads_are_refused(resolver: Resolver, fn: Any) -> None:
    """A thread is refused with what to use instead, before anything happens."""
    with pytest.raises(AutoKittehError, match=r"starts a thread .* asyncio\.gather"):
        resolver.resolve(fn)(target=print)
    task = scope.get()
    assert type(task) is Task
    assert task.next_index == 0


def test_nothing_is_kept(resolver: Resolver) -> None:
    """Functions and objects that come and go are not remembered, and so can go."""
    gone: list[weakref.ref[Any]] = []
    sizes = []
    for number in range(100):

        class Made:
            def __call__(self) -> None: ...

            def method(self) -> None: ...

        made = Made()
        for fn in (
            lambda number=number: number,
            made,
            made.method,
            Made,
            functools.partial(local),
            activity(lambda: 0),
        ):
            resolver.resolve(fn)
            gone.append(weakref.ref(fn))
        sizes.append((len(resolver._direct), len(resolver._decisions)))
        del fn, made, Made
    gc.collect()
    assert sizes[0] == sizes[-1]
    assert [ref() for ref in gone if ref() is not None] == []


def test_odd_callables(resolver: Resolver) -> None:
    """Objects that answer to any name, or to none, are no trouble; what can't be called says so itself."""
    for fn in (MagicMock(return_value=1), AttrDict(a=1), Unhashable(), None, 3, "text", BadHash()):
        resolved = resolver.resolve(fn)
        if not callable(fn):
            with pytest.raises(TypeError, match="is not callable"):
                resolved()


def test_register_no_activity(resolver: Resolver, effects: Effects) -> None:
    """What is registered is direct from then on, also if it has been called before."""
    session = requests.Session()
    assert resolver.resolve(session.get_adapter)("http://x") is not None
    assert resolver.resolve(requests.utils.quote) is not requests.utils.dict_from_cookiejar
    resolver.register_no_activity([requests.Session, os.listdir])
    assert resolver.resolve(session.get_adapter) == session.get_adapter
    assert resolver.resolve(os.listdir) is os.listdir
    assert len(effects.calls) == 1


def test_what_is_remembered_of_a_function_is_true_of_all_its_methods(resolver: Resolver, effects: Effects) -> None:
    """Whatever mapping or generator was asked before, the environment and the system's randomness are noted."""
    resolver.resolve(collections.UserDict(a=1).get)("a")
    resolver.resolve(collections.UserDict(a=1).items)()
    resolver.resolve(random.Random.choice)(random.Random(1), [1])
    resolver.resolve(random.Random(1).choice)([1])
    resolver.resolve(os.environ.get)("HOME")
    resolver.resolve(random.SystemRandom().choice)([1])
    assert effects.names == ["os._Environ.get", "random.SystemRandom.choice"]


@given(
    st.permutations(
        [collections.UserDict(a=1).get, os.environ.get, random.Random(1).random, random.SystemRandom().random]
    )
)
def test_the_order_of_calls_does_not_matter(order: list[Any]) -> None:
    """Each call becomes what it is, whichever came first."""
    effects = Effects()
    resolver = Resolver(effects, Sites("/", set()), {__file__}, "seed")  # type: ignore[arg-type]
    before = scope.set(Task("0"))
    for fn in [*order, *order]:
        resolver.resolve(fn)(*(["a"] if fn.__name__ == "get" else []))
    scope.reset(before)
    assert sorted(effects.names) == ["os._Environ.get"] * 2 + ["random.SystemRandom.random"] * 2


# --- functions with a meaning of their own ---------------------------------------------------------------------------


def test_sleep(resolver: Resolver, effects: Effects) -> None:
    """time.sleep is a durable timer, and refuses what time.sleep refuses."""
    sleep = resolver.resolve(time.sleep)
    sleep(3)
    sleep(0.5)
    assert effects.waited == [("time.sleep", 3.0), ("time.sleep", 0.5)]
    with pytest.raises(ValueError, match="must be non-negative"):
        sleep(-1)
    with pytest.raises(ValueError, match="NaN"):
        sleep(math.nan)
    with pytest.raises(TypeError):
        sleep("3")
    with pytest.raises(TypeError):
        sleep(seconds=3)


def test_random_is_the_sessions_own(effects: Effects) -> None:
    """Each session has its numbers, the same in each run, and elements that are chosen stay what they are."""

    def numbers(seed: str) -> list[Any]:
        resolve = Resolver(effects, Sites("/", set()), set(), seed).resolve  # type: ignore[arg-type]
        items = [[n] for n in range(20)]
        chosen = resolve(random.choice)(items)
        assert any(chosen is item for item in items)
        resolve(random.shuffle)(items)
        fresh = resolve(random.Random)()
        assert type(fresh) is random.Random
        return [chosen, items, resolve(random.random)(), fresh.random(), resolve(random.Random)(5).random()]

    assert numbers("a") == numbers("a")
    assert numbers("a")[:4] != numbers("b")[:4]
    assert numbers("a")[4] == random.Random(5).random()
    assert effects.calls == []


def test_random_seed(resolver: Resolver) -> None:
    """random.seed seeds the session's generator and no other."""
    state = random.getstate()
    resolver.resolve(random.seed)(7)
    assert resolver.resolve(random.random)() == random.Random(7).random()
    assert random.getstate() == state


def test_functions_that_call_functions(resolver: Resolver, effects: Effects) -> None:
    """What is handed to map and its like is intercepted as if it were called in that line; lazily, as ever."""
    assert list(resolver.resolve(map)(marked, [1, 2])) == [1, 2]
    assert list(resolver.resolve(itertools.starmap)(marked, [(3,)])) == [3]
    assert list(resolver.resolve(filter)(marked, [0, 4])) == [4]
    assert list(resolver.resolve(filter)(None, [0, 4])) == [4]
    assert resolver.resolve(functools.reduce)(lambda a, b: a + b, [1, 2], 3) == 6
    assert list(resolver.resolve(map)(local.__class__, [])) == []
    lazy = resolver.resolve(map)(marked, [5])
    assert len(effects.calls) == 5
    before = scope.set(Outside.ACTIVITY)
    assert list(lazy) == [5]
    scope.reset(before)
    assert effects.names == ["the activity"] * 5
    with pytest.raises(TypeError):
        resolver.resolve(map)()


def test_loops_are_the_sessions_own(resolver: Resolver) -> None:
    """Whichever way code comes to an event loop, it is the deterministic one."""
    loop = resolver.resolve(asyncio.new_event_loop)()
    assert type(loop) is WorkflowLoop
    get_loop = resolver.resolve(asyncio.get_event_loop)
    assert type(get_loop()) is WorkflowLoop
    assert get_loop() is get_loop()
    resolver.resolve(asyncio.set_event_loop)(loop)
    assert get_loop() is loop
    with resolver.resolve(asyncio.Runner)() as runner:
        assert type(runner.get_loop()) is WorkflowLoop

    async def main() -> Any:
        assert get_loop() is asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="running event loop"):
            resolver.resolve(asyncio.run)(main())
        return type(asyncio.get_running_loop())

    assert resolver.resolve(asyncio.run)(main()) is WorkflowLoop


def test_as_completed_begins_in_order(resolver: Resolver) -> None:
    """Coroutines that are handed to as_completed begin in the order in which they are handed over."""
    began: list[int] = []

    async def child(number: int) -> int:
        began.append(number)
        return number

    async def main() -> list[int]:
        return [await done for done in resolver.resolve(asyncio.as_completed)([child(n) for n in range(20)])]

    assert resolver.resolve(asyncio.run)(main()) == list(range(20))
    assert began == list(range(20))


def test_what_calls_cost(resolver: Resolver, capsys: pytest.CaptureFixture[str]) -> None:
    """A call of a local function costs some hundred nanoseconds more than in plain Python; shown, not judged."""
    resolve, method, append = resolver.resolve, Local().method, [].append  # type: ignore[var-annotated]
    with capsys.disabled():
        for name, fn in (("function", local), ("method", method), ("list.append", append), ("class", Local)):
            nanoseconds = min(timeit.repeat(lambda fn=fn: resolve(fn), number=20_000, repeat=3)) / 20_000 * 1e9  # type: ignore[misc]
            print(f"\n  {name}: {nanoseconds:.0f} ns", end="")
    assert resolve(local) is local
    assert sys.getsizeof(resolver._decisions) < 10_000
