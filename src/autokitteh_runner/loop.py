"""An event loop for workflow code: the same order of steps in every run, and timers that survive.

Callbacks run in the order in which they became ready. What comes from outside (the end of an activity, a timer, a
signal) is let in one at a time, and only when nothing is ready: so a recorded order of arrivals determines everything
that happens. Sockets, threads and processes belong into activities, which have an ordinary loop of their own.
"""

import asyncio
import contextvars
import itertools
import logging
import sys
import weakref
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Final, NoReturn, Protocol, TypeVarTuple, Unpack

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


# As the author knows them: asyncio says "Task exception was never retrieved" by the name of the class.
_NumberedTask.__name__ = "Task"
_NumberedFuture.__name__ = "Future"


class WorkflowLoop(asyncio.AbstractEventLoop):
    """A deterministic event loop. Everything it does not need for that raises NotImplementedError with a remedy."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: dict[int, Callable[[], None]] = {}  # by the handle's id: handles of equal calls are equal
        self._numbers = itertools.count(1)
        self._tasks: dict[asyncio.Task[Any], None] = {}  # those not done, in order of creation
        #: Asynchronous generators that have begun, by id: each has the place of a task, for what it does at its end.
        self._generators: dict[int, tuple[Callable[[], Any], Scope]] = {}
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
            self.run_until_complete(self.shutdown_asyncgens())
            self.close()

    def run_until_complete(self, future: Any) -> Any:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if events._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        future = asyncio.ensure_future(future, loop=self)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._generator_begins, self._generator_is_dropped)
        events._set_running_loop(self)
        self._running = True
        ended: list[Any] = []
        future.add_done_callback(ended.append)
        try:
            while not ended:
                if self._ready:
                    self._run_ready()
                else:
                    self._host.let_in_next()
            return future.result()
        except BaseException:
            if future.done() and not future.cancelled():
                future.exception()  # SystemExit comes out of the task and out of here; once is enough
            raise
        finally:
            self._running = False
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _run_ready(self) -> None:
        # One round, as in asyncio: what it makes ready is left for the next. When the main coroutine has ended there is
        # no next one, or else tasks that are always ready would keep the loop going for ever.
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
            del handle  # which would live, and its task with it, as long as a traceback that leads through here

    def _cancel_tasks(self) -> None:
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if not left:
            return
        self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        for task in left:
            if not task.cancelled() and task.exception() is not None:
                message = "unhandled exception during asyncio.run() shutdown"
                self.call_exception_handler({"message": message, "exception": task.exception(), "task": task})

    # --- asynchronous generators -------------------------------------------------------------------------------------

    def _generator_begins(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators.pop(id(generator), None)  # of one that is gone, and did not begin now
        self._generators[id(generator)] = (weakref.ref(generator), self._new_scope())

    def _generator_is_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        # Perhaps by garbage collection, in any thread: nothing may be done here but to make it ready.
        _, its_scope = self._generators.get(id(generator), (None, None))
        if its_scope is None or self._closed:
            return

        def close() -> None:
            self._create_task(self._close_generator(generator), its_scope, None)

        # Held from now on, and found by `shutdown_asyncgens` if the loop ends before the task has begun.
        self._generators[id(generator)] = (lambda: generator, its_scope)
        self.call_soon(close, context=Context())

    async def _close_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        if self._generators.pop(id(generator), None) is not None:
            await generator.aclose()

    async def shutdown_asyncgens(self) -> None:
        """Close the generators that are still open, in the order in which they began."""
        while self._generators:
            key, (find, its_scope) = next(iter(self._generators.items()))
            generator = find()
            if generator is None:
                del self._generators[key]
                continue
            try:
                await self._create_task(self._close_generator(generator), its_scope, None)
            except Exception as err:
                message = "an error occurred during closing of an asynchronous generator"
                self.call_exception_handler({"message": message, "exception": err, "asyncgen": generator})

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
            self._timers.pop(id(handle), None)
            self._ready.append(handle)

        delay = when - self.time()
        if delay <= 0:
            self._ready.append(handle)
        else:
            self._timers[id(handle)] = self._host.open_timer(delay, fire)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        call_off = self._timers.pop(id(handle), None)
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
        return self._create_task(coro, self._new_scope(), context, name)

    def _new_scope(self) -> Task:
        parent = workflow_task()
        return parent.child() if parent is not None else Task("0.loop")

    def _create_task(
        self, coro: Any, its_scope: Scope, context: Context | None, name: object = None
    ) -> asyncio.Task[Any]:
        context = copy_context() if context is None else context
        try:
            context.run(scope.set, its_scope)
        except RuntimeError:  # the very context that this runs in, to be shared: so is the place in the journal
            pass
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

    def get_exception_handler(self) -> Any:
        return self._exception_handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is not None:
            self._exception_handler(self, context)
        else:
            self.default_exception_handler(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        _log.error(context.get("message") or "Unhandled exception in a task", exc_info=error)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        pass

    def set_task_factory(self, factory: Any) -> None:
        if factory is not None:
            raise NotImplementedError(
                "A task factory is not possible in the workflow code of a durable session, whose event loop makes its "
                "tasks itself"
            )

    def run_in_executor(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        raise NotImplementedError(
            "loop.run_in_executor is not possible in the workflow code of a durable session; use asyncio.to_thread"
        )


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"{what} is not possible in the workflow code of a durable session. Do it in an async function that is "
            "marked @autokitteh.activity"
        )

    return refuse


#: What a loop can do elsewhere.
_REFUSED: Final = {
    "A network connection": "create_connection create_unix_connection create_datagram_endpoint start_tls sendfile",
    "A network server": "create_server create_unix_server connect_accepted_socket",
    "A look-up of a network address": "getaddrinfo getnameinfo",
    "Starting a process": "subprocess_exec subprocess_shell",
    "Using a pipe": "connect_read_pipe connect_write_pipe",
    "Using a socket": "sock_accept sock_connect sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall "
    "sock_sendfile sock_sendto add_reader remove_reader add_writer remove_writer",
    "Handling a signal of the operating system": "add_signal_handler remove_signal_handler",
    "An executor": "set_default_executor",
    "Stopping or starting the event loop": "stop run_forever",
    "Something that another thread does": "call_soon_threadsafe",
}

for _what, _names in _REFUSED.items():
    for _name in _names.split():
        setattr(WorkflowLoop, _name, _refusing(_what))
