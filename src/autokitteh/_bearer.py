"""How clients built on `requests` and `httpx` come by a connection's token or key at each request.

A client with one of these holds the connection's name and no secret, nor do its responses: both get recorded.
"""

from base64 import b64encode
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from autokitteh._tokens import access_token, is_renewable, renewed_token
from autokitteh.connections import read_variable

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx
    from requests import PreparedRequest, Response


class BearerAuth:
    """For `requests`: the access token of a connection. After a 401 it is renewed, and the request sent once more."""

    def __init__(self, connection: str) -> None:
        self.connection = connection

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        token = access_token(self.connection)
        request.headers["Authorization"] = f"Bearer {token}"
        body = request.body
        start = body.tell() if body is not None and hasattr(body, "tell") else None
        request.register_hook("response", partial(self._answered, token, start))
        return request

    def _answered(self, token: str, start: int | None, response: "Response", **kwargs: Any) -> "Response":
        # After a redirect to another host the token is not in it, and must not get there.
        has_token = "Authorization" in response.request.headers
        if response.status_code == 401 and has_token and is_renewable(self.connection):
            response = self._send_again(renewed_token(self.connection, token), start, response, kwargs)
        return _without_token(response)

    def _send_again(self, token: str, start: int | None, refused: "Response", kwargs: dict[str, Any]) -> "Response":
        refused.content  # noqa: B018  read, so that the connection can be used again
        refused.close()
        request = refused.request.copy()
        if start is not None:
            request.body.seek(start)  # type: ignore[union-attr]
        request.headers["Authorization"] = f"Bearer {token}"
        again: Response = refused.connection.send(request, **kwargs)
        again.history.append(_without_token(refused))
        return again


class KeyAuth:
    """For `requests`: a key that does not expire, a variable of the connection; with a user's name it is a password."""

    def __init__(self, connection: str, variable: str, *, scheme: str = "Bearer ", user: str = "") -> None:
        self.connection = connection
        self.variable = variable
        self.scheme = scheme
        self.user = user  # the variable that has the name

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        key = read_variable(self.connection, self.variable)
        if self.user:
            pair = f"{read_variable(self.connection, self.user)}:{key}"
            request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            request.headers["Authorization"] = f"{self.scheme}{key}"
        request.register_hook("response", lambda response, **kwargs: _without_token(response))
        return request


def _without_token(response: "Response") -> "Response":
    # A copy: to follow a redirect, the session needs the one that was sent.
    response.request = response.request.copy()
    response.request.headers.pop("Authorization", None)
    response.request.hooks = {"response": []}
    return response


def httpx_auth(connection: str) -> "httpx.Auth":
    """The access token of a connection for `httpx`, as `BearerAuth` has it."""
    auth: httpx.Auth = _httpx_class()(connection)
    return auth


@cache
def _httpx_class() -> Any:
    import httpx

    class FreshToken(httpx.Auth):
        def __init__(self, connection: str) -> None:
            self.connection = connection

        def auth_flow(self, request: httpx.Request) -> "Generator[httpx.Request, httpx.Response, None]":
            token = access_token(self.connection)
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code == 401 and is_renewable(self.connection):
                request.headers["Authorization"] = f"Bearer {renewed_token(self.connection, token)}"
                yield request

    return FreshToken
