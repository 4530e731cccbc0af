"""A socket to Slack, as Slack's own library makes it: https://docs.slack.dev/apis/events-api/using-socket-mode.

The library is imported here, which takes time and megabytes: import this module only where a socket is opened.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

_API: Final = "https://slack.com/api"
_ASK_S: Final = 10
_OPEN_S: Final = 15.0
_CLOSE_S: Final = 0.5
_POST_S: Final = 5
_MAX_REASON: Final = 100

# What the library logs has addresses in it that are as good as tokens, and whole events. What there is to know is in
# the gateway's state.
_SILENT: Final = logging.getLogger(f"{__name__}.library")
_SILENT.setLevel(logging.CRITICAL + 1)


class CannotOpen(Exception):
    """Slack does not tell where to open a socket. `reason` is Slack's word for it."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s  # that Slack asks for; 0: it does not say


class Socket(SocketModeClient):
    """One socket. It says when it is lost; whoever has it opens the next one.

    The library would open the next one by itself, but try for ever, and keep to itself why it cannot.

    - `heard`: is called with each message's text, in their order.
    - `ping_s`: between signs of life. One that gives none for so long is lost.
    """

    def __init__(self, app_token: str, *, base_url: str, ping_s: float, heard: Callable[["Socket", str], None]) -> None:
        api = (base_url or _API).rstrip("/")
        super().__init__(
            app_token=app_token,
            logger=_SILENT,
            web_client=AsyncWebClient(base_url=f"{api}/", timeout=_ASK_S, logger=_SILENT),
            ping_interval=ping_s,
        )
        self.lost = asyncio.Event()
        self.is_recalled = False  # Slack wants another one: it does so every few hours
        self._heard = heard
        self.message_listeners.append(self._listen)

    async def open(self) -> None:
        """Raises CannotOpen, and whatever else may happen in a network."""
        try:
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        except SlackApiError as error:
            raise _cannot_open(error) from None
        self.wss_uri = answer["url"]
        # Where this cannot be opened, the library tries it again, though the address is good only once.
        async with asyncio.timeout(_OPEN_S):
            await self.connect()  # type: ignore[no-untyped-call]

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """What the library does once this socket is closed, or silent, or (`force`) once Slack wants another one."""
        self.is_recalled = self.is_recalled or force
        self.lost.set()

    async def answer(self, envelope_id: str, payload: Mapping[str, Any] | None) -> None:
        """Tell Slack that an envelope is ours now, so that it is not sent again. Raises if the socket is closed."""
        response: dict[str, Any] = {"envelope_id": envelope_id}
        if payload is not None:
            response["payload"] = dict(payload)
        await self.send_socket_mode_response(response)

    async def end(self) -> None:
        """Close it, and all that it has begun, whether or not Slack answers."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self.close()  # type: ignore[no-untyped-call]
        except Exception:
            pass  # it was broken, or nobody answers: it is cut off below
        finally:
            tasks = (self.message_processor, self.current_session_monitor, self.message_receiver)
            begun = [each for each in tasks if each is not None]
            for each in begun:
                each.cancel()
            await asyncio.gather(*begun, return_exceptions=True)
            await self.aiohttp_client_session.close()

    async def _listen(self, client: object, message: object, text: str | None = None) -> None:
        if text:
            self._heard(self, text)


async def post(url: str, body: Mapping[str, Any]) -> None:
    """Post a message to an address that Slack gave. Raises if it is not taken."""
    answer = await AsyncWebhookClient(url, timeout=_POST_S, logger=_SILENT).send_dict(dict(body))
    if answer.status_code != 200:
        raise ValueError(f"Slack answered {answer.status_code}")


def _cannot_open(error: SlackApiError) -> CannotOpen:
    # Of a proxy's page there is neither a reason nor anything else.
    data = getattr(error.response, "data", None)
    reason = data.get("error") if isinstance(data, dict) else None
    headers = getattr(error.response, "headers", None) or {}
    after = str(headers.get("Retry-After", ""))
    return CannotOpen(
        " ".join(str(reason or "no reason given").split())[:_MAX_REASON], float(after) if after.isdigit() else 0.0
    )
