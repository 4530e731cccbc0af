"""The way to services over HTTP: bounded in time and size, and never to another host than the one that was meant."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

import httpx

from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.spec import Answer

TIMEOUT_S = 3.0
MAX_BYTES = 8 << 20
_MAX_REDIRECTS = 3
_LOCAL = ("localhost", "127.0.0.1", "::1")
_AGAIN = "Try again later."


class ServiceHttp:
    """The `Http` of `spec.py`.

    - `api`: the address that `base_url` is in place of. Of other addresses it replaces scheme and host.
    - `base_url`: where the service is instead: a proxy, or a stand-in for tests; "": where it says.
    - `timeout_s`: for an answer as a whole; one that comes in drops may take twice as long.
    """

    def __init__(
        self,
        *,
        now_s: Callable[[], int],
        api: str = "",
        base_url: str = "",
        timeout_s: float = TIMEOUT_S,
        max_bytes: int = MAX_BYTES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.now_s = now_s
        self._api = api
        self._base_url = base_url.strip().rstrip("/")
        self._is_local = _host(self._base_url) in _LOCAL  # no proxy stands between a machine and itself
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._transport = transport

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        ca_pem: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask. Raises ServiceError if there is no answer."""
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        with self._failures(timeout_s), self._client(ca_pem, timeout_s) as client:
            request = client.build_request(
                method,
                self._placed(url),
                headers={"accept": "application/json", "user-agent": "autokitteh", **(headers or {})},
                params=params,
                json=json,
                data=form,
            )
            for _ in range(_MAX_REDIRECTS):
                answer, follow = self._send(client, request, auth, timeout_s)
                if follow is None or method not in ("GET", "HEAD") or _origin(follow.url) != _origin(request.url):
                    return answer
                request = follow
            return answer

    def _send(
        self, client: httpx.Client, request: httpx.Request, auth: tuple[str, str] | None, timeout_s: float
    ) -> tuple[Answer, httpx.Request | None]:
        until = time.monotonic() + timeout_s
        response = client.send(request, auth=auth, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._max_bytes:
                    raise ServiceError(f"answered with more than {self._max_bytes} bytes", intent=Intent.OURS)
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("too slow")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status_code, headers=headers, body=bytes(body)), response.next_request
        finally:
            response.close()

    def _client(self, ca_pem: str, timeout_s: float) -> httpx.Client:
        verify = ssl.create_default_context(cadata=ca_pem) if ca_pem else _usual_authorities()
        return httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            verify=verify,
            transport=self._transport,
            trust_env=not self._is_local,
        )

    def _placed(self, url: str) -> str:
        if not self._base_url:
            return url
        rest = url.removeprefix(self._api)
        if self._api and rest != url and rest[:1] in ("", "/", "?"):
            return self._base_url + rest
        parts = httpx.URL(url)
        return self._base_url + parts.raw_path.decode("ascii")

    @contextmanager
    def _failures(self, timeout_s: float) -> Iterator[None]:
        """Tells what httpx raises in our words: its own have URLs in them, and these may have tokens."""
        try:
            yield
        except httpx.TimeoutException:
            message = f"did not answer within {timeout_s:g} s"
            raise ServiceError(message, _AGAIN, intent=Intent.RETRY) from None
        except httpx.ConnectError as error:
            raise _unreachable(error) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            raise _unsendable(error) from None
        except httpx.TransportError as error:
            message = f"broke off the connection ({type(error).__name__})"
            raise ServiceError(message, _AGAIN, intent=Intent.RETRY) from None
        except (httpx.InvalidURL, httpx.DecodingError, ValueError, TypeError, ssl.SSLError) as error:
            raise _unsendable(error) from None


@cache
def _usual_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads a hundred certificates, which takes longer than most requests


def _unsendable(error: Exception) -> ServiceError:
    # A header that cannot be sent may have a credential in it, so nothing more is told.
    message = f"cannot be asked with these values ({type(error).__name__})"
    return ServiceError(message, "Look for blanks and odd characters in them.")


def _unreachable(error: httpx.ConnectError) -> ServiceError:
    text = str(error).lower()
    if "certificate" in text:
        return ServiceError("has a certificate that is not trusted here", "Is the address right?")
    if "name or service" in text or "getaddrinfo" in text or "name resolution" in text or "no address" in text:
        return ServiceError("cannot be found: its host has no address", "Is the name right?", intent=Intent.RETRY)
    reason = "the connection was refused" if "refused" in text else "no connection"
    return ServiceError(
        f"cannot be reached: {reason}", "Is it there, and may the server reach it?", intent=Intent.RETRY
    )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None  # which is told when it is asked


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
