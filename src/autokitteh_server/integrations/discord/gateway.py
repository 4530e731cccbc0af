"""Discord's gateway: of each bot there is one session, over which its events come.

Discord wants no answers: what has come is held here until it is durable, in its order, however long that takes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from autokitteh_server.core.errors import ServerError
from autokitteh_server.integrations.backoff import STEADY_S, Backoff, Pause
from autokitteh_server.integrations.discord.shape import gateway_event
from autokitteh_server.integrations.discord.spec import SPEC
from autokitteh_server.integrations.gateway import Gateway, GatewayRefused, GatewayState, Listener
from autokitteh_server.integrations.payload import read_object
from autokitteh_server.integrations.webhook import Found, Refused

if TYPE_CHECKING:
    from autokitteh_server.integrations.discord.socket import Place

_log = logging.getLogger(__name__)

_ACTION: Final = {"action": "gateway"}
_TOKEN: Final = "BotToken"

#: What is delivered. The rest is about servers, who is typing, and the like: nobody could do anything with it.
_KINDS: Final = frozenset(each.name.upper() for each in SPEC.events)

#: So many events are held while they cannot be stored. Then the socket is closed: Discord holds more for some minutes.
_MOST_HELD: Final = 10_000
_AT_ONCE: Final = 100
_LONGEST_DELAY_S: Final = 10.0

#: How often it is noted where to go on while nothing comes that is delivered.
_KEEP_S: Final = 20.0

_PORTAL: Final = "https://discord.com/developers/applications"

#: Why Discord ends it, where it is of no use to come again.
_REFUSALS: Final = {
    4004: "Discord does not accept the bot's token. Reset it under Bot in the portal, and enter it anew: "
    "`ak connection init`.",
    4010: "Discord does not accept how the session is divided (4010).",
    4011: "The bot is in so many servers that Discord wants several sessions (4011), which are not supported.",
    4012: "Discord does not know this version of its gateway any more (4012). A newer version of this server may.",
    4013: "Discord does not know what is asked of it (4013). A newer version of this server may ask otherwise.",
    4014: f"Discord refuses what the bot asks for (4014). Look at its Privileged Gateway Intents: {_PORTAL}",
}


def token(variables: Mapping[str, str]) -> str:
    """The bot's token."""
    return variables.get(_TOKEN, "")


async def run(
    variables: Mapping[str, str],
    listener: Listener,
    *,
    pause: Pause = asyncio.sleep,
    most_held: int = _MOST_HELD,
) -> None:
    """Keep a session going until cancelled. Raises GatewayRefused.

    - `most_held`: events, while they cannot be delivered.
    """
    gateway = _DiscordGateway(variables, listener, pause=pause, most_held=most_held)
    # Apart from the socket, so that a slow database does not keep it waiting.
    delivering = asyncio.create_task(gateway.deliver_all(), name="discord: deliver what was heard")
    try:
        await gateway.stay_open()
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)


GATEWAY = Gateway(token=token, run=run)


class _Full(Exception):
    """No more can be held."""


class _DiscordGateway:
    def __init__(self, variables: Mapping[str, str], listener: Listener, *, pause: Pause, most_held: int) -> None:
        from autokitteh_server.integrations.discord.socket import Place, Session  # is heavy, and needed only here

        self._session = Session(
            token(variables),
            base_url=variables.get("base_url", "").strip().rstrip("/"),
            kinds=_KINDS,
            heard=self._hear,
            opened=self._note_open,
            place=Place.from_text(listener.place),
        )
        self._listener = listener
        self._pause = pause
        self._most_held = most_held
        self._backoff = Backoff()
        self._held: deque[tuple[Found, Place]] = deque()
        self._has_some = asyncio.Event()
        self._has_none = asyncio.Event()
        self._has_none.set()
        self._opened_at: float | None = None

    async def stay_open(self) -> None:
        """One socket after the other. Raises GatewayRefused."""
        try:
            while True:
                self._listener.stands(GatewayState.CONNECTING, "connecting to Discord")
                await self._one_socket()
        finally:
            await self._session.end()

    async def deliver_all(self) -> None:
        """Deliver what is held, in its order, until it is taken."""
        backoff = Backoff(longest_s=_LONGEST_DELAY_S)
        while True:
            if not await self._wait_for_some():
                continue
            some = tuple(islice(self._held, _AT_ONCE))
            try:
                await self._listener.deliver([found for found, _ in some])
            except Exception as error:
                reason = error.message if isinstance(error, ServerError) else type(error).__name__
                _log.warning("%d events of Discord's have to wait: %s", len(self._held), reason, extra=_ACTION)
                await self._pause(backoff.next_s())
                continue
            backoff.reset()
            for _ in some:
                self._held.popleft()
            self._listener.keep(some[-1][1].to_text())
            if not self._held:
                self._has_some.clear()
                self._has_none.set()

    async def _wait_for_some(self) -> bool:
        """Wait until something is held; False if that takes long: what is not delivered has gone on meanwhile."""
        try:
            await asyncio.wait_for(self._has_some.wait(), _KEEP_S)
        except TimeoutError:
            if (place := self._session.place) is not None and not self._held:
                self._listener.keep(place.to_text())
            return False
        return True

    async def _one_socket(self) -> None:
        """Open a socket, wait until it is lost, and until the next one may be opened. Raises GatewayRefused."""
        from autokitteh_server.integrations.discord.socket import BadToken, Closed, NoMoreSessions  # as above

        self._opened_at = None
        reason, least_s = "the socket was cut off", 0.0
        try:
            await self._session.one_socket()
        except BadToken:
            raise GatewayRefused(_REFUSALS[4004]) from None
        except Closed as closed:
            may_do_without = closed.code == 4014 and self._session.do_without_switches()
            if not may_do_without and closed.code in _REFUSALS:
                raise GatewayRefused(_REFUSALS[closed.code]) from None
            reason = f"Discord has closed the socket ({closed.code})"
        except NoMoreSessions as error:
            reason, least_s = "the bot has begun too many sessions today", error.retry_after_s
        except _Full:
            self._listener.stands(GatewayState.WAITING, f"{self._most_held} events have yet to be stored")
            await self._has_none.wait()
            return
        except Exception as error:
            # Of a network anything may be expected, and the texts may have addresses in them.
            reason = f"Discord cannot be reached ({type(error).__name__})"
        await self._wait(reason, least_s)

    async def _wait(self, reason: str, least_s: float) -> None:
        if self._opened_at is not None and asyncio.get_running_loop().time() - self._opened_at >= STEADY_S:
            self._backoff.reset()
        wait_s = max(self._backoff.next_s(), least_s)
        self._listener.stands(GatewayState.WAITING, f"{reason}; the next attempt is in {wait_s:.0f} s")
        await self._pause(wait_s)

    def _note_open(self) -> None:
        self._opened_at = asyncio.get_running_loop().time()
        message = "connected to Discord"
        if off := self._session.switched_off:
            message += f"; switched off, and so not told: {', '.join(off)}. Switch them on under Bot: {_PORTAL}"
        self._listener.stands(GatewayState.OPEN, message)

    def _hear(self, kind: str, text: str, place: "Place") -> None:
        bot_id = self._session.bot_id
        try:
            data = read_object(text).get("d")
            found = gateway_event(kind, data, bot_id=bot_id, session_id=place.session_id, number=place.number)
        except Refused as error:
            _log.warning("Discord sent what cannot be taken: %s", error.message, extra=_ACTION)
            return
        if found is None:
            return
        self._held.append((found, place))
        self._has_some.set()
        self._has_none.clear()
        if len(self._held) >= self._most_held:
            raise _Full
