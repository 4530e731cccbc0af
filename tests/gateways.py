"""What tests of gateways are made of: whoever listens, and a loop in which nothing may be left lying about."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from autokitteh_server.core.errors import ServerError
from autokitteh_server.integrations.gateway import GatewayState, Listener
from autokitteh_server.integrations.webhook import Found

WAIT_S = 10.0

Run = Callable[..., Awaitable[None]]


class Changes:
    """Wakes whoever waits for something to become true."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def note(self) -> None:
        self._event.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self._event.clear()
                await self._event.wait()


class Heard:
    """A listener that keeps what it is told, and may refuse for a while."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.events: list[Found] = []
        self.states: list[tuple[GatewayState, str]] = []
        self.refusals = 0  # so many deliveries fail from now on
        self.may_deliver = asyncio.Event()
        self.may_deliver.set()
        self.attempts = 0
        self.place = ""
        self.values: dict[str, str] = {}  # what it says that the connection's variables are
        self.renewals: list[dict[str, str]] = []  # what is new in them after a token was refused, one each time
        self.cannot_renew: Exception | None = None

    async def variables(self, *, is_refused: bool = False) -> Mapping[str, str]:
        if is_refused:
            if self.cannot_renew is not None:
                raise self.cannot_renew
            self.values = self.values | (self.renewals.pop(0) if self.renewals else {})
        return self.values

    async def deliver(self, events: Sequence[Found]) -> None:
        self.attempts += 1
        self.changes.note()
        await self.may_deliver.wait()
        if self.refusals:
            self.refusals -= 1
            raise ServerError("the database is away")
        self.events += events
        self.changes.note()

    def keep(self, place: str) -> None:
        self.place = place
        self.changes.note()

    def stands(self, state: GatewayState, message: str) -> None:
        self.states.append((state, message))
        self.changes.note()

    def has_been(self, state: GatewayState, times: int = 1) -> bool:
        return sum(each is state for each, _ in self.states) >= times

    def message_of(self, state: GatewayState) -> str:
        return next(message for each, message in reversed(self.states) if each is state)


class Pauses:
    """Takes the place of sleeping: notes how long it would have been."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.lengths: list[float] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self.changes.note()
        await self.may_end.wait()
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serves an application on this machine. Yields its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        # It still holds requests of those who are gone: nobody has told it.
        handlers = [each for each in asyncio.all_tasks() if "RequestHandler." in repr(each.get_coro())]
        for each in handlers:
            each.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


@asynccontextmanager
async def running(
    run: Run, variables: Mapping[str, str], listener: Listener, **options: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """Runs a gateway; cancels it in the end, which has to take less than two seconds."""
    task = asyncio.ensure_future(run(variables, listener, **options))
    try:
        yield task
    finally:
        task.cancel()
        async with asyncio.timeout(2):
            await asyncio.gather(task, return_exceptions=True)


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a scenario in a loop of its own. Fails if tasks are left, or if anything was not closed."""
    complaints: list[str] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
        await scenario()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        gc.collect()  # where aiohttp and asyncio say what was not closed

    asyncio.run(watched())
    gc.collect()
    assert complaints == []
