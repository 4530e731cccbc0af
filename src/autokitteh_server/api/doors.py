"""What the public doors share: requests of whatever method, bodies that are bounded, refusals in one form."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from autokitteh_server.core.errors import InternalError, ServerError

_log = logging.getLogger(__name__)

#: When a sender whose event could not be taken is to try again.
RETRY_AFTER_S: Final = 2

#: How long a body may take to come in: whoever sends it in drops holds what came so far in memory.
_BODY_S: Final = 60.0

#: For programs, by status.
_CODES: Final = {
    400: "invalid_argument",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    408: "timed_out",
    413: "too_large",
    502: "no_session",
    503: "unavailable",
    504: "timed_out",
}


class RefusedAtDoor(Exception):
    """A request that is not taken, and how it is answered."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class AnyMethod:
    """An endpoint for whatever method a sender uses: those given as functions answer a few only."""

    def __init__(self, answer: Callable[[Request, Send], Awaitable[None]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope, receive), send)


async def read_body(request: Request, max_bytes: int, hold: Callable[[int], None] = lambda size: None) -> bytes:
    """The body. Raises RefusedAtDoor if it is too large or too slow, and ClientDisconnect.

    `hold` is called with the size of each piece, and may raise RefusedAtDoor.
    """
    body = BytesIO()  # unlike a list of pieces, it need not be copied in the end
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                if body.tell() + len(piece) > max_bytes:
                    raise RefusedAtDoor(refusal(413, f"the body is larger than {max_bytes:,} bytes"))
                hold(len(piece))
                body.write(piece)
    except TimeoutError:
        raise RefusedAtDoor(refusal(408, f"the body has not come within {_BODY_S:g} s")) from None
    return body.getvalue()


def raw_path(request: Request) -> str:
    """The path as it was sent, without the query."""
    scope = request.scope
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def unavailable(error: ServerError) -> Response:
    """The answer while the database is away or the server stops: the sender is to try again.

    Raises the error if it is one of our own. What is wrong is not told to strangers.
    """
    if error.http_status == InternalError.http_status:
        raise error
    _log.error("a request from outside cannot be served: %s", error)
    return refusal(503, "the server cannot do this now; try again", {"Retry-After": str(RETRY_AFTER_S)})


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what is wrong."""
    content = {"error": {"code": _CODES.get(status, "internal"), "message": message, "remedy": ""}}
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))
