"""Random asynchronous programs that leave a trace of all they do, step by step."""

import asyncio
import random
import sys
from collections.abc import Callable
from typing import Any

from autokitteh_runner.loop import WorkflowLoop
from autokitteh_runner.scope import Task, scope

Program = list[tuple[Any, ...]]


class Host:
    """Stands for the session: timers end at their time, or in the order that `choose` says, given their number."""

    def __init__(self, choose: Callable[[int], int] | None = None) -> None:
        self._choose = choose
        self._timers: dict[int, tuple[float, Callable[[], None]]] = {}
        self._opened = 0
        self._now = 1000.0

    def now(self) -> float:
        return self._now

    def open_timer(self, seconds: float, fire: Callable[[], None]) -> Callable[[], None]:
        self._opened += 1
        number = self._opened
        self._timers[number] = (self._now + seconds, fire)
        return lambda: self._timers.pop(number, None) and None

    def let_in_next(self) -> None:
        if not self._timers:
            raise RuntimeError("all wait for one another")
        if self._choose is None:
            number = min(self._timers, key=lambda number: (self._timers[number][0], number))
        else:
            number = list(self._timers)[self._choose(len(self._timers))]
        when, fire = self._timers.pop(number)
        self._now = max(self._now, when)
        fire()


def run(main: Any, choose: Callable[[int], int] | None = None) -> Any:
    """Run a coroutine as workflow code of the main task."""
    before = scope.set(Task("0"))
    try:
        return WorkflowLoop(Host(choose)).run(main)  # type: ignore[abstract]
    finally:
        scope.reset(before)


def make(rng: random.Random, depth: int = 3) -> Program:
    """A random program."""
    kinds = [
        "sleep",
        "step",
        "set",
        "clear",
        "put",
        "get",
        "wait_event",
        "locked",
        "semaphore",
        "generator",
        "condition",
    ]
    if depth:
        kinds += [
            "gather",
            "wait",
            "as_completed",
            "time_out",
            "wait_for",
            "cancel",
            "group",
            "shield",
            "spawn",
            "raise",
        ]
    program: Program = []
    for _ in range(rng.randrange(1, 5)):
        kind = rng.choice(kinds)
        parts = [make(rng, depth - 1) for _ in range(rng.randrange(1, 4))] if depth else []
        program.append((kind, rng.randrange(4), *parts))
    return program


class Runner:
    """Runs one program."""

    def __init__(self, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        self.trace: list[str] = []
        self._sleep = sleep
        self._event = asyncio.Event()
        self._queue: asyncio.Queue[int] = asyncio.Queue(2)
        self._lock = asyncio.Lock()
        self._semaphore = asyncio.Semaphore(2)
        self._condition = asyncio.Condition()
        self._spawned: set[asyncio.Task[Any]] = set()

    async def main(self, program: Program) -> list[str]:
        """Run it to its end, and what it has left behind."""
        try:
            await self.run(program, "m")
        except (Exception, asyncio.CancelledError) as err:  # two time-outs at once cancel more than they meant to
            self.trace.append(f"main raised {err!r}")
        for task in list(self._spawned):  # in the order of a set
            self.trace.append(f"left {task.get_name()}")
            task.cancel()
        return self.trace

    async def run(self, program: Program, path: str) -> str:
        """Run a part of it."""
        for number, (kind, amount, *parts) in enumerate(program):
            place = f"{path}.{number}"
            self.trace.append(f"{place} {kind}")
            try:
                await getattr(self, "do_" + kind)(place, amount, parts)
            except (TimeoutError, asyncio.QueueFull, asyncio.QueueEmpty) as err:
                self.trace.append(f"{place} {type(err).__name__}")
            except asyncio.CancelledError:
                self.trace.append(f"{place} cancelled")
                raise
        return path

    def tasks(self, place: str, parts: list[Program]) -> list[asyncio.Task[str]]:
        return [
            asyncio.create_task(self.run(part, f"{place}-{n}"), name=f"{place}-{n}") for n, part in enumerate(parts)
        ]

    async def finish(self, tasks: Any) -> None:
        for task in list(tasks):  # in the order of a set, where it is one
            task.cancel()
            try:
                await task
            except (asyncio.CancelledError, Exception) as err:
                self.trace.append(f"finished {task.get_name()} {type(err).__name__}")

    async def do_step(self, place: str, amount: int, parts: list[Program]) -> None:
        await self._sleep(0)

    async def do_sleep(self, place: str, amount: int, parts: list[Program]) -> None:
        await self._sleep(amount)

    async def do_set(self, place: str, amount: int, parts: list[Program]) -> None:
        self._event.set()

    async def do_clear(self, place: str, amount: int, parts: list[Program]) -> None:
        self._event.clear()

    async def do_wait_event(self, place: str, amount: int, parts: list[Program]) -> None:
        await asyncio.wait_for(self._event.wait(), amount)

    async def do_put(self, place: str, amount: int, parts: list[Program]) -> None:
        await asyncio.wait_for(self._queue.put(amount), amount)

    async def do_get(self, place: str, amount: int, parts: list[Program]) -> None:
        self.trace.append(f"got {await asyncio.wait_for(self._queue.get(), amount)}")

    async def do_locked(self, place: str, amount: int, parts: list[Program]) -> None:
        async with self._lock:
            await self._sleep(amount)

    async def do_semaphore(self, place: str, amount: int, parts: list[Program]) -> None:
        async with self._semaphore:
            await self._sleep(amount)

    async def do_condition(self, place: str, amount: int, parts: list[Program]) -> None:
        async with self._condition:
            self._condition.notify(amount)
            async with asyncio.timeout(amount + 1):
                await self._condition.wait()

    async def do_generator(self, place: str, amount: int, parts: list[Program]) -> None:
        async for number in self._numbers(place):
            if number == amount:
                break

    async def _numbers(self, place: str) -> Any:
        try:
            for number in range(3):
                await self._sleep(number)
                yield number
        finally:
            self.trace.append(f"{place} closing")
            await self._sleep(1)
            self.trace.append(f"{place} closed")

    async def do_gather(self, place: str, amount: int, parts: list[Program]) -> None:
        results = await asyncio.gather(
            *(self.run(part, f"{place}-{n}") for n, part in enumerate(parts)), return_exceptions=True
        )
        self.trace.append(f"gathered {results}")

    async def do_wait(self, place: str, amount: int, parts: list[Program]) -> None:
        how = [asyncio.FIRST_COMPLETED, asyncio.ALL_COMPLETED, asyncio.FIRST_EXCEPTION][amount % 3]
        done, pending = await asyncio.wait(self.tasks(place, parts), timeout=amount or None, return_when=how)
        self.trace.append(f"done {[task.get_name() for task in done]}")  # in the order of a set
        await self.finish(pending)
        await self.finish(done)

    async def do_as_completed(self, place: str, amount: int, parts: list[Program]) -> None:
        tasks = self.tasks(place, parts)
        try:
            for next_one in asyncio.as_completed(tasks, timeout=amount * 2 or None):
                self.trace.append(f"completed {await next_one}")
        finally:
            await self.finish(tasks)

    async def do_time_out(self, place: str, amount: int, parts: list[Program]) -> None:
        async with asyncio.timeout(amount):
            await self.run(parts[0], f"{place}-t")

    async def do_wait_for(self, place: str, amount: int, parts: list[Program]) -> None:
        await asyncio.wait_for(self.run(parts[0], f"{place}-w"), amount)

    async def do_cancel(self, place: str, amount: int, parts: list[Program]) -> None:
        tasks = self.tasks(place, parts)
        await self._sleep(amount)
        await self.finish(tasks)

    async def do_group(self, place: str, amount: int, parts: list[Program]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for n, part in enumerate(parts):
                    group.create_task(self.run(part, f"{place}-{n}"), name=f"{place}-{n}")
        except* RuntimeError as errors:
            self.trace.append(f"group {[str(err) for err in errors.exceptions]}")

    async def do_shield(self, place: str, amount: int, parts: list[Program]) -> None:
        (task,) = self.tasks(place, parts[:1])
        self.keep(task)
        async with asyncio.timeout(amount):
            await asyncio.shield(task)

    async def do_spawn(self, place: str, amount: int, parts: list[Program]) -> None:
        for task in self.tasks(place, parts):
            self.keep(task)

    def keep(self, task: asyncio.Task[Any]) -> None:
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def do_raise(self, place: str, amount: int, parts: list[Program]) -> None:
        raise RuntimeError(place)


def trace_of(seed: int, order: int) -> list[str]:
    """What a program does in the workflow's loop, with its timers ending in some order."""
    program = make(random.Random(seed))
    arrivals = random.Random(order)

    async def main() -> list[str]:
        return await Runner().main(program)

    return list(run(main(), arrivals.randrange))


if __name__ == "__main__":
    for number in range(*map(int, sys.argv[1:])):
        print(number, trace_of(number, number + 1))
