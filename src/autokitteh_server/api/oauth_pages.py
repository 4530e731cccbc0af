"""The two pages that browsers see on their way to a service and back. Nobody logs in: what they bring proves itself."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from autokitteh_server.core.errors import ServerError
from autokitteh_server.operations import connecting, oauth
from autokitteh_server.operations.services import Services

_log = logging.getLogger(__name__)

#: Where services send browsers back to; the cookie goes nowhere else.
_BACK: Final = "/oauth/redirect"

#: The URL of such a page has a code in it: nobody is to be told it, and nothing is to keep it.
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>{title}</h1>
{text}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class OAuthPages:
    """What the pages lead to."""

    services: Services
    is_secure: bool  # whether browsers reach the server by https

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        return [
            Route("/oauth/start/{integration}", self._start, methods=["GET"]),
            Route("/oauth/redirect/{name}", self._finish, methods=["GET"]),
        ]

    async def _start(self, request: Request) -> Response:
        if request.method == "HEAD":  # what looks whether a link leads somewhere does not use it up
            return Response(headers=_HEADERS)
        query = request.query_params

        def start() -> Response:
            sent = oauth.start(
                self.services, request.path_params["integration"], query.get("cid", ""), query.get("ticket", "")
            )
            response = RedirectResponse(sent.location, status_code=302, headers=_HEADERS)
            # Lax: it is sent when the service sends the browser back, which is a navigation from elsewhere.
            response.set_cookie(
                sent.cookie,
                sent.value,
                max_age=sent.lasts_s,
                path=_BACK,
                secure=self.is_secure,
                httponly=True,
                samesite="lax",
            )
            return response

        return await _answered(start)

    async def _finish(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=_HEADERS)

        def finish() -> Response:
            finished = oauth.finish(
                self.services, request.path_params["name"], dict(request.query_params), request.cookies
            )
            name = finished.connection.name
            tried = self._try(finished.connection.id)
            said = f"Connection {name} can use {finished.title} now."
            response = _page(200, "Connected", said, tried, "Close this page.")
            response.delete_cookie(finished.cookie, path=_BACK, secure=self.is_secure, httponly=True, samesite="lax")
            return response

        return await _answered(finish)

    def _try(self, connection_id: str) -> str:
        """What one live call says of the connection, for people; that is its status from now on."""
        try:
            status = connecting.test(self.services, connection_id).status
        except (ServerError, LookupError):  # it is connected all the same
            return ""
        return status.message if not status.remedy else f"{status.message}. {status.remedy}"


async def _answered(work: Callable[[], Response]) -> Response:
    """What comes of work that may wait for a service, or a page that says why nothing does."""
    try:
        return await run_in_threadpool(work)
    except ServerError as error:
        if error.http_status < 500:
            return _page(error.http_status, "Not connected", error.message, error.remedy)
        _log.error("a connection is not connected: %s", error)
        status = 502 if error.http_status == 502 else 503
        message = error.message if status == 502 else "the server cannot do this now"
        return _page(status, "Not connected", message, "Begin again: `ak connection init`.")


def _page(status: int, title: str, *paragraphs: str) -> HTMLResponse:
    text = "\n".join(f"<p>{_sentence(each)}</p>" for each in paragraphs if each)
    return HTMLResponse(_PAGE.format(title=escape(title), text=text), status_code=status, headers=_HEADERS)


def _sentence(text: str) -> str:
    """A message as one reads it on a page: with a capital and a full stop. What is between `` is code."""
    whole = text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
    parts = escape(whole).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
