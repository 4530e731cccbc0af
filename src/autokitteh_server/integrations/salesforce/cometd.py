"""Salesforce's Streaming API: CometD over long polls, https://developer.salesforce.com/docs/atlas.en-us.api_streaming.meta.

The library is imported here, which takes time and megabytes: import this module only where a connection is opened.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final

import aiohttp
from yarl import URL

from autokitteh_server.integrations.asking import bearer
from autokitteh_server.integrations.payload import objects_in, read_json

_VERSION: Final = "62.0"

#: What replays begin with: what comes from now on, and all that is kept, which is 72 hours.
FROM_NOW: Final = -1
ALL_KEPT: Final = -2

_CONNECT_S: Final = 15.0
_ASK_S: Final = 30.0

#: Salesforce answers a poll after 110 seconds if nothing happens, and says so; more than this is not believed.
_POLL_S: Final = 110.0
_LONGEST_POLL_S: Final = 600.0

_MAX_ERROR: Final = 200

_Message = Mapping[str, Any]


class Unsuccessful(Exception):
    """Salesforce answers, and says no. `error` is its text: "403::Unknown client"."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error

    @property
    def is_of_token(self) -> bool:
        """The access token is not good, or no more."""
        return self.error.startswith("401")

    @property
    def is_of_client(self) -> bool:
        """Salesforce knows the client no more: it begins anew."""
        return "unknown client" in self.error.lower()

    @property
    def is_of_place(self) -> bool:
        """There is no event with this id any more."""
        return self.error.startswith("400::The replayId")


class Client:
    """One client, until it is lost. Use it as a context manager.

    - `address`: where the organization is, or what stands in for it.
    """

    def __init__(self, address: str, access_token: str) -> None:
        self.pause_s = 0.0  # that Salesforce wants between polls
        self.opened_at_ms: int | None = None  # when it was opened, by Salesforce's clock, if that says so
        self._url = URL(f"{address}/cometd/{_VERSION}")
        self._headers = bearer(access_token)
        self._client_id = ""
        self._number = 0
        self._poll_s = _POLL_S

    async def __aenter__(self) -> "Client":
        # The cookies say which of Salesforce's servers knows the client. Addresses without a name have cookies, too.
        is_local = self._url.host in ("127.0.0.1", "localhost", "::1")
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), headers=self._headers, trust_env=not is_local
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def open(self) -> None:
        """Say who is there. This and what follows raise Unsuccessful, and whatever may happen in a network."""
        hello = {"version": "1.0", "minimumVersion": "1.0", "supportedConnectionTypes": ["long-polling"]}
        reply, _ = await self._ask("/meta/handshake", {**hello, "ext": {"replay": True}}, _ASK_S)
        self._client_id = str(reply.get("clientId", ""))

    async def subscribe(self, channel: str, replay_id: int) -> Sequence[_Message]:
        """Have what comes over a channel after an event, or FROM_NOW, or ALL_KEPT; what is there at once."""
        body = {"subscription": channel, "ext": {"replay": {channel: replay_id}}}
        _, others = await self._ask("/meta/subscribe", body, _ASK_S)
        return others

    async def poll(self) -> Sequence[_Message]:
        """What has happened; nothing if that is so for long."""
        timeout_s = min(self._poll_s, _LONGEST_POLL_S) + _ASK_S
        _, others = await self._ask("/meta/connect", {"connectionType": "long-polling"}, timeout_s)
        return others

    async def _ask(self, channel: str, body: _Message, timeout_s: float) -> tuple[_Message, Sequence[_Message]]:
        """The answer to a message, and what has come with it."""
        self._number += 1
        message = {"channel": channel, "id": str(self._number), **body}
        if self._client_id:
            message["clientId"] = self._client_id
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S)
        async with self._http.post(self._url, json=[message], timeout=timeout, allow_redirects=False) as response:
            content = await response.read()
        messages = _messages_in(content)
        reply = next((each for each in messages if each.get("channel") == channel), {})
        if response.status != 200 or reply.get("successful") is not True:
            raise Unsuccessful(_error_of(response.status, reply or next(iter(messages), {})))
        if channel == "/meta/handshake":
            self.opened_at_ms = _milliseconds(response.headers.get("date", ""))
        self._heed(reply.get("advice"))
        return reply, [each for each in messages if not str(each.get("channel", "")).startswith("/meta/")]

    def _heed(self, advice: object) -> None:
        if isinstance(advice, dict):
            self.pause_s = _seconds(advice.get("interval"), self.pause_s)
            self._poll_s = _seconds(advice.get("timeout"), self._poll_s)


def _messages_in(content: bytes) -> list[dict[str, Any]]:
    """The messages of an answer; none if it is a proxy's page."""
    return objects_in(read_json(content)) if content.lstrip().startswith(b"[") else []


def _error_of(status: int, reply: _Message) -> str:
    """Why something was not successful, in one line; the reason for a refusal, where that is further down."""
    found = reply.get("error")
    ext = reply.get("ext")
    if isinstance(ext, dict) and isinstance(ext.get("sfdc"), dict) and ext["sfdc"].get("failureReason"):
        found = ext["sfdc"]["failureReason"]
    if not isinstance(found, str) or not found:
        found = f"{status}::no reason given"
    return " ".join(found.split())[:_MAX_ERROR]


def _seconds(milliseconds: object, otherwise: float) -> float:
    is_number = isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and milliseconds >= 0
    return float(milliseconds) / 1000 if is_number else otherwise  # type: ignore[arg-type]


def _milliseconds(date: str) -> int | None:
    """The moment that a header has, since 1970."""
    try:
        return int(parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp() * 1000)
    except (TypeError, ValueError):
        return None
