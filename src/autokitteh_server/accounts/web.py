"""The way to services that give tokens: bounded in time and size, and straight, for secrets follow no redirects."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import httpx

from autokitteh_server.accounts.errors import ServiceUnavailable, TokenRefused
from autokitteh_server.core.masking import masker

#: Seconds for a whole answer; half of them for a connection.
TIMEOUT_S: Final = 10.0

#: Answers with tokens have a few thousand bytes.
MAX_BYTES: Final = 1 << 20

_SHOWN: Final = 300  # characters of what a service says

_AGAIN: Final = "Try again; if it stays so, look at the service's status page."


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service has answered. Its methods are those that Authlib asks for."""

    host: str
    status_code: int
    body: bytes

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ServiceUnavailable(f"{self.host} has answered with status {self.status_code}", _AGAIN)

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.body)

    def read_object(self) -> dict[str, Any]:
        """The JSON object of an answer that says yes. Raises ServiceUnavailable, TokenRefused."""
        if self.status_code >= 500 or self.status_code == 429:
            self.raise_for_status()
        value = self.read_json()
        if self.status_code >= 400:
            said = value.get("message") or value.get("error_description") or "" if isinstance(value, dict) else ""
            raise TokenRefused(f"{self.host} has answered with status {self.status_code}{_quoted(said)}")
        if not isinstance(value, dict):
            raise ServiceUnavailable(f"{self.host} has answered with something that is no JSON object", _AGAIN)
        return value

    def read_json(self) -> Any:
        """The answer's JSON. Raises ServiceUnavailable if it is none."""
        try:
            return self.json()
        except ValueError:
            self.raise_for_status()
            raise ServiceUnavailable(f"{self.host} has answered with something that is no JSON", _AGAIN) from None


class Signer(Protocol):
    """Says who asks: Authlib's `ClientAuth`."""

    def prepare(self, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]: ...


class Web:
    """Threads may share it."""

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        max_bytes: int = MAX_BYTES,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._client = httpx.Client(timeout=timeout_s / 2, follow_redirects=False)

    def close(self) -> None:
        self._client.close()

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Signer) -> Reply:
        """Post a form, as Authlib wants it done. Raises ServiceUnavailable."""
        url, signed, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self.ask("POST", url, headers=signed, content=body)

    def ask(self, method: str, url: str, *, headers: Mapping[str, str], content: str = "") -> Reply:
        """Ask a service. Raises ServiceUnavailable if there is no answer, or none to an end."""
        host = _host_of(url)
        ends_at = self._seconds() + self._timeout_s
        try:
            with self._client.stream(
                method, url, headers={"Accept": "application/json", **headers}, content=content
            ) as response:
                body = self._read(response, host, ends_at)
                return Reply(host, response.status_code, body)
        except httpx.TimeoutException:
            raise ServiceUnavailable(f"{host} has not answered in time", _AGAIN) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # The error's own text may have the request's URL in it.
            raise ServiceUnavailable(f"{host} cannot be asked ({type(error).__name__})", _AGAIN) from None

    def _read(self, response: httpx.Response, host: str, ends_at: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > self._max_bytes:
                raise ServiceUnavailable(f"the answer of {host} is larger than {self._max_bytes:,} bytes", _AGAIN)
            if self._seconds() > ends_at:
                raise ServiceUnavailable(f"{host} has not answered in time", _AGAIN)
            pieces.append(piece)
        return b"".join(pieces)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the service"
    except ValueError:
        return "the service"


def _quoted(said: object) -> str:
    text = shown(said)
    return f": {text}" if text else ""


def shown(said: object) -> str:
    """What a service says, fit to be shown: one line, cut, and without secrets."""
    if not isinstance(said, str):
        return ""
    text = masker.mask(said)
    return "".join(each if each.isprintable() else " " for each in text)[:_SHOWN].strip()
