"""Discord's gateway, against a stand-in for Discord on this machine, through the best known library for it."""

import json
import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from autokitteh_server.integrations.discord import gateway
from autokitteh_server.integrations.discord.shape import gateway_event
from autokitteh_server.integrations.gateway import GatewayRefused, GatewayState
from autokitteh_server.integrations.incoming import load_gateway
from gateways import Changes, Heard, Pauses, play, running, serving

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

TOKEN, BOT_ID = "very.secret.token", "42"
SWITCHES = {"presences": 1 << 8, "members": 1 << 1, "message_content": 1 << 15}
ALL_FLAGS = 1 << 13 | 1 << 15 | 1 << 19


def answer_of(data: Any, *, status: int = 200) -> web.Response:
    """JSON as Discord sends it: the library knows it by exactly this type."""
    return web.Response(body=json.dumps(data).encode(), status=status, headers={"content-type": "application/json"})


class Link:
    """One socket, compressed as a whole, as Discord's are."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket, self.request = socket, request
        self._zlib = zlib.compressobj()

    async def send(self, op: int, data: Any = None, kind: str | None = None, number: int | None = None) -> None:
        text = json.dumps({"op": op, "d": data, "s": number, "t": kind}).encode()
        await self.socket.send_bytes(self._zlib.compress(text) + self._zlib.flush(zlib.Z_SYNC_FLUSH))

    def cut_off(self, *, half_a_message: bool = False) -> None:
        transport = self.request.transport
        assert transport is not None
        if half_a_message:
            transport.write(b"\x82\x7e\x10\x00" + b"\x78\x9c half a message")  # type: ignore[attr-defined]
        transport.abort()  # type: ignore[attr-defined]


class Discord:
    """Sessions that can be gone on with, each with all its events."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.address = ""
        self.flags: int | None = ALL_FLAGS
        self.permitted = sum(SWITCHES.values())  # intents that are switched on, whatever the flags say
        self.is_token_good = True
        self.is_ill = False
        self.is_mute = False  # lets sockets be opened, and says nothing
        self.close_at_once = 0  # a code
        self.remaining = 1000
        self.resume_url = ""  # "": here, at a place of its own
        self.beat_ms = 41_250
        self.links: list[Link] = []
        self.queries: list[dict[str, str]] = []
        self.identified: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.beats: list[int | None] = []
        self.sessions: dict[str, list[tuple[str, Any]]] = {}
        self.app = web.Application()
        self.app.router.add_get("/api/users/@me", self._me)
        self.app.router.add_get("/api/oauth2/applications/@me", self._application)
        self.app.router.add_get("/api/gateway/bot", self._gateway)
        self.app.router.add_get("/", self._link)
        self.app.router.add_get("/resume/", self._link)

    @property
    def url(self) -> str:
        return self.address.replace("http", "ws") + "/"

    @property
    def session_id(self) -> str:
        return f"session-{len(self.sessions)}"

    def _resume_url(self) -> str:
        return self.resume_url or f"{self.url}resume/"

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.changes.note()
        if self.is_ill:
            return web.Response(status=503, text="<html>back soon</html>")
        if not self.is_token_good or request.headers["authorization"] != f"Bot {TOKEN}":
            return answer_of({"message": "401: Unauthorized", "code": 0}, status=401)
        return None

    async def _me(self, request: web.Request) -> web.Response:
        return self._refusal(request) or answer_of({"id": BOT_ID, "username": "bot", "bot": True})

    async def _application(self, request: web.Request) -> web.Response:
        if self.flags is None:
            return answer_of({"message": "no"}, status=403)
        return self._refusal(request) or answer_of({"id": "43", "flags": self.flags})

    async def _gateway(self, request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": self.remaining, "reset_after": 77_000, "max_concurrency": 1}
        answer = {"url": self.url, "shards": 1, "session_start_limit": limit}
        return self._refusal(request) or answer_of(answer)

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.queries.append(dict(request.query))
        link = Link(socket, request)
        self.links.append(link)
        if not self.is_mute:
            await link.send(10, {"heartbeat_interval": self.beat_ms})
        self.changes.note()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(link, message.json())
            self.changes.note()
        return socket

    async def _take(self, link: Link, message: dict[str, Any]) -> None:
        data = message["d"]
        match message["op"]:
            case 1:
                self.beats.append(data)
                await link.send(11)
            case 2 if self.close_at_once:
                await link.socket.close(code=self.close_at_once)
            case 2:
                self.identified.append(data)
                if data["intents"] & sum(SWITCHES.values()) & ~self.permitted:
                    await link.socket.close(code=4014)
                    return
                self.sessions[f"session-{len(self.sessions) + 1}"] = []
                ready = {"v": 10, "user": {"id": BOT_ID}, "guilds": [{"id": "7", "unavailable": True}]}
                await self.dispatch(
                    "READY", {**ready, "session_id": self.session_id, "resume_gateway_url": self._resume_url()}
                )
                await self.dispatch("GUILD_CREATE", {"id": "7", "name": "ours", "channels": "not even a list"})
            case 6:
                self.resumed.append(data)
                if data["session_id"] not in self.sessions:
                    await link.send(9, False)
                    return
                missed = list(enumerate(self.sessions[data["session_id"]], start=1))[data["seq"] :]
                for number, (kind, event) in missed:
                    await link.send(0, event, kind, number)
                await link.send(0, {"_trace": []}, "RESUMED", len(self.sessions[data["session_id"]]) + 1)
                self.sessions[data["session_id"]].append(("RESUMED", {}))

    async def dispatch(self, kind: str, data: Any, *, is_missed: bool = False) -> None:
        """Something happens; it can be replayed."""
        events = self.sessions[self.session_id]
        events.append((kind, data))
        if not is_missed:
            await self.links[-1].send(0, data, kind, len(events))

    async def send(self, first: int, last: int, *, is_missed: bool = False) -> None:
        for number in range(first, last):
            await self.dispatch("MESSAGE_CREATE", message(number), is_missed=is_missed)


def message(number: int, **more: Any) -> dict[str, Any]:
    author = {"id": "99", "username": "maya"}
    return {
        "id": str(number),
        "channel_id": "33",
        "guild_id": "7",
        "content": f"no. {number}",
        "author": author,
        **more,
    }


@dataclass
class Scene:
    discord: Discord
    heard: Heard
    pauses: Pauses
    changes: Changes

    def ids(self) -> list[str]:
        return [each.data["id"] for each in self.heard.events]

    async def hears(self, count: int) -> None:
        await self.changes.until(lambda: len(self.heard.events) >= count)

    async def open_again(self, times: int = 2) -> None:
        await self.changes.until(lambda: self.heard.has_been(GatewayState.OPEN, times))


@asynccontextmanager
async def prepared() -> AsyncIterator[Scene]:
    """A stand-in to which nobody has come yet."""
    changes = Changes()
    discord = Discord(changes)
    async with serving(discord.app) as discord.address:
        yield Scene(discord, Heard(changes), Pauses(changes), changes)


def variables(discord: Discord) -> dict[str, str]:
    return {"auth_type": "initialized", "BotToken": TOKEN, "BotID": BOT_ID, "base_url": f"{discord.address}/api"}


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    """A gateway that is open at a stand-in."""
    async with (
        prepared() as on,
        running(gateway.run, variables(on.discord), on.heard, pause=on.pauses, **options),
    ):
        await on.changes.until(lambda: on.heard.has_been(GatewayState.OPEN))
        yield on


def ids(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


def test_each_bot_has_a_gateway() -> None:
    """One for each token."""
    assert load_gateway("discord") is gateway.GATEWAY
    assert gateway.GATEWAY.token({"BotToken": "t"}) == "t"
    assert gateway.GATEWAY.token({}) == ""


def test_messages_come_with_all_their_fields() -> None:
    """What Discord leaves out is there, and empty; the session and the number in it are the key."""

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.send(1, 2)
            await on.hears(1)

            (found,) = on.heard.events
            assert found == gateway_event("MESSAGE_CREATE", message(1), bot_id=BOT_ID, session_id="session-1", number=3)
            assert (found.event_type, found.key) == ("message_create", "session-1:3")
            assert (found.data["author"]["username"], found.data["attachments"]) == ("maya", [])
            assert on.discord.identified[0]["token"] == TOKEN
            assert on.discord.identified[0]["intents"] & sum(SWITCHES.values()) == sum(SWITCHES.values())
            assert on.discord.queries[0] == {"v": "10", "encoding": "json", "compress": "zlib-stream"}

    play(scenario)


def test_only_what_the_integration_has_is_delivered() -> None:
    """Not who is typing, nor what the bot does itself; and what cannot be read harms nobody."""

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.dispatch("TYPING_START", {"channel_id": "33", "user_id": "99"})
            await on.discord.dispatch("MESSAGE_CREATE", message(1, author={"id": BOT_ID}))
            await on.discord.dispatch("MESSAGE_CREATE", ["no message"])
            await on.discord.dispatch("MESSAGE_CREATE", message(2, content="half \ud83d"))
            await on.discord.dispatch("THREAD_CREATE", {"id": "3", "name": "t"})
            await on.discord.dispatch("MESSAGE_REACTION_ADD", {"user_id": "99", "message_id": "4"})
            await on.discord.dispatch("PRESENCE_UPDATE", {"user": {"id": "99"}, "status": "idle"})
            await on.hears(4)

            types = [each.event_type for each in on.heard.events]
            assert types == ["message_create", "thread_create", "message_reaction_add", "presence_update"]
            assert on.heard.events[0].data["content"] == "half \ufffd"

    play(scenario)


def test_a_burst_keeps_its_order() -> None:
    """Two hundred at once."""

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.send(0, 200)
            await on.hears(200)

            assert on.ids() == ids(0, 200)

    play(scenario)


@pytest.mark.parametrize("how", ["asked", "closed", "cut off", "in the middle of a message"])
def test_what_was_missed_comes_with_the_next_socket(how: str) -> None:
    """Each event once, in order: the session goes on where the last socket has ended."""

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.send(0, 5)
            await on.hears(5)
            match how:
                case "asked":
                    await on.discord.links[0].send(7)
                case "closed":
                    await on.discord.links[0].socket.close(code=4000)
                case _:
                    on.discord.links[0].cut_off(half_a_message=how != "cut off")
            await on.discord.send(5, 8, is_missed=True)
            await on.open_again()
            await on.discord.send(8, 10)
            await on.hears(10)

            assert on.ids() == ids(0, 10)
            assert len({each.key for each in on.heard.events}) == 10
            assert on.discord.resumed == [{"seq": 7, "session_id": "session-1", "token": TOKEN}]
            assert len(on.discord.identified) == 1
            assert [link.request.path for link in on.discord.links] == ["/", "/resume/"]

    play(scenario)


def test_a_session_goes_on_elsewhere_if_its_own_address_is_dead() -> None:
    """Discord names an address for that; its usual one does it, too."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.resume_url = f"{on.discord.url}nowhere/"
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.open_again(1)
                await on.discord.links[0].socket.close(code=4000)
                await on.discord.send(0, 3, is_missed=True)
                await on.hears(3)

            assert on.ids() == ids(0, 3)
            assert (len(on.discord.identified), len(on.discord.resumed)) == (1, 1)
            assert [link.request.path for link in on.discord.links] == ["/", "/"]

    play(scenario)


@pytest.mark.parametrize("may_go_on", [True, False])
def test_a_session_that_is_invalid_is_begun_anew(may_go_on: bool) -> None:
    """Unless Discord says that it may go on."""

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.send(0, 1)
            await on.hears(1)
            await on.discord.links[0].send(9, may_go_on)
            await on.open_again()
            await on.discord.send(1, 2)
            await on.hears(2)

            assert on.ids() == ids(0, 2)
            assert (len(on.discord.identified), len(on.discord.resumed)) == ((1, 1) if may_go_on else (2, 0))

    play(scenario)


def test_another_server_goes_on_where_one_has_left_off() -> None:
    """What happens in between comes with the next one, and what was delivered does not come again."""

    async def scenario() -> None:
        async with prepared() as on:
            given = variables(on.discord)
            async with running(gateway.run, given, on.heard, pause=on.pauses):
                await on.changes.until(lambda: on.heard.has_been(GatewayState.OPEN))
                await on.discord.send(0, 5)
                await on.changes.until(lambda: len(on.heard.events) == 5 and on.heard.place)
            await on.discord.send(5, 8, is_missed=True)

            following = Heard(on.changes)
            following.place = on.heard.place
            async with running(gateway.run, given, following, pause=on.pauses):
                await on.changes.until(lambda: len(following.events) == 3)
                await on.discord.send(8, 9)
                await on.changes.until(lambda: len(following.events) == 4)

            assert [each.data["id"] for each in following.events] == ids(5, 9)
            assert len(on.discord.identified) == 1
            assert not {each.key for each in on.heard.events} & {each.key for each in following.events}

    play(scenario)


@pytest.mark.parametrize("place", ["[]", "nonsense", '["gone", 7, "ws://127.0.0.1:1/"]'])
def test_a_place_that_is_none_is_begun_anew(place: str) -> None:
    async def scenario() -> None:
        async with prepared() as on:
            on.heard.place = place
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.changes.until(lambda: on.discord.identified)
                await on.changes.until(lambda: on.heard.has_been(GatewayState.OPEN))
                await on.discord.send(0, 2)
                await on.hears(2)

    play(scenario)


def test_a_session_that_is_forgotten_is_begun_anew() -> None:
    """Discord forgets sessions after some minutes without a socket."""

    async def scenario() -> None:
        async with scene() as on:
            on.discord.sessions = {"another": []}
            await on.discord.links[0].socket.close(code=4009)
            await on.open_again()
            await on.discord.send(1, 2)
            await on.hears(1)

            assert (len(on.discord.identified), len(on.discord.resumed)) == (2, 1)
            assert on.heard.events[0].key.startswith("session-2:")

    play(scenario)


def test_what_cannot_be_delivered_waits_in_its_order() -> None:
    """Discord would not send it again."""

    async def scenario() -> None:
        async with scene() as on:
            on.heard.refusals = 2
            await on.discord.send(0, 10)
            await on.hears(10)

            assert on.ids() == ids(0, 10)
            assert [round(length) for length in on.pauses.lengths] in ([1, 1], [1, 2], [0, 1], [0, 2])

    play(scenario)


def test_when_too_many_wait_discord_keeps_the_rest() -> None:
    """The socket is closed until they are stored; then the session goes on, and nothing is lost."""

    async def scenario() -> None:
        async with scene(most_held=20) as on:
            on.heard.may_deliver.clear()
            await on.discord.send(0, 20)
            await on.changes.until(lambda: on.heard.has_been(GatewayState.WAITING))
            await on.changes.until(lambda: on.discord.links[0].socket.closed)
            await on.discord.send(20, 25, is_missed=True)
            assert len(on.discord.links) == 1
            on.heard.may_deliver.set()
            await on.hears(25)

            assert on.ids() == ids(0, 25)
            assert "20 events" in on.heard.message_of(GatewayState.WAITING)

    play(scenario)


def test_heartbeats_go_on_while_a_delivery_takes_its_time() -> None:
    """Discord would close a socket that is silent."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.beat_ms = 100
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.open_again(1)
                on.heard.may_deliver.clear()
                await on.discord.send(0, 3)
                await on.changes.until(lambda: on.discord.beats.count(5) >= 3)
                on.heard.may_deliver.set()
                await on.hears(3)

                assert len(on.discord.links) == 1

    play(scenario)


def test_a_token_that_discord_does_not_take_is_not_tried_again() -> None:
    """Somebody has to enter another one, and is told so."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.is_token_good = False
            with pytest.raises(GatewayRefused, match="ak connection init"):
                await gateway.run(variables(on.discord), on.heard, pause=on.pauses)

            assert on.pauses.lengths == []

    play(scenario)


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013])
def test_codes_for_which_there_is_no_second_time(code: int) -> None:
    """Discord closes the socket, and coming back would do harm."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.close_at_once = code
            with pytest.raises(GatewayRefused):
                await gateway.run(variables(on.discord), on.heard, pause=on.pauses)

            assert on.pauses.lengths == []

    play(scenario)


def test_only_what_is_switched_on_is_asked_for() -> None:
    """The others are named, with where to switch them on."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.flags, on.discord.permitted = 1 << 19, SWITCHES["message_content"]
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.open_again(1)

        (asked,) = on.discord.identified
        assert asked["intents"] & sum(SWITCHES.values()) == SWITCHES["message_content"]
        message = on.heard.message_of(GatewayState.OPEN)
        assert "Presence Intent, Server Members Intent." in message
        assert "https://discord.com/developers/applications" in message

    play(scenario)


def test_it_does_without_what_is_refused() -> None:
    """Where it cannot be found out before, Discord closes the socket; then nothing with a switch is asked for."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.flags, on.discord.permitted = None, 0
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.open_again(1)
                await on.discord.send(0, 1)
                await on.hears(1)

        assert [asked["intents"] & sum(SWITCHES.values()) for asked in on.discord.identified] == [
            sum(SWITCHES.values()),
            0,
        ]
        assert "Message Content Intent" in on.heard.message_of(GatewayState.OPEN)

    play(scenario)


def test_it_waits_longer_each_time() -> None:
    """A service that closes whatever is opened is not stormed; nor is one that has had enough for today."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.close_at_once = 4000
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.changes.until(lambda: len(on.pauses.lengths) >= 12)
                for number, length in enumerate(on.pauses.lengths[:12]):
                    assert min(2**number, 300) / 2 <= length <= min(2**number, 300)
                on.discord.close_at_once, on.discord.remaining = 0, 0
                await on.changes.until(lambda: "sessions" in on.heard.message_of(GatewayState.WAITING))
                assert on.pauses.lengths[-1] >= 77
                on.discord.remaining = 1
                await on.open_again(1)

    play(scenario)


def test_two_bots_in_one_loop() -> None:
    """Each is told what is its own."""

    async def scenario() -> None:
        async with scene() as one, scene() as other:
            await one.discord.send(0, 3)
            await other.discord.send(3, 6)
            await one.hears(3)
            await other.hears(3)

            assert (one.ids(), other.ids()) == (ids(0, 3), ids(3, 6))

    play(scenario)


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token nor what people say, however much is logged."""
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with scene() as on:
            await on.discord.send(1, 2)
            await on.hears(1)
            await on.discord.links[0].send(7)
            await on.open_again()

    play(scenario)

    for secret in (TOKEN, "no. 1", "session-1"):
        assert secret not in caplog.text


@pytest.mark.parametrize("state", ["open", "waiting", "delivering", "greeting", "unheard"])
def test_it_ends_at_once(state: str) -> None:
    """In whatever it is doing, also if nobody is there to say goodbye to, and leaves nothing behind."""

    async def scenario() -> None:
        async with scene() as on:
            match state:
                case "waiting":
                    on.pauses.may_end.clear()
                    await on.discord.links[0].send(7)
                    await on.changes.until(lambda: on.pauses.lengths)
                case "delivering":
                    on.heard.may_deliver.clear()
                    await on.discord.send(0, 3)
                    await on.changes.until(lambda: on.heard.attempts)
                case "greeting":
                    on.discord.is_mute = True
                    await on.discord.links[0].socket.close(code=4000)
                    await on.changes.until(lambda: len(on.discord.links) == 2)
                case "unheard":
                    transport = on.discord.links[0].request.transport
                    assert transport is not None
                    transport.pause_reading()  # type: ignore[attr-defined]

    play(scenario)


def test_a_server_that_says_nothing_is_tried_again() -> None:
    """Also over REST: a page instead of an answer, or no JSON at all."""

    async def scenario() -> None:
        async with prepared() as on:
            on.discord.is_ill = True
            async with running(gateway.run, variables(on.discord), on.heard, pause=on.pauses):
                await on.changes.until(lambda: len(on.pauses.lengths) >= 3)
                assert "DiscordServerError" in on.heard.message_of(GatewayState.WAITING)
                on.discord.is_ill = False
                await on.open_again(1)
                await on.discord.send(0, 1)
                await on.hears(1)

    play(scenario)
