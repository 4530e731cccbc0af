"""What only HTTP can refuse, and errors as responses: one shape, whatever went wrong."""

import logging
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from autokitteh_server.core.api_types.values import Failure, Mistake, readable
from autokitteh_server.core.errors import InvalidArgument, NotFound, ServerError, Unauthenticated
from autokitteh_server.core.ids import SlugSource

_log = logging.getLogger(__name__)

JSON = "application/json"


class TooLarge(InvalidArgument):
    code: ClassVar[str] = "too_large"
    http_status: ClassVar[int] = 413


class WrongMediaType(InvalidArgument):
    code: ClassVar[str] = "wrong_media_type"
    http_status: ClassVar[int] = 415


class Misdirected(InvalidArgument):
    code: ClassVar[str] = "misdirected"
    http_status: ClassVar[int] = 421


class MethodNotAllowed(InvalidArgument):
    code: ClassVar[str] = "method_not_allowed"
    http_status: ClassVar[int] = 405


class NotReady(ServerError):
    code: ClassVar[str] = "not_ready"
    http_status: ClassVar[int] = 503


def unavailable(error: ServerError) -> NotReady:
    """What is said of a database that is away. The log gets all of it: it says where the database is, and anybody may
    hear this.
    """
    _log.error("the database cannot be used: %s", error)
    return NotReady("the database cannot be used now", "Try again; the server's log says why.")


def error_response(error: ServerError, headers: Mapping[str, str] | None = None) -> Response:
    """An error in the one shape."""
    more = {"www-authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
    mistake = Mistake(code=error.code, message=readable(error.message), remedy=readable(error.remedy))
    content = msgspec.json.encode(Failure(error=mistake))
    return Response(content, error.http_status, {**more, **(headers or {})}, JSON)


class Unexpected:
    """Answers what nobody foresaw: the log gets all of it, and the caller an id to find it there by."""

    def __init__(self, new_slug: SlugSource) -> None:
        self._new_slug = new_slug

    def __call__(self, request: Request, error: Exception) -> Response:
        number = self._new_slug()[:12]
        _log.error("request %s failed: %s %s", number, request.method, request.url.path, exc_info=error)
        content = Failure(
            error=Mistake(
                code="internal",
                message=f"the server has failed at this; its log says more under {number}",
                remedy="This is a bug in autokitteh. Please report it with what the log says.",
            )
        )
        return Response(msgspec.json.encode(content), 500, media_type=JSON)


def refuse_unknown(request: Request, error: Exception) -> Response:
    """What the router finds nothing for."""
    assert isinstance(error, HTTPException)
    method, path = request.method, request.url.path
    if error.status_code == 404:
        return error_response(NotFound(f"there is nothing at {path}", "GET /api/v1/openapi.json lists what there is."))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        remedy = f"Use one of: {allowed}." if allowed else ""
        return error_response(MethodNotAllowed(f"{method} is not for {path}", remedy), error.headers)
    refusal = InvalidArgument(f"{method} {path}: {error.detail}")
    response = error_response(refusal, error.headers)
    response.status_code = error.status_code
    return response
