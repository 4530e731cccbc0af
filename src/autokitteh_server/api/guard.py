"""Who may speak to the server at all, before anything is looked at: by the host that was asked, and by the origin.

A page of the internet can have its own name resolve to this machine, and then speaks to the server as if it were part
of it. It cannot choose the Host header, nor hide its origin.
"""

import ipaddress
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autokitteh_server.api.refusals import Misdirected, error_response
from autokitteh_server.core.errors import Forbidden, InvalidArgument, ServerError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

#: Of what is ours. Pages get nothing from us that they could run or show inside of themselves.
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class AllowedHosts:
    """The names and addresses under which a server lets itself be asked."""

    def __init__(self, listening: str, public_url: str = "", more: Iterable[str] = ()) -> None:
        """`listening`: the address that it listens on, without the port."""
        service = urlsplit(public_url).hostname or ""
        self._names = frozenset(name.lower().strip("[]") for name in (*_LOOPBACK, listening, service, *more) if name)
        # An address cannot be made to resolve to somewhere else.
        self._takes_addresses = listening in ("0.0.0.0", "::")

    def __contains__(self, host: str) -> bool:
        return host in self._names or (self._takes_addresses and _is_address(host))


class Guard:
    """ASGI middleware. `is_open` says of a path that it is for callers from anywhere, as webhooks are."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts, is_open: Callable[[str], bool]) -> None:
        self._app = app
        self._hosts = hosts
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
        except ServerError as error:
            await error_response(error)(scope, receive, _with_headers(send))
            return
        await self._app(scope, receive, _with_headers(send))

    def _check(self, headers: Headers) -> None:
        asked = headers.getlist("host")
        host = _host_of(f"//{asked[0]}") if len(asked) == 1 else None
        if host is None:
            raise InvalidArgument("the header Host is missing or unreadable", "Send one, such as `Host: localhost`.")
        if host not in self._hosts:
            raise Misdirected(
                f"this server is not {host}",
                f"If it is to be reached as {host}, add that to its setting http.allowed_hosts.",
            )
        origin = headers.get("origin")
        if origin is not None and _host_of(origin) != host:
            raise Forbidden(f"requests of pages of {origin} are refused", "Ask from the server's own pages.")


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts.hostname


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
