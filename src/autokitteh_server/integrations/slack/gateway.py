"""Socket mode: what Slack would post, over a socket that we open. Of each app there is one socket.

An envelope is answered once what is in it is durable. Slack sends again what was not answered; the keys are the same.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from autokitteh_server.core.errors import ServerError
from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.backoff import STEADY_S, Backoff, Pause
from autokitteh_server.integrations.forms import auth_in_use
from autokitteh_server.integrations.gateway import Gateway, GatewayRefused, GatewayState, Listener
from autokitteh_server.integrations.keys import content_key
from autokitteh_server.integrations.payload import read_object
from autokitteh_server.integrations.slack.acknowledgement import acknowledge
from autokitteh_server.integrations.slack.spec import SPEC
from autokitteh_server.integrations.slack.webhook import command_of, echo_of, events_of, interaction_of
from autokitteh_server.integrations.webhook import Found, Message, Refused

if TYPE_CHECKING:
    from autokitteh_server.integrations.slack.socket import Socket

_log = logging.getLogger(__name__)

_ACTION: Final = {"action": "gateway"}
_APP_TOKEN: Final = "private_app_token"
_PING_S: Final = 5.0

#: Why Slack does not open a socket, where it is of no use to ask again.
_REFUSALS: Final = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("not_allowed_token_type", "missing_scope", "no_permission", "access_denied", "org_login_required"),
    }
)


def token(variables: Mapping[str, str]) -> str:
    """The app's token, in socket mode."""
    auth = auth_in_use(SPEC, variables)
    return variables.get(_APP_TOKEN, "") if auth is not None and auth.name == "socketMode" else ""


async def run(
    variables: Mapping[str, str],
    listener: Listener,
    *,
    pause: Pause = asyncio.sleep,
    ping_s: float = _PING_S,
    steady_s: float = STEADY_S,
) -> None:
    """Keep a socket open until cancelled. Raises GatewayRefused.

    - `ping_s`: between signs of life.
    - `steady_s`: how long a socket has been open once it counts as one that has worked.
    """
    gateway = _SocketMode(variables, listener, pause=pause, ping_s=ping_s, steady_s=steady_s)
    # Apart from the socket, so that a slow database keeps no ping waiting.
    taking = asyncio.create_task(gateway.take_all(), name="slack: take what was heard")
    try:
        await gateway.stay_open()
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


GATEWAY = Gateway(token=token, run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What is in an envelope, and what Slack wants to hear of it besides that it was taken."""

    events: tuple[Found, ...] = ()
    messages: tuple[Message, ...] = ()
    answer: Mapping[str, Any] | None = None


class _SocketMode:
    def __init__(
        self, variables: Mapping[str, str], listener: Listener, *, pause: Pause, ping_s: float, steady_s: float
    ) -> None:
        self._token = variables.get(_APP_TOKEN, "")
        self._base_url = variables.get("base_url", "").strip().rstrip("/")
        self._listener = listener
        self._pause = pause
        self._ping_s = ping_s
        self._steady_s = steady_s
        self._backoff = Backoff()
        self._heard: asyncio.Queue[tuple[Socket, Mapping[str, Any]]] = asyncio.Queue()
        self._opened_at: float | None = None

    async def stay_open(self) -> None:
        """One socket after the other. Raises GatewayRefused."""
        from autokitteh_server.integrations.slack.socket import CannotOpen  # is heavy, and needed only here

        while True:
            self._listener.stands(GatewayState.CONNECTING, "connecting to Slack")
            least_s = 0.0
            try:
                is_recalled = await self._one_socket()
                reason = "Slack wants another socket" if is_recalled else "the socket was cut off"
            except CannotOpen as error:
                if error.reason in _REFUSALS:
                    raise GatewayRefused(_refusal(error.reason)) from None
                reason, least_s, is_recalled = f"Slack opens no socket ({error.reason})", error.retry_after_s, False
            except Exception as error:
                # Of a network anything may be expected, and the texts have addresses in them.
                reason, is_recalled = f"Slack cannot be reached ({type(error).__name__})", False
            if self._was_steady():
                self._backoff.reset()
                if is_recalled:
                    continue  # the usual change after some hours: whoever gives a command must not notice
            await self._wait(reason, least_s)

    async def take_all(self) -> None:
        """Deliver what is heard, in its order, and then answer."""
        async with asyncio.TaskGroup() as posts:
            while True:
                socket, envelope = await self._heard.get()
                for message in await self._take(socket, envelope):
                    posts.create_task(self._post(message), name="slack: post")  # what comes next need not wait for it

    async def _one_socket(self) -> bool:
        """Open a socket and wait until it is lost. Whether Slack has asked for another one."""
        from autokitteh_server.integrations.slack.socket import Socket  # as above

        self._opened_at = None
        socket = Socket(self._token, base_url=self._base_url, ping_s=self._ping_s, heard=self._hear)
        try:
            await socket.open()
            await socket.lost.wait()
        finally:
            await socket.end()
        return socket.is_recalled

    def _hear(self, socket: "Socket", text: str) -> None:
        try:
            envelope = read_object(text)
        except Refused as error:
            _log.warning("Slack sent what cannot be read: %s", error.message, extra=_ACTION)
            return
        if envelope.get("type") == "hello":
            self._opened_at = asyncio.get_running_loop().time()
            self._listener.stands(GatewayState.OPEN, "connected to Slack")
        else:
            self._heard.put_nowait((socket, envelope))

    def _was_steady(self) -> bool:
        return self._opened_at is not None and asyncio.get_running_loop().time() - self._opened_at >= self._steady_s

    async def _wait(self, reason: str, least_s: float) -> None:
        wait_s = max(self._backoff.next_s(), least_s)
        self._listener.stands(GatewayState.WAITING, f"{reason}; the next attempt is in {wait_s:.0f} s")
        await self._pause(wait_s)

    async def _take(self, socket: "Socket", envelope: Mapping[str, Any]) -> tuple[Message, ...]:
        """Deliver what is in an envelope, and answer. What is to be posted then."""
        try:
            read = _read(envelope)
        except Refused as error:
            # Answered all the same: it would be no better the next time.
            _log.warning("Slack sent what cannot be taken: %s", error.message, extra=_ACTION)
            read = _Read()
        try:
            if read.events:
                await self._listener.deliver(read.events)
        except Exception as error:
            reason = error.message if isinstance(error, ServerError) else type(error).__name__
            _log.warning("Slack has to send an envelope again: %s", reason, extra=_ACTION)
            return ()
        try:
            if envelope_id := text_at(envelope, "envelope_id"):
                await socket.answer(envelope_id, read.answer)
        except Exception as error:
            # The socket is gone. It comes again over the next one, with the same key.
            _log.info("Slack has not heard that an envelope was taken (%s)", type(error).__name__, extra=_ACTION)
        return read.messages

    async def _post(self, message: Message) -> None:
        from autokitteh_server.integrations.slack.socket import post  # as above

        try:
            await post(self._placed(message.url), message.body)
        except Exception as error:
            _log.info("a message to Slack was not taken (%s)", type(error).__name__, extra=_ACTION)

    def _placed(self, url: str) -> str:
        """Where `base_url` has the host of an address."""
        return f"{self._base_url}/{url.split('/', 3)[3]}" if self._base_url else url


def _read(envelope: Mapping[str, Any]) -> _Read:
    """What is in an envelope; nothing if it is of a kind that we do not know. Raises Refused."""
    payload = envelope.get("payload")
    if not isinstance(payload, dict):
        return _Read()
    match envelope.get("type"):
        case "events_api":
            return _Read(events=events_of(payload))
        case "slash_commands":
            found = command_of(payload, content_key(payload))
            return _Read(events=(found,), answer=echo_of(found))
        case "interactive":
            return _Read(events=(interaction_of(payload, content_key(payload)),), messages=acknowledge(payload))
        case _:
            return _Read()


def _refusal(reason: str) -> str:
    if reason in ("missing_scope", "not_allowed_token_type", "no_permission"):
        return (
            f"Slack opens no socket for this token ({reason}). It has to be an app-level token with the scope "
            "connections:write: make one under Basic Information, and enter it: `ak connection init`."
        )
    return f"Slack does not accept the app-level token ({reason}). Enter it anew: `ak connection init`."
