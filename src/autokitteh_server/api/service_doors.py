"""Where services send their events: one door for each integration that is called, at the paths it has.

What is known of a sender before its signature is checked is nothing. So the bodies that are in memory at once are
bounded together, and nothing of a body is read before that.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Send

from autokitteh_server.api.doors import AnyMethod, RefusedAtDoor, raw_path, read_body, refusal, unavailable
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.instruments import Instruments, NoInstruments
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.integrations import webhook as services
from autokitteh_server.integrations.incoming import load_webhook
from autokitteh_server.integrations.webhook import Message, Refused, Webhook
from autokitteh_server.sources.deliveries import Deliveries

_log = logging.getLogger(__name__)

#: So many of the largest bodies may be in memory at once.
_AT_ONCE: Final = 4

#: Bodies of so many bytes are read in no time. As much of each is not counted: a connection takes as much memory
#: anyway. Otherwise four strangers who send large ones, slowly, would keep out what services send.
SMALL_BYTES: Final = 65_536

#: Of requests to one address that are refused one is logged in this time.
_COMPLAIN_US: Final = 5_000_000


def webhooks() -> dict[str, Webhook]:
    """How services call, by the integrations' names."""
    return {name: found for name in INTEGRATIONS if (found := load_webhook(name)) is not None}


def open_paths() -> tuple[str, ...]:
    """What all paths of services begin with: callers come from anywhere."""
    return tuple(f"/{name}/{path.partition('{')[0]}" for name, each in webhooks().items() for path in each.paths)


class ServiceDoors:
    """What the doors lead to. Used in one event loop."""

    def __init__(
        self,
        deliveries: Deliveries,
        clock: Clock,
        *,
        public_url: str,
        max_body_bytes: int,
        submit: Callable[[Incoming], "Future[Dispatched]"],
        send_message: Callable[[Message], None],
        instruments: Instruments | None = None,
    ) -> None:
        """`public_url`: under which services call; "": as they say. `submit` and `send_message` return at once."""
        self.deliveries = deliveries
        self.clock = clock
        self.public_url = public_url
        self.max_body_bytes = max_body_bytes
        self.submit = submit
        self.send_message = send_message
        self.instruments = instruments or NoInstruments()
        self.budget = Budget(_AT_ONCE * max_body_bytes)
        self._complaints: dict[str, tuple[int, int]] = {}  # by address: when the last was logged, and how many since

    def complain(self, address: str, reason: str) -> None:
        """Log why a request was refused. Anybody can send them, so not each one is worth a line."""
        now = self.clock.now_us()
        last, since = self._complaints.get(address, (0, 0))
        if 0 <= now - last < _COMPLAIN_US:
            self._complaints[address] = last, since + 1
            return
        more = f" ({since} more since the last line)" if since else ""
        _log.warning("a request to %s is refused: %s%s", address, reason, more)
        self._complaints[address] = now, 0

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        doors = {name: _Door(self, name, webhook) for name, webhook in webhooks().items()}
        return [Route(f"/{name}/{{path:path}}", AnyMethod(door)) for name, door in doors.items()]


@dataclass(frozen=True, slots=True)
class _Door:
    """The door of one integration."""

    doors: ServiceDoors
    name: str
    webhook: Webhook

    async def __call__(self, request: Request, send: Send) -> None:
        path = request.path_params["path"]
        began_at = self.doors.clock.now_us()
        template = self.webhook.template_of(path)
        if template is None:
            response = refusal(404, "there is nothing at this address")
        else:
            try:
                response = await self._answer(request, path, template)
            except ClientDisconnect:
                return
        await response(request.scope, request.receive, send)
        self.doors.instruments.webhook_answered(response.status_code, (self.doors.clock.now_us() - began_at) / 1e6)

    async def _answer(self, request: Request, path: str, template: str) -> Response:
        with self.doors.budget.holding() as hold:
            try:
                body = await read_body(request, self.doors.max_body_bytes, hold)
                return await self._take(self._request(request, path, body))
            except RefusedAtDoor as refused:
                return refused.response
            except Refused as refused:
                self.doors.complain(f"/{self.name}/{template}", refused.message)
                return refusal(refused.status, refused.message)
            except ServerError as error:
                return unavailable(error)

    async def _take(self, request: services.Request) -> Response:
        deliveries = self.doors.deliveries
        ready = deliveries.find_ready(self.name, self.webhook)
        if ready is None:
            ready = await run_in_threadpool(deliveries.prepare, self.name, self.webhook)
        if len(request.body) <= SMALL_BYTES:  # for which another thread costs more than the work
            understood = deliveries.understand(self.webhook, request, ready)
        else:
            understood = await run_in_threadpool(deliveries.understand, self.webhook, request, ready)
        if understood.store is not None:
            await run_in_threadpool(understood.store)
        pending = [self.doors.submit(each) for each in understood.incoming]
        await asyncio.gather(*map(asyncio.wrap_future, pending))
        for message in understood.messages:
            self.doors.send_message(message)
        reply = understood.reply
        return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))

    def _request(self, request: Request, path: str, body: bytes) -> services.Request:
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            headers.setdefault(name, value)  # of two the first one counts, everywhere
        query = request.scope["query_string"].decode("latin-1")
        called = f"{self.doors.public_url or _origin(headers)}{raw_path(request)}"
        return services.Request(
            method=request.method,
            url=f"{called}?{query}" if query else called,
            path=path,
            headers=headers,
            body=body,
            received_at=self.doors.clock.now_us(),
            is_url_known=bool(self.doors.public_url),
        )


class Budget:
    """How many bytes may be in memory at once, of all who send; of those beyond what is small."""

    def __init__(self, max_bytes: int) -> None:
        self.left = max_bytes

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """A function that takes of what is left, for as long as the block lasts. It raises RefusedAtDoor."""
        held, free = 0, SMALL_BYTES

        def hold(size: int) -> None:
            nonlocal held, free
            counted = max(0, size - free)
            if counted > self.left:
                raise RefusedAtDoor(refusal(503, "too much is coming in at once; try again", {"Retry-After": "2"}))
            free -= size - counted
            self.left -= counted
            held += counted

        try:
            yield hold
        finally:
            self.left += held


def _origin(headers: dict[str, str]) -> str:
    """Where a service has called, as a proxy tells it, or as it says itself."""
    scheme = headers.get("x-forwarded-proto", "http").partition(",")[0].strip()
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    return f"{scheme}://{host.partition(',')[0].strip()}"
