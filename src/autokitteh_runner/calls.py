"""The resolver: what rewritten code calls instead of what it names.

It is on the path of every call in workflow code, so its common answers come first: a function it has answered for
before, a method of such a function, a method of a built-in type. Everything else goes the long way, once.
"""

import asyncio
import functools
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, ModuleType, WrapperDescriptorType
from typing import Any, Final, cast

from autokitteh.errors import AutoKittehError
from autokitteh_runner import deterministic as tables
from autokitteh_runner.activities import Call
from autokitteh_runner.classify import Decision, Kind, classify
from autokitteh_runner.effects import Effects
from autokitteh_runner.loop import WorkflowLoop
from autokitteh_runner.scope import Inhibited, Outside, Task, scope
from autokitteh_runner.site import Sites

_MISSING: Final = object()

#: Methods in C that want to know the class which defines them are of a type of their own, derived from the other.
_BUILTIN_OF_CLASS: Final = type(re.compile("").sub)


class Resolver:
    """Decides on calls of one durable session. `resolve` is what rewritten code calls."""

    def __init__(self, effects: Effects, sites: Sites, local_files: set[str], seed: str) -> None:
        self._effects = effects
        self._sites = sites
        self._local_files = local_files
        self._random = random.Random(seed)
        self._no_activity: set[Any] = set()
        self._direct: set[Any] = set()  # functions known to be called directly, wherever they are called
        self._decisions: dict[Any, Decision] = {}  # of functions that live as long as the process
        self._loop: WorkflowLoop | None = None  # what asyncio.get_event_loop gives outside any
        self._special: dict[Any, Callable[..., Any]] = {
            time.sleep: self._sleep,
            asyncio.sleep: self._asyncio_sleep,
            asyncio.run: self._asyncio_run,
            asyncio.Runner: self._asyncio_runner,
            asyncio.new_event_loop: self._new_loop,
            asyncio.get_event_loop: self._get_loop,
            asyncio.set_event_loop: self._set_loop,
            asyncio.as_completed: self._as_completed,
            random.seed: self._random.seed,
            **{fn: functools.partial(self._call_with_resolved, fn) for fn in tables.HIGHER_ORDER},
        }
        self.resolve = self._make_resolve()

    def _make_resolve(self) -> Callable[[Any], Any]:
        # Locals of a closure are the quickest names Python has.
        direct, builtin_types, slow = self._direct, tables.BUILTIN_TYPES, self._resolve_slowly
        function, method, module = FunctionType, MethodType, ModuleType
        builtin, builtin_of_class = BuiltinFunctionType, _BUILTIN_OF_CLASS

        def resolve(fn: Any) -> Any:
            kind = type(fn)
            if kind is function:
                return fn if fn in direct else slow(fn)
            if kind is method:
                key = fn.__func__
            elif kind is builtin or kind is builtin_of_class:
                owner = type(fn.__self__)
                if owner in builtin_types and owner is not type:
                    return fn
                key = fn if owner is module or owner is type else (owner, fn.__name__)
            else:
                key = fn
            try:
                if key in direct:
                    return fn
            except Exception:  # not hashable
                pass
            return slow(fn)

        return resolve

    def register_no_activity(self, items: Iterable[Any]) -> None:
        """Call these functions, methods, or all methods of these classes, directly from now on."""
        self._no_activity.update(items)
        self._decisions.clear()

    def _resolve_slowly(self, fn: Any) -> Any:
        here = scope.get()
        if type(here) is not Task:
            return fn
        special = self._special_of(fn)
        if special is not None:
            return special
        decision = self._decide(fn)
        kind = decision.kind
        if kind is Kind.DIRECT:
            return fn
        if kind is Kind.RANDOM:
            return self._new_random if decision.name == "Random" else getattr(self._random, decision.name)
        return _Intercepted(self, decision, fn)

    def _special_of(self, fn: Any) -> Callable[..., Any] | None:
        try:
            return self._special.get(fn)
        except Exception:  # not hashable
            return None

    def _decide(self, fn: Any) -> Decision:
        try:
            known = self._decisions.get(fn)
        except Exception:  # not hashable
            return classify(fn, self._local_files, self._no_activity)
        if known is not None:
            return known
        decision = classify(fn, self._local_files, self._no_activity)
        if decision.kind is Kind.DIRECT:
            key = _key_of(fn, decision)
            if key is not None:
                self._direct.add(key)
                return decision
        if _lives_long(fn):
            self._decisions[fn] = decision
        return decision

    # --- what an intercepted call does -------------------------------------------------------------------------------

    def perform(self, decision: Decision, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any], site: str) -> Any:
        """Make an intercepted call in the workflow code that is running."""
        task = scope.get()
        if type(task) is not Task:
            return fn(*args, **kwargs)
        if decision.kind is Kind.INHIBIT:
            return self._inhibited(task, fn, args, kwargs)
        if decision.kind is Kind.REFUSED:
            raise _refusal(decision.name)
        call = Call((task.path, task.take_index()), decision.name, site, fn, args, kwargs, decision.options)
        with self._effects.failing():
            if decision.kind is Kind.NOTE:
                return self._effects.activities.note(call)
            if decision.is_async:
                return self._effects.activities.call_async(call)
            return self._effects.activities.call(call)

    def _inhibited(self, task: Task, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        before = scope.set(Inhibited(task))
        try:
            return fn(*args, **kwargs)
        finally:
            scope.reset(before)

    # --- functions with a durable meaning of their own ---------------------------------------------------------------

    def _sleep(self, seconds: float, /) -> None:
        seconds = _check_seconds(seconds)
        with self._effects.failing():
            self._effects.waits.wait("sleep", "time.sleep", seconds, (), f"{seconds:g}")

    def _asyncio_sleep(self, delay: float, result: Any = None) -> Any:
        # The place is taken when the coroutine runs, as that of any effect in it.
        if delay <= 0:
            return asyncio.sleep(delay, result)
        site = self._sites.of(sys._getframe(1))
        return self._sleep_in_loop(_check_seconds(delay), result, site)

    async def _sleep_in_loop(self, delay: float, result: Any, site: str) -> Any:
        if type(scope.get()) is not Task:  # handed to an activity, which has a loop of its own
            return await asyncio.sleep(delay, result)
        with self._effects.failing():
            await self._effects.waits.wait_async("sleep", "asyncio.sleep", delay, site)
        return result

    def _asyncio_run(self, main: Any, *, debug: bool | None = None, loop_factory: Any = None) -> Any:
        if asyncio._get_running_loop() is not None:
            main.close()
            raise RuntimeError("asyncio.run() cannot be called from a running event loop")
        return self.run_in_loop(main)

    def run_in_loop(self, main: Any) -> Any:
        """Run a coroutine of workflow code to its end."""
        with self._effects.failing():
            return self._new_loop().run(main)

    def _new_loop(self) -> WorkflowLoop:
        return WorkflowLoop(self._effects)  # type: ignore[abstract]  # what it lacks is set from outside

    def _asyncio_runner(self, *, debug: bool | None = None, loop_factory: Any = None) -> asyncio.Runner:
        return asyncio.Runner(loop_factory=self._new_loop)

    def _get_loop(self) -> asyncio.AbstractEventLoop:
        running = asyncio._get_running_loop()
        if running is None and self._loop is None:
            self._loop = self._new_loop()
        return running or cast("WorkflowLoop", self._loop)

    def _set_loop(self, loop: WorkflowLoop | None) -> None:
        self._loop = loop

    def _as_completed(self, fs: Any, *, timeout: float | None = None) -> Any:
        # asyncio's own makes tasks of a set of coroutines, in the order of their addresses.
        return asyncio.as_completed([asyncio.ensure_future(f) for f in fs], timeout=timeout)

    def _call_with_resolved(self, higher: Callable[..., Any], /, fn: Any, *args: Any) -> Any:
        return higher(self.resolve(fn), *args)

    def _new_random(self, x: Any = _MISSING) -> random.Random:
        return random.Random(self._random.getrandbits(128) if x is _MISSING or x is None else x)


class _Intercepted:
    """Stands for a callable whose calls are effects, in the one place where it is called."""

    __slots__ = ("_decision", "_fn", "_resolver")

    def __init__(self, resolver: Resolver, decision: Decision, fn: Any) -> None:
        self._resolver = resolver
        self._decision = decision
        self._fn = fn

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        resolver = self._resolver
        site = resolver._sites.of(sys._getframe(1))
        return resolver.perform(self._decision, self._fn, args, kwargs, site)


@contextmanager
def loading() -> Any:
    """While a project's module runs its own statements, calls are made directly."""
    before = scope.set(Outside.LOADING)
    try:
        yield
    finally:
        scope.reset(before)


#: What is made once, and says its name. Other objects may say anything.
_CODE: Final = (FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, type)


def _lives_long(item: Any) -> bool:
    """Whether something to call is there for good. A function made in a function, say, is one of many."""
    if not issubclass(type(item), _CODE):
        return False
    is_bound = isinstance(item, BuiltinFunctionType) and not isinstance(item.__self__, ModuleType | type | None)
    return not is_bound and "<locals>" not in item.__qualname__ and "<lambda>" not in item.__qualname__


def _key_of(fn: Any, decision: Decision) -> Any:
    """By what a direct callable may be remembered, so that nothing else is taken for direct; None: not at all."""
    if type(fn) is MethodType:
        return fn.__func__ if decision.is_code and _lives_long(fn.__func__) else None
    if type(fn) is FunctionType:
        return fn if decision.is_code and _lives_long(fn) else None
    if isinstance(fn, BuiltinFunctionType) and not isinstance(fn.__self__, ModuleType | type | None):
        key = (type(fn.__self__), fn.__name__)
        return key if _lives_long(key[0]) and key not in tables.OF_THEIR_OBJECT_IN_C else None
    return fn if _lives_long(fn) else None


def _check_seconds(seconds: Any) -> float:
    if not isinstance(seconds, int | float) and not hasattr(seconds, "__float__") and not hasattr(seconds, "__index__"):
        raise TypeError(f"'{type(seconds).__name__}' object cannot be interpreted as an integer")
    seconds = float(seconds)
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if seconds < 0:
        raise ValueError(f"sleep length must be non-negative, not {seconds:g}; use max(0, ...) for a time gone by")
    return float(seconds)


def _refusal(name: str) -> AutoKittehError:
    return AutoKittehError(
        f"{name} starts {tables.THREADS[name]} in the workflow code of a durable session, where the order of what "
        "happens must be the same in each run. Use it in a function marked @autokitteh.activity, or asyncio.gather"
    )
