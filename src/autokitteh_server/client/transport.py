"""Requests to a server and their answers, with errors as they were on the other side."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct

from autokitteh_server.client.discovery import Address, is_loopback
from autokitteh_server.core.api_types.values import Failure
from autokitteh_server.core.errors import (
    FailedPrecondition,
    Forbidden,
    InvalidArgument,
    NotFound,
    ServerError,
    Unauthenticated,
)

T = TypeVar("T")

_PREFIX = "/api/v1"

#: Deploying builds, which takes a while.
_TIMEOUT = httpx.Timeout(300.0, connect=10.0)

_ERRORS: dict[int, type[ServerError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: FailedPrecondition,
    503: FailedPrecondition,
}


class Transport:
    """Speaks to one server."""

    def __init__(self, address: Address) -> None:
        headers = {"authorization": f"Bearer {address.token}"} if address.token else {}
        self._url = address.url
        self._client = httpx.Client(
            base_url=address.url + _PREFIX,
            headers=headers,
            timeout=_TIMEOUT,
            trust_env=not is_loopback(address.url),  # no proxy stands between this machine and itself
        )

    def get(self, path: str, kind: type[T], query: Struct | None = None) -> T:
        """Ask for something. Raises the server's error, or FailedPrecondition if there is no server."""
        return self._decode(self._send("GET", path, query=query), kind)

    def post(self, path: str, kind: type[T], body: Struct | None = None, query: Struct | None = None) -> T:
        """Have something done that has a result."""
        return self._decode(self._send("POST", path, query=query, body=body), kind)

    def put(self, path: str, kind: type[T], body: Struct, query: Struct | None = None) -> T:
        """Have something be as it is given."""
        return self._decode(self._send("PUT", path, query=query, body=body), kind)

    def patch(self, path: str, kind: type[T], body: Struct, query: Struct | None = None) -> T:
        """Have something be changed as it is given."""
        return self._decode(self._send("PATCH", path, query=query, body=body), kind)

    def delete(self, path: str, query: Struct | None = None) -> None:
        """Have something deleted."""
        self._send("DELETE", path, query=query)

    @contextmanager
    def stream(self, path: str, query: Struct) -> Iterator[Iterator[str]]:
        """Lines of an answer as they come. Raises FailedPrecondition when the connection breaks off."""
        request = self._client.build_request("GET", path, params=_params(query), timeout=httpx.Timeout(10.0, read=60.0))
        with self._failures():
            response = self._client.send(request, stream=True)
            try:
                if response.is_error:
                    response.read()
                    self._raise(response)
                yield response.iter_lines()
            finally:
                response.close()

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, path: str, *, query: Struct | None = None, body: Struct | None = None) -> bytes:
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            content = None if body is None else msgspec.json.encode(body)
            request = self._client.build_request(
                method, path, params=_params(query) if query else None, content=content, headers=headers
            )
        except UnicodeEncodeError as error:  # a command line in another encoding has lone surrogates in it
            raise InvalidArgument(f"{error.object[:100]!r} is not UTF-8", "Write it in that encoding.") from error
        with self._failures():
            response = self._client.send(request)
        if not response.is_success:
            self._raise(response)
        return response.content

    def _decode(self, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._strange(f"with something else than {kind}: {error}") from error

    def _raise(self, response: httpx.Response) -> None:
        try:
            mistake = msgspec.json.decode(response.content, type=Failure).error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._strange(f"with status {response.status_code}") from error
        default = InvalidArgument if response.status_code < 500 else ServerError
        raise _ERRORS.get(response.status_code, default)(mistake.message, mistake.remedy)

    def _strange(self, how: str) -> ServerError:
        return ServerError(
            f"{self._url} has answered {how}", "Is it a server of this version of autokitteh? Look at --server."
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NoServer(f"no server is running at {self._url}: {error}", "Start one with `ak up`.") from error
        except httpx.TransportError as error:
            what = str(error) or type(error).__name__
            raise FailedPrecondition(
                f"the connection to {self._url} has broken off: {what}", "Look whether the server still runs."
            ) from error


class NoServer(FailedPrecondition):
    """Nobody listens there."""


def _params(query: Struct) -> dict[str, Any]:
    """A query as it is sent: what is not given is left out."""
    given: dict[str, Any] = msgspec.to_builtins(query)
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value is not None and value != ""
    }
