"""The event loop of workflow code: the same order of steps in every run, and otherwise what asyncio is."""

import asyncio
import contextvars
import gc
import logging
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autokitteh_runner.loop import WorkflowLoop
from autokitteh_runner.scope import Task, scope, workflow_task

sys.path.insert(0, str(Path(__file__).parent))

import async_programs
from async_programs import Host, Program, Runner, run, trace_of

needs_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="is new in Python 3.12")
needs_313 = pytest.mark.skipif(sys.version_info < (3, 13), reason="is new in Python 3.13")


# --- the same in every run -------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_the_same_arrivals_give_the_same_steps(seed: int, order: int) -> None:
    """A program that is run again, with its timers ending in the same order, does the same step by step."""
    assert trace_of(seed, order) == trace_of(seed, order)


def test_processes_do_not_differ() -> None:
    """Neither addresses nor the hash seed show in the order of steps: other processes do the same."""
    program = str(Path(async_programs.__file__))
    traces = [
        subprocess.run(
            [sys.executable, program, "0", "150"],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert traces[0].count("\n") == 150


@pytest.mark.slow
@given(st.integers(), st.integers())
@settings(max_examples=5000, deadline=None)
def test_the_same_arrivals_give_the_same_steps_at_length(seed: int, order: int) -> None:
    """The same, for many more programs."""
    assert trace_of(seed, order) == trace_of(seed, order)


#: What a program does in the same order whoever runs it, as long as it does not depend on how long things take.
STEADY = {"step", "set", "clear", "gather", "group", "locked", "semaphore", "shield"}


def steady(program: Program) -> Program:
    """A program without what depends on times; sleeping is stepping."""
    return [(kind, 0, *map(steady, parts)) if kind in STEADY else ("step", 0) for kind, _, *parts in program]


@given(st.integers(0, 2**32))
@example(167926)  # tasks that are cancelled when they have just begun others
@settings(max_examples=100, deadline=None)
def test_steps_are_those_of_asyncio(seed: int) -> None:
    """Where times play no part, the order of steps is the very one of asyncio's own loop."""
    program = steady(async_programs.make(random.Random(seed)))

    async def step(seconds: float) -> None:
        await asyncio.sleep(0)

    async def main() -> tuple[list[str], int]:
        runner = Runner(step)
        await runner.run(program, "m")
        steps = len(runner.trace)
        return await runner.main([]), steps

    (ours, our_steps), (theirs, their_steps) = run(main()), asyncio.run(main())
    assert ours[:our_steps] == theirs[:their_steps]
    # What is left is in sets, which have no order with asyncio, and so is cancelled in any.
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("run_it", [run, asyncio.run], ids=["ours", "asyncio"])
def test_tasks_that_are_always_ready(run_it: Callable[[Any], Any]) -> None:
    """A task that never waits for anything does not keep the loop going when the main coroutine has ended."""
    ended: list[int] = []

    async def spin() -> None:
        turns = 0
        try:
            while True:
                await asyncio.sleep(0)
                turns += 1
        finally:
            ended.append(turns)

    async def main() -> str:
        tasks.append(asyncio.create_task(spin()))
        for _ in range(5):
            await asyncio.sleep(0)
        return "result"

    tasks: list[asyncio.Task[None]] = []
    assert run_it(main()) == "result"
    assert ended == [5]


# --- places in the journal -------------------------------------------------------------------------------------------


def path() -> str:
    """The path of the task that is running."""
    task = workflow_task()
    assert task is not None
    return task.path


def test_tasks_have_paths_in_order_of_creation() -> None:
    """The main coroutine goes on in the task of its caller; tasks are numbered below those that made them."""

    async def child() -> list[str]:
        async def grandchild() -> str:
            return path()

        return [path(), *await asyncio.gather(grandchild(), grandchild())]

    async def main() -> Any:
        return [path(), await asyncio.gather(child(), child()), await asyncio.create_task(child()), await child()]

    assert run(main()) == [
        "0",
        [["0.0", "0.0.0", "0.0.1"], ["0.1", "0.1.0", "0.1.1"]],
        ["0.2", "0.2.0", "0.2.1"],
        ["0", "0.3", "0.4"],
    ]


def test_callbacks_belong_to_the_task_that_made_them() -> None:
    """Timers and callbacks run in the context that they were made in."""
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: seen.append(path()))
        loop.call_later(5, lambda: seen.append(path()))
        await asyncio.sleep(6)

    async def parent() -> None:
        await asyncio.create_task(main())

    run(parent())
    assert seen == ["0.0", "0.0"]


def test_tasks_in_a_context_of_their_own() -> None:
    """A context that is handed over is used, and one that is being run in may be shared."""
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var", default=0)

    async def read() -> tuple[int, str]:
        return var.get(), path()

    async def main() -> Any:
        other = contextvars.copy_context()
        other.run(var.set, 5)
        task = asyncio.create_task(read(), context=other)
        shared = contextvars.copy_context()

        async def inner() -> Any:
            return await asyncio.create_task(read(), context=shared)

        return [await task, await asyncio.create_task(inner(), context=shared), var.get(), path()]

    results = run(main())
    assert results[0] == (5, "0.0")
    assert results[1][0] == 0
    assert results[2:] == [0, "0"]


def test_generators_have_a_place_of_their_own() -> None:
    """What an asynchronous generator does when it is closed has one place, whenever that happens."""
    places: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            places.append(path())

    async def dropping() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(3)
        places.append("dropped")

    async def keeping(kept: list[Any]) -> None:
        kept.append(numbers())
        await anext(kept[0])

    async def main() -> None:
        kept: list[Any] = []
        await asyncio.gather(dropping(), keeping(kept))
        await asyncio.create_task(keeping(kept))
        places.append("end")
        main_kept.append(kept)

    main_kept: list[Any] = []
    run(main())
    assert places == ["0.0.0", "dropped", "end", "0.1.0"]


def test_generators_in_circles_are_closed_as_well() -> None:
    """A generator that only garbage collection finds is closed in the loop, not where it was found."""
    closed: list[str] = []

    async def numbers(own: list[Any]) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(1)
            closed.append(path())

    async def main() -> None:
        own: list[Any] = []
        own.append(numbers(own))
        await anext(own[0])
        del own
        gc.collect()
        assert closed == []
        await asyncio.sleep(5)
        assert closed == ["0.0"]

    run(main())


def test_generators_dropped_at_the_end_are_closed() -> None:
    """One that is dropped when the main coroutine returns is closed all the same, to its end."""
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(1)
            closed.append(path())

    async def main() -> None:
        async for _ in numbers():
            break

    run(main())
    assert closed == ["0.0"]


def test_generators_are_closed_in_order_of_their_beginning() -> None:
    """That is so even if one stands in memory where another was, which began before."""
    closed: list[str] = []

    async def numbers(name: str) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(name)

    kept: list[Any] = []

    async def main() -> None:
        gone, first = numbers("gone"), numbers("first")
        await anext(gone)
        await anext(first)
        assert [number async for number in gone] == []
        del gone
        second = numbers("second")
        await anext(second)
        kept.extend([first, second])

    run(main())
    assert closed == ["gone", "first", "second"]


def test_errors_of_closing_generators_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A generator that fails when it is closed at the end does not fail the program."""

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("in closing")

    kept: list[Any] = []

    async def main() -> int:
        kept.append(numbers())
        return await anext(kept[0])

    assert run(main()) == 1
    assert "an error occurred during closing of an asynchronous generator" in caplog.text
    assert "in closing" in caplog.text


# --- what asyncio promises -------------------------------------------------------------------------------------------


def test_time_outs() -> None:
    """Time goes by as the session's own, and time-outs end what takes longer."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 10)
        assert loop.time() == began + 10
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(1000)
        assert loop.time() == began + 15
        async with asyncio.timeout(5) as limit:
            limit.reschedule(loop.time() + 20)
            await asyncio.sleep(10)
        assert loop.time() == began + 25
        assert await asyncio.wait_for(asyncio.sleep(1, "x"), 10) == "x"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(1), 0)

    run(main())


def test_equal_timers_are_two() -> None:
    """Two timers for the same call at the same time are called off one by one."""
    calls: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        when = loop.time() + 5
        first, second = loop.call_at(when, calls.append, 1), loop.call_at(when, calls.append, 1)
        assert first == second
        first.cancel()
        await asyncio.sleep(6)
        assert calls == [1]
        second.cancel()
        late = loop.call_later(1, calls.append, 2)
        late.cancel()
        late.cancel()
        await asyncio.sleep(2)

    run(main())
    assert calls == [1]


def test_past_timers() -> None:
    """A timer for a moment that has gone by is ready at once, after what is ready already."""
    calls: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(calls.append, 1)
        loop.call_later(-5, calls.append, 2)
        loop.call_at(0, calls.append, 3)
        loop.call_soon(calls.append, 4).cancel()
        await asyncio.sleep(0)

    run(main())
    assert calls == [1, 2, 3]


def test_task_groups() -> None:
    """One that fails cancels the others, and all errors come out."""

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("no")

    async def main() -> None:
        others = []
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                others.append(group.create_task(asyncio.sleep(100)))
                group.create_task(fail())
        assert repr(caught.value.exceptions) == "(ValueError('no'),)"
        assert others[0].cancelled()

    run(main())


def test_locks_queues_and_barriers() -> None:
    """asyncio's own tools work, and let those that wait go in their order."""
    order: list[Any] = []

    async def worker(number: int, lock: asyncio.Lock, queue: asyncio.Queue[int], barrier: asyncio.Barrier) -> None:
        await barrier.wait()
        async with lock:
            await asyncio.sleep(1)
            order.append(number)
            await queue.put(number)

    async def main() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        parts = asyncio.Lock(), queue, asyncio.Barrier(3)
        tasks = [asyncio.create_task(worker(n, *parts)) for n in range(3)]
        return [await queue.get() for _ in tasks]

    results = run(main())
    assert sorted(results) == [0, 1, 2]
    assert results == order


def test_sets_of_tasks_have_an_order() -> None:
    """Tasks and futures in a set are iterated as the numbers of their creation would be, whatever their addresses."""

    async def main() -> list[list[str]]:
        tasks = {asyncio.create_task(asyncio.sleep(0), name=str(n)) for n in range(5)}
        futures = {asyncio.get_running_loop().create_future() for _ in range(3)}
        assert [hash(future) for future in futures] == list({hash(future) for future in futures})
        done, _ = await asyncio.wait(tasks)
        for future in futures:
            future.cancel()
        return [[task.get_name() for task in group] for group in (tasks, done)]

    assert run(main()) == [["0", "1", "2", "3", "4"]] * 2


def test_tasks_are_asyncios() -> None:
    """Tasks can be asked for, and look like those of asyncio."""

    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(1), name="a name")
        current = asyncio.current_task()
        assert current is not None
        assert asyncio.all_tasks() == {task, current}
        assert repr(task).startswith("<Task pending name='a name'")
        assert isinstance(task, asyncio.Task)
        assert task.get_loop() is asyncio.get_running_loop()
        assert asyncio.create_task(asyncio.sleep(0)).get_name().startswith("Task-")

    run(main())


@needs_312
def test_eager_tasks() -> None:
    """A task that is told to begin at once does so."""

    async def main() -> None:
        seen: list[int] = []

        async def child() -> None:
            seen.append(1)

        asyncio.Task(child(), loop=asyncio.get_running_loop(), eager_start=True)  # type: ignore[call-arg]
        assert seen == [1]

    run(main())


@needs_313
def test_queues_can_be_shut_down() -> None:
    """A queue that is shut down says so to those that wait."""

    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        getter = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.shutdown()  # type: ignore[attr-defined]
        with pytest.raises(asyncio.QueueShutDown):  # type: ignore[attr-defined]
            await getter

    run(main())


@needs_313
def test_as_completed_as_an_asynchronous_iterator() -> None:
    """asyncio.as_completed gives the tasks themselves, as they complete."""

    async def main() -> list[str]:
        tasks = [asyncio.create_task(asyncio.sleep(n), name=str(n)) for n in (3, 1, 2)]
        return [done.get_name() async for done in asyncio.as_completed(tasks)]  # type: ignore[attr-defined]

    assert run(main()) == ["1", "2", "3"]


def test_runner() -> None:
    """asyncio.Runner runs one coroutine after another in the loop that it is given, and cleans up."""
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(path())

    async def main() -> str:
        asyncio.create_task(background())  # noqa: RUF006
        await asyncio.sleep(1)
        return path()

    before = scope.set(Task("0"))
    try:
        with asyncio.Runner(loop_factory=lambda: WorkflowLoop(Host())) as runner:  # type: ignore[abstract]
            assert runner.run(asyncio.sleep(0, 5)) == 5
            assert runner.run(main()) == "0.1"
            assert isinstance(runner.get_loop(), WorkflowLoop)
            assert ended == []
    finally:
        scope.reset(before)
    assert ended == ["0.1.0"]


def test_a_loop_of_ones_own() -> None:
    """The old way: make a loop, run this and that in it, close it."""
    before = scope.set(Task("0"))
    try:
        loop = WorkflowLoop(Host())  # type: ignore[abstract]
        future = loop.create_future()
        loop.call_later(3, future.set_result, 7)
        assert loop.run_until_complete(future) == 7
        assert loop.run_until_complete(asyncio.sleep(1, "x")) == "x"
        assert not loop.is_running()
        assert not loop.is_closed()
        loop.close()
        assert loop.is_closed()
        with pytest.raises(RuntimeError, match="closed"):
            loop.run_until_complete(loop.create_future())
    finally:
        scope.reset(before)


def test_loops_do_not_nest() -> None:
    """A loop can't be run while one is running, as ever."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="while another loop is running"):
            loop.run_until_complete(loop.create_future())

    run(main())


# --- ends ------------------------------------------------------------------------------------------------------------


def test_a_deadlock_is_told() -> None:
    """Tasks that wait for one another and for nothing from outside raise what the session says of that."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="wait for one another"):
        run(main())


def test_tasks_left_behind_are_cancelled() -> None:
    """At the end of the main coroutine the others are cancelled, and may clean up; what they raise is logged."""
    ended: list[str] = []

    async def child(name: str) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            ended.append(name)

    async def main() -> str:
        tasks.extend(asyncio.create_task(child(name)) for name in "ab")
        await asyncio.sleep(1)
        return "result"

    tasks: list[asyncio.Task[None]] = []
    assert run(main()) == "result"
    assert sorted(ended) == ["a", "b"]


def test_errors_at_the_end_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A task that fails while it is being cancelled does not do so in silence."""

    async def child() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            raise ValueError("in cleaning up")

    async def main() -> None:
        kept.append(asyncio.create_task(child()))
        await asyncio.sleep(1)

    kept: list[Any] = []
    run(main())
    assert "unhandled exception during asyncio.run() shutdown" in caplog.text
    assert "in cleaning up" in caplog.text


def test_errors_that_nobody_asks_for_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A task whose exception nobody retrieves is logged, in asyncio's own words; so is a callback that fails."""

    async def child() -> None:
        raise ValueError("in the task")

    def fail() -> None:
        raise ValueError("in the callback")

    async def main() -> None:
        asyncio.create_task(child())  # noqa: RUF006
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(1)
        gc.collect()

    run(main())
    assert "Task exception was never retrieved" in caplog.text
    assert "in the task" in caplog.text
    assert "in the callback" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_exception_handlers() -> None:
    """A handler of the code's own gets what would be logged."""
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert loop.get_exception_handler() is None
        handler = lambda loop, context: seen.append(str(context["exception"]))  # noqa: E731
        loop.set_exception_handler(handler)
        assert loop.get_exception_handler() is handler
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    run(main())
    assert seen == ["division by zero"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_exits(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """SystemExit leaves the loop at once, from the main coroutine or another task, and others clean up."""
    ended: list[str] = []
    kept: list[Any] = []

    async def child() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("child")

    async def leave() -> None:
        raise error

    async def main(in_task: bool) -> None:
        kept.append(asyncio.create_task(child()))
        await asyncio.sleep(1)
        if in_task:
            kept.append(asyncio.create_task(leave()))
            await asyncio.sleep(5)
        raise error

    for in_task in (False, True):
        with pytest.raises(type(error)):
            run(main(in_task))
    gc.collect()
    assert ended == ["child", "child"]
    assert "never retrieved" not in caplog.text


# --- what is not possible --------------------------------------------------------------------------------------------

#: What of a loop's methods is done, without an answer to what it is for.
DONE = {
    *("call_at", "call_exception_handler", "call_later", "call_soon", "close", "create_future", "create_task"),
    *("default_exception_handler", "get_debug", "get_exception_handler", "get_task_factory", "is_closed", "is_running"),
    *("run_until_complete", "set_debug", "set_exception_handler", "shutdown_asyncgens", "shutdown_default_executor"),
    *("time", "set_task_factory"),
}


@pytest.mark.parametrize(
    "name", sorted(name for name in dir(asyncio.AbstractEventLoop) if name[0] != "_" and name not in DONE)
)
def test_what_is_refused(name: str) -> None:
    """Everything that a loop can do elsewhere is refused in words, with what to do instead."""
    with pytest.raises(NotImplementedError, match=r"not possible .* (marked @autokitteh|use asyncio\.to_thread)"):
        getattr(WorkflowLoop(Host()), name)(1, 2, x=3)  # type: ignore[abstract]


def test_task_factories_are_refused() -> None:
    """A task factory would make tasks that have no order; to have none is fine."""
    loop = WorkflowLoop(Host())  # type: ignore[abstract]
    loop.set_task_factory(None)
    assert loop.get_task_factory() is None  # type: ignore[func-returns-value]
    with pytest.raises(NotImplementedError, match="task factory"):
        loop.set_task_factory(lambda loop, coro: None)


def test_network_connections_are_refused() -> None:
    """asyncio's own functions lead there."""

    async def main() -> None:
        with pytest.raises(NotImplementedError, match="A network connection"):
            await asyncio.open_connection("localhost", 1)
        with pytest.raises(NotImplementedError, match="Starting a process"):
            await asyncio.create_subprocess_exec("true")
        with pytest.raises(NotImplementedError, match="A network server"):
            await asyncio.start_server(lambda reader, writer: None, "localhost", 1)

    run(main())


def test_debug_mode_is_off() -> None:
    """Debugging, which would look at real time, stays off."""
    loop = WorkflowLoop(Host())  # type: ignore[abstract]
    loop.set_debug(True)
    assert not loop.get_debug()
