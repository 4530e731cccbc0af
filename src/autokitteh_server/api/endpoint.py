"""A request from its arrival to its reply: who asks, what is asked, the operation, the answer.

Handlers are synchronous and run in threads, of which there is a bounded number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from autokitteh_server.api.context import Context, Surface
from autokitteh_server.api.event_stream import EventStream
from autokitteh_server.api.reading import check_media_type, check_path, decode_body, decode_query, read_body
from autokitteh_server.api.refusals import JSON, Unexpected, error_response, unavailable
from autokitteh_server.api.route import PREFIX, NoQuery, Route
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.entities import Token
from autokitteh_server.core.errors import ServerError, Unauthenticated
from autokitteh_server.operations import tokens


class Endpoint:
    """What answers at one path, by method."""

    def __init__(
        self, surface: Surface, routes: Sequence[Route], limiter: CapacityLimiter, unexpected: Unexpected
    ) -> None:
        self._surface = surface
        self._routes = {route.method: route for route in routes}
        self._limiter = limiter
        self._unexpected = unexpected
        self._instruments = surface.instruments
        self._clock = surface.services.clock

    @property
    def methods(self) -> list[str]:
        return list(self._routes)

    async def respond(self, request: Request) -> Response:
        """Answer a request. Raises nothing: whatever goes wrong is an answer."""
        route = self._routes["GET" if request.method == "HEAD" else request.method]
        began_at = self._clock.now_us()
        response = await self._safely(route, request)
        seconds = (self._clock.now_us() - began_at) / 1e6
        self._instruments.request_done(f"{route.method} {PREFIX}{route.path}", response.status_code, seconds)
        return response

    async def _safely(self, route: Route, request: Request) -> Response:
        try:
            return await self._answer(route, request)
        except ServerError as error:
            if error.http_status == 500:
                return self._unexpected(request, error)
            if error.http_status == 503:
                return error_response(unavailable(error))
            return error_response(error)
        except Exception as error:
            return self._unexpected(request, error)

    async def _answer(self, route: Route, request: Request) -> Response:
        secret = bearer(request.headers.get("authorization", ""))
        # Before the body is read: nobody unknown gets to send many bytes.
        caller = await to_thread.run_sync(self._authenticate, secret, route.scope, limiter=self._limiter)
        body = await _read_body(route, request) if route.shape.body is not None else b""
        return await to_thread.run_sync(self._work, route, request, caller, body, limiter=self._limiter)

    def _authenticate(self, secret: str | None, scope: Scope) -> Token:
        return tokens.authenticate(self._surface.services, secret, scope)

    def _work(self, route: Route, request: Request, caller: Token, body: bytes) -> Response:
        context = Context(surface=self._surface, caller=caller, last_event_id=request.headers.get("last-event-id", ""))
        result = route.handler(context, **_arguments(route, request, body))
        if isinstance(result, EventStream):
            return result.response()
        if result is None:
            return Response(status_code=204)
        return Response(msgspec.json.encode(result), route.status, media_type=JSON)


def bearer(header: str) -> str | None:
    """The secret in an Authorization header. Raises Unauthenticated for a header of another kind."""
    if not header:
        return None
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("the header Authorization is of another kind", "Send `Authorization: Bearer ak_...`.")
    return secret.strip()


async def _read_body(route: Route, request: Request) -> bytes:
    body = await read_body(request.stream(), request.headers.get("content-length", ""), route.body_bytes)
    check_media_type(request.headers.get("content-type", ""), is_empty=not body)
    return body


def _arguments(route: Route, request: Request, body: bytes) -> Mapping[str, Any]:
    shape = route.shape
    check_path(request.path_params)
    found: dict[str, Any] = {name: request.path_params[name] for name in shape.path}
    query = decode_query(request.query_params.multi_items(), shape.query)
    if shape.query is not NoQuery:
        found["query"] = query
    if shape.body is not None:
        found["body"] = decode_body(body, shape.body)
    return found
