"""The public doors: webhooks, and published values. Their URLs are unguessable; nobody logs in."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autokitteh_server.api.doors import AnyMethod, RefusedAtDoor, raw_path, read_body, refusal, unavailable
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.instruments import Instruments, NoInstruments
from autokitteh_server.core.states import SessionState
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.sources.replies import News, Replies, Reply
from autokitteh_server.sources.webhooks import WebhookRequest

_log = logging.getLogger(__name__)

#: Longest `Idempotency-Key`.
MAX_KEY_CHARS: Final = 255

#: Headers of a reply that are the connection's business, and not the code's.
_OURS: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})

_TIMED_OUT: Final = "the session has given no outcome in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """What the public doors lead to."""

    load_published: Callable[[str, str], tuple[bool, Any]]  # a project's slug and a key: whether there is one, and what
    clock: Clock
    new_id: IdSource
    intake: Intake
    replies: Replies
    max_body_bytes: int
    sync_timeout_s: float
    instruments: Instruments = field(default_factory=NoInstruments)

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        return [
            Route("/webhooks/{slug}", AnyMethod(self._receive)),
            Route("/webhooks/{slug}/{suffix:path}", AnyMethod(self._receive)),
            Route("/store/{slug}/{key:path}", self._published, methods=["GET"]),
        ]

    async def _receive(self, request: Request, send: Send) -> None:
        try:
            webhook = _webhook_request(request, await read_body(request, self.max_body_bytes))
            key = _idempotency_key(webhook)
        except ClientDisconnect:
            return
        except RefusedAtDoor as refused:
            await refused.response(request.scope, request.receive, send)
            return
        await self._accept(request, webhook, key, send)

    async def _accept(self, request: Request, webhook: WebhookRequest, key: str | None, send: Send) -> None:
        incoming = Incoming(
            event_id=self.new_id("evt"),
            slug=request.path_params["slug"],
            event_type=webhook.event_type,
            data=webhook.to_data(),
            key=key,
            received_at=self.clock.now_us(),
        )
        with self.replies.collecting(incoming.event_id) as news:
            try:
                result = await asyncio.wrap_future(self.intake.submit(incoming))
            except ServerError as error:
                response = unavailable(error)
            else:
                response = await self._answer(result, news)
            # Here and not by the caller: what a session sends piece by piece is news, too.
            await response(request.scope, request.receive, send)
        seconds = (self.clock.now_us() - incoming.received_at) / 1e6
        self.instruments.webhook_answered(response.status_code, seconds)

    async def _answer(self, result: Dispatched, news: News) -> Response:
        if not result.is_known or not (result.is_repeat or result.is_deployed or result.has_effect):
            return refusal(404, "there is no such webhook, or its project is not deployed")
        headers = {"AutoKitteh-Event-ID": result.event_id, "Cache-Control": "no-cache"}
        if result.is_repeat or not result.is_sync:
            return Response(status_code=202, headers=headers)
        if not result.has_effect:
            return refusal(502, "the event has started no session; `ak event get` says why", headers)
        return await self._wait_for_outcome(result, news, headers)

    async def _wait_for_outcome(self, result: Dispatched, news: News, headers: Mapping[str, str]) -> Response:
        outcomes = _Outcomes(result, news, self.sync_timeout_s)
        try:
            first = await outcomes.next()
        except TimeoutError:
            return refusal(504, _TIMED_OUT, headers)
        if isinstance(first, SessionState):
            is_fine = first is SessionState.COMPLETED
            return Response(status_code=204 if is_fine else 500, headers=dict(headers))
        return _reply(first, headers, outcomes)

    async def _published(self, request: Request) -> Response:
        slug, key = request.path_params["slug"], request.path_params["key"]
        try:
            found, value = await run_in_threadpool(self.load_published, slug, key)
        except ServerError as error:
            return unavailable(error)
        headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        if not found:
            return refusal(404, "there is no such published value")
        if isinstance(value, bytes):
            return Response(value, media_type="application/octet-stream", headers=headers)
        return Response(_dump(value), media_type="application/json", headers=headers)


class _Outcomes:
    """What the sessions of an event answer, one after another."""

    def __init__(self, result: Dispatched, news: News, timeout_s: float) -> None:
        self._news = news
        self._timeout_s = timeout_s
        self._pending = {start.session_id for start in result.starts}
        self._is_elsewhere = bool(result.wakes)  # sessions that were only reached may answer, too
        self._state = SessionState.COMPLETED

    async def next(self) -> dict[str, Any] | SessionState:
        """The next outcome, or how it all ended without one. Raises TimeoutError."""
        async with asyncio.timeout(self._timeout_s):
            while True:
                news = await self._news.get()
                if isinstance(news, Reply):
                    return news.arguments
                self._pending.discard(news.session_id)
                if news.state is not SessionState.COMPLETED:
                    self._state = news.state
                if not self._pending and not self._is_elsewhere:
                    return self._state


def _reply(arguments: dict[str, Any], headers: Mapping[str, str], outcomes: _Outcomes) -> Response:
    http = arguments.get("http", {"json": arguments.get("value")})
    status = http.get("status_code", 200)
    if status < 200:
        return refusal(500, f"the session has answered with status {status}, which ends no request", headers)
    body, media_type = _body(http)
    own = {name: value for name, value in http.get("headers", {}).items() if name.lower() not in _OURS}
    if media_type and not any(name.lower() == "content-type" for name in own):
        own["Content-Type"] = media_type
    every = {"X-Content-Type-Options": "nosniff"} | dict(headers) | own
    if status in (204, 304):
        return Response(status_code=status, headers=dict(headers) | _without_type(own))
    if http.get("more"):
        return _Stream(body, outcomes, status_code=status, headers=every)
    return Response(body, status_code=status, headers=every)


class _Stream(Response):
    """A reply in pieces, each sent as soon as the session gives it."""

    def __init__(self, first: bytes, outcomes: _Outcomes, *, status_code: int, headers: Mapping[str, str]) -> None:
        super().__init__(status_code=status_code, headers=headers)
        del self.headers["content-length"]  # nobody knows it yet
        self._first = first
        self._outcomes = outcomes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        piece, more = self._first, True
        while True:
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            if not more:
                return
            # Without an end the server cuts the connection, from which the client knows that it has not got all.
            try:
                following = await self._outcomes.next()
            except TimeoutError:
                _log.warning("a session did not go on with its reply in time; the connection is cut")
                return
            if isinstance(following, SessionState):
                if following is not SessionState.COMPLETED:
                    _log.warning("a session ended as %s within its reply; the connection is cut", following)
                    return
                piece, more = b"", False
            else:
                http = following.get("http", {"json": following.get("value")})
                piece, more = _body(http)[0], bool(http.get("more"))


def _without_type(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "content-type"}


def _body(http: Mapping[str, Any]) -> tuple[bytes, str]:
    """The bytes of a reply, and their type; "" where there are none."""
    if "json" in http:
        return _dump(http["json"]), "application/json"
    body = http.get("body")
    if body is None:
        return b"", ""
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return bytes(body), "application/octet-stream"


def _idempotency_key(webhook: WebhookRequest) -> str | None:
    key = webhook.header("idempotency-key")
    if key is not None and not (0 < len(key) <= MAX_KEY_CHARS and key.isprintable()):
        raise RefusedAtDoor(refusal(400, f"Idempotency-Key must have 1 to {MAX_KEY_CHARS} printable characters"))
    return key


def _webhook_request(request: Request, body: bytes) -> WebhookRequest:
    scope = request.scope
    return WebhookRequest(
        method=request.method,
        raw_path=raw_path(request),
        raw_query=scope["query_string"].decode("latin-1"),
        path_suffix=request.path_params.get("suffix", ""),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
    )


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_as_text).encode("utf-8", "replace")


def _as_text(value: Any) -> str:
    # JSON that leaves the house has no bytes of its own.
    return bytes(value).decode("utf-8", "replace")
