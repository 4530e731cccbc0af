"""A bot's session at Discord's gateway, with Discord's best known library, and without what that keeps of servers.

The library is imported here, which takes time and megabytes: import this module only where a socket is opened.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import aiohttp
import discord
import yarl
from discord.errors import ConnectionClosed, HTTPException, LoginFailure
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import HTTPClient, Route

_OPEN_S: Final = 30.0
_CLOSE_S: Final = 0.5

_BACK_SOON: Final = 4000  # the session goes on, be it on another server. With 1000 it would be over

# At lower levels the library logs whatever comes, and warns that it cannot speak.
logging.getLogger("discord").setLevel(logging.ERROR)

#: What has to be switched on before a bot may ask for it: its name in the portal, and as an intent, and the flags that
#: an application has then: for bots in many servers, and for all others.
_SWITCHES: Final = (
    ("Presence Intent", "presences", 1 << 12 | 1 << 13),
    ("Server Members Intent", "members", 1 << 14 | 1 << 15),
    ("Message Content Intent", "message_content", 1 << 18 | 1 << 19),
)


class BadToken(Exception):
    """Discord does not accept the bot's token."""


class NoMoreSessions(Exception):
    """A bot may begin so many sessions a day, and this one has."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Closed(Exception):
    """Discord has ended it, and wants no other socket like this one. https://discord.com/developers/docs/topics/opcodes-and-status-codes"""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session can be gone on with, by whoever has the token."""

    session_id: str
    number: int  # of the last event that is known
    url: str

    def to_text(self) -> str:
        return json.dumps([self.session_id, self.number, self.url])

    @classmethod
    def from_text(cls, text: str) -> "Place | None":
        """None for what is none."""
        try:
            session_id, number, url = json.loads(text)
            return cls(str(session_id), int(number), str(url))
        except (ValueError, TypeError):
            return None


class Session:
    """A bot's session, over one socket after the other: each goes on where the last one has ended.

    - `kinds`: the names of the events that are handed on, in upper case.
    - `heard`: is called with each of these, in their order: its name, all of the message as text, and its place. It may
      raise; then the socket is closed, and the next one goes on after that event.
    - `opened`: is called whenever a socket is ready.
    - `place`: where another one has left off; None: a session begins.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        kinds: frozenset[str],
        heard: Callable[[str, str, Place], None],
        opened: Callable[[], None],
        place: Place | None = None,
    ) -> None:
        self.bot_id = ""  # once it has logged in
        self.switched_off: tuple[str, ...] = ()  # switches in the portal that are off, by name
        self._token = token
        self._base_url = base_url
        self._kinds = kinds
        self._heard = heard
        self._opened = opened
        self._client: _Client | None = None
        self._closing = AsyncExitStack()
        self._last: _Socket | None = None
        self._first = place
        self._knows_the_way = place is not None  # the address where to go on can be reached

    @property
    def place(self) -> Place | None:
        """Where it can be gone on with; None: there is no session."""
        last = self._last
        if last is None:
            return self._first
        if not last.session_id:
            return None
        return Place(last.session_id, last.sequence or 0, str(last.gateway))

    async def one_socket(self) -> None:
        """Open a socket, and hand on what comes until it is lost.

        Raises BadToken, NoMoreSessions, Closed, what `heard` raises, and whatever else may happen in a network.
        """
        client = self._client or await self._log_in()
        socket: _Socket | None = None
        try:
            socket = await self._open(client)
            self._last = socket
            while True:
                await socket.poll_event()
        except ReconnectWebSocket:
            pass  # what cannot be gone on with is without a session's id
        except ConnectionClosed as error:
            raise Closed(error.code) from None
        finally:
            await self._hang_up(client, socket)

    def do_without_switches(self) -> bool:
        """Ask for nothing from now on that would have to be switched on in the portal. False: it has not lately."""
        if self._client is None or len(self.switched_off) == len(_SWITCHES):
            return False
        self._ask_for(self._client, 0)
        self._last = self._first = None
        return True

    async def end(self) -> None:
        """Close all that was opened."""
        await self._closing.aclose()

    async def _log_in(self) -> "_Client":
        async with AsyncExitStack() as closing:
            client = await closing.enter_async_context(_Client(self._base_url))
            try:
                me = await client.http.static_login(self._token)
            except LoginFailure:
                raise BadToken from None
            try:
                application: Mapping[str, Any] = await client.http.application_info()
            except HTTPException:
                application = {}  # then Discord closes the socket if it is too much
            self._ask_for(client, application.get("flags"))
            self.bot_id = str(me["id"])
            self._closing = closing.pop_all()
        self._client = client
        return client

    def _ask_for(self, client: "_Client", flags: object) -> None:
        """Ask for all that an application with these flags may; if they are not known, for all there is."""
        intents = discord.Intents.all()
        off = [each for each in _SWITCHES if isinstance(flags, int) and not flags & each[2]]
        for _, intent, _ in off:
            setattr(intents, intent, False)
        client._connection._intents = intents  # which is known only now, and is asked for when a session begins
        self.switched_off = tuple(name for name, _, _ in off)

    async def _open(self, client: "_Client") -> "_Socket":
        last = self.place
        gateway = yarl.URL(last.url) if last and self._knows_the_way else await _gateway(client, last is None)
        self._knows_the_way = False
        async with asyncio.timeout(_OPEN_S):
            socket = await _Socket.from_client(
                client,
                gateway=gateway,
                resume=last is not None,
                session=last.session_id if last is not None else None,
                sequence=last.number if last is not None else None,
            )
        self._knows_the_way = True
        # Instead of what the library does with events: it makes objects of them, and keeps these.
        socket._discord_parsers = {
            "READY": lambda _: self._opened(),
            "RESUMED": lambda _: self._opened(),
            **{kind: partial(self._hear, socket, kind) for kind in self._kinds},
        }
        return socket

    def _hear(self, socket: "_Socket", kind: str, _: object) -> None:
        self._heard(kind, socket.text, Place(socket.session_id or "", socket.sequence or 0, str(socket.gateway)))

    async def _hang_up(self, client: "_Client", socket: "_Socket | None") -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                if socket is not None:
                    await socket.close(_BACK_SOON)
                elif client.api.socket is not None:
                    await client.api.socket.close(code=_BACK_SOON)
        except Exception:
            pass  # it was broken, or nobody answers: it is cut off


class _Socket(DiscordWebSocket):
    """One socket."""

    text: str = ""  # the last message. It is read anew: not all that the library takes for JSON can be stored

    def log_receive(self, text: Any, /) -> None:
        self.text = text


class _Api(HTTPClient):
    """Discord's API, or what stands in for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, base_url: str) -> None:
        super().__init__(loop)
        self.socket: aiohttp.ClientWebSocketResponse | None = None  # the last one, also if it never greeted us
        self._base_url = base_url

    async def request(self, route: Route, **options: Any) -> Any:
        if self._base_url:
            route.url = self._base_url + route.url.removeprefix(route.BASE)
        return await super().request(route, **options)

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        self.socket = None
        self.socket = await super().ws_connect(url, compress=compress)
        return self.socket


class _Client(discord.Client):
    """What the library's sockets need of a client."""

    def __init__(self, base_url: str) -> None:
        super().__init__(
            intents=discord.Intents.all(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.http = self.api = _Api(self.loop, base_url)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library would wait here; whoever opens sockets has waited already."""


async def _gateway(client: _Client, is_new: bool) -> yarl.URL:
    """Where sockets are opened. Raises NoMoreSessions if a new session is wanted, and there must be none."""
    _, url, limit = await client.http.get_bot_gateway()
    if is_new and limit["remaining"] <= 0:
        raise NoMoreSessions(limit["reset_after"] / 1000)
    return yarl.URL(url)
