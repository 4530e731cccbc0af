"""An event loop for workflow code: the same order of steps in every run, and timers that survive.

Callbacks run in the order in which they became ready. What comes from outside (the end of an activity, a timer, a
signal) is let in one at a time, and only when nothing is ready: so a recorded order of arrivals determines everything
that happens. Sockets, threads and processes belong into activities, which have an ordinary loop of their own.
"""

import asyncio
import contextvars
import itertools
import logging
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, NoReturn, Protocol, TypeVarTuple, Unpack

from autokitteh_runner.scope import Scope, Task, scope, workflow_task

Ts = TypeVarTuple("Ts")

_log = logging.getLogger("asyncio")


class Host(Protocol):
    """What the loop needs from the session around it."""

    def now(self) -> float:
        """Time as the journal knows it, in seconds; the same in replay."""
        ...

    def open_timer(self, seconds: float, fire: Callable[[], None]) -> Callable[[], None]:
        """Call `fire` when the time is over; gives a function that calls it off."""
        ...

    def let_in_next(self) -> None:
        """Wait for the next thing from outside and let it make callbacks ready."""
        ...


class _NumberedTask(asyncio.Task[Any]):
    """A task whose hash is a running number, so that a set of tasks is iterated in the same order in every run."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class _NumberedFuture(asyncio.Future[Any]):
    """A future whose hash is a running number, as with tasks."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class WorkflowLoop(asyncio.AbstractEventLoop):
    """A deterministic event loop. Everything it does not need for that raises NotImplementedError with a remedy."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: dict[asyncio.TimerHandle, Callable[[], None]] = {}
        self._numbers = itertools.count(1)
        self._tasks: dict[asyncio.Task[Any], None] = {}  # those not done, in order of creation
        self._running = False
        self._closed = False
        self._exception_handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, in the scope of the caller, as `asyncio.run` does."""
        try:
            return self.run_until_complete(self._create_task(main, scope.get(), None))
        finally:
            self._cancel_tasks()
            self.close()

    def run_until_complete(self, future: Any) -> Any:
        future = asyncio.ensure_future(future, loop=self)
        previous = events._get_running_loop()
        events._set_running_loop(self)
        self._running = True
        try:
            while True:
                self._run_ready()
                if future.done():
                    return future.result()
                self._host.let_in_next()
        finally:
            self._running = False
            events._set_running_loop(previous)

    def _run_ready(self) -> None:
        while self._ready:
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    def _cancel_tasks(self) -> None:
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    # --- making things ready -----------------------------------------------------------------------------------------

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)

        def fire() -> None:
            self._timers.pop(handle, None)
            self._ready.append(handle)

        delay = when - self.time()
        if delay <= 0:
            self._ready.append(handle)
        else:
            self._timers[handle] = self._host.open_timer(delay, fire)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        call_off = self._timers.pop(handle, None)
        if call_off is not None:
            call_off()

    def time(self) -> float:
        return self._host.now()

    def create_future(self) -> asyncio.Future[Any]:
        future = _NumberedFuture(loop=self)
        future.number = next(self._numbers)
        return future

    def create_task(
        self, coro: Any, *, name: object = None, context: Context | None = None, **_kwargs: Any
    ) -> asyncio.Task[Any]:
        parent = workflow_task()
        child = parent.child() if parent is not None else Task("0.loop")
        return self._create_task(coro, child, context, name)

    def _create_task(
        self, coro: Any, its_scope: Scope, context: Context | None, name: object = None
    ) -> asyncio.Task[Any]:
        context = copy_context() if context is None else context
        context.run(scope.set, its_scope)
        number = next(self._numbers)
        task = _NumberedTask(coro, loop=self, context=context, name=str(name or f"Task-{number}"))
        task.number = number
        self._tasks[task] = None
        task.add_done_callback(self._forget_task, context=contextvars.Context())
        return task

    def _forget_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)

    # --- being a loop ------------------------------------------------------------------------------------------------

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        pass

    def get_task_factory(self) -> None:
        return None

    def set_exception_handler(self, handler: Any) -> None:
        self._exception_handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is not None:
            self._exception_handler(self, context)
        else:
            self.default_exception_handler(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        _log.error(context.get("message") or "Unhandled exception in a task", exc_info=error)

    async def shutdown_asyncgens(self) -> None:
        pass

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        pass

    def _refuse(self, what: str) -> NoReturn:
        raise NotImplementedError(
            f"{what} is not possible in the workflow code of a durable session. Do it in an async function that is "
            "marked @autokitteh.activity"
        )

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        self._refuse("loop.call_soon_threadsafe")

    def run_in_executor(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        raise NotImplementedError(
            "loop.run_in_executor is not possible in the workflow code of a durable session; use asyncio.to_thread"
        )

    def stop(self) -> NoReturn:
        self._refuse("loop.stop")

    def run_forever(self) -> NoReturn:
        self._refuse("loop.run_forever")

    async def create_connection(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("A network connection")

    async def create_server(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("A network server")

    async def getaddrinfo(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("A look-up of a network address")

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("Starting a process")

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("Starting a process")
