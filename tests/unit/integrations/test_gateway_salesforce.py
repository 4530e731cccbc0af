"""Changes of records in Salesforce, against a stand-in for its Streaming API on this machine."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web

from autokitteh_server.core.errors import ServerError
from autokitteh_server.integrations.gateway import GatewayRefused, GatewayState
from autokitteh_server.integrations.incoming import load_gateway
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.salesforce import gateway
from gateways import Changes, Heard, Pauses, play, running, serving

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

TOKEN = "s3cr3t-access-0"
ORGANIZATION, USER = "00DHs0000001AbCMAU", "005Hs00000AbCdEIAV"
SOMEBODY = "005Hs00000ZzZzZIAV"
CHANNEL = "/data/ChangeEvents"
NOW_MS = 1_764_000_000_000
HOUR_MS = 3_600_000


@dataclass(eq=False)
class Client:
    """What Salesforce knows of somebody who polls."""

    cookie: str
    is_subscribed: bool = False
    waiting: list[dict[str, Any]] = field(default_factory=list)  # messages for it: what is sent is forgotten
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Salesforce:
    """Events with ids that have gaps, kept for a while; clients that are told of each event once."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.address = ""
        self.now_ms = NOW_MS
        self.good_tokens = {TOKEN}
        self.clients: dict[str, Client] = {}
        self.kept: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []  # each message, as it came
        self.authorizations: list[str] = []
        self.most_at_once = 80
        self.cuts = 0  # so many answers to polls with events in them are cut off in the middle
        self.pages = 0  # so many requests are answered by a proxy
        self.subscribe_error = ""
        self.refuses_by_status = False  # as the rest of Salesforce's API does
        self.advice: dict[str, Any] = {"reconnect": "retry", "interval": 0, "timeout": 110_000}
        self._last_id = 1000
        self.app = web.Application()
        self.app.router.add_post("/cometd/62.0", self._take)

    def asked_for(self, channel: str) -> list[dict[str, Any]]:
        return [each for each in self.asked if each["channel"] == channel]

    @property
    def polling(self) -> bool:
        """Whether the last thing that it was asked is what has happened."""
        return bool(self.asked) and self.asked[-1]["channel"] == "/meta/connect"

    def replays(self) -> list[int]:
        return [each["ext"]["replay"][CHANNEL] for each in self.asked_for("/meta/subscribe")]

    def publish(self, *payloads: dict[str, Any], channel: str = CHANNEL) -> None:
        """Something happens."""
        for payload in payloads:
            self._last_id += 7
            data = {"schema": "IeRuaY6cbI_HsV8Rv1Mc5g", "payload": payload, "event": {"replayId": self._last_id}}
            self.kept.append((self._last_id, data))
            for client in self.clients.values():
                if client.is_subscribed:
                    client.waiting.append({"data": data, "channel": channel})
                    client.wake.set()

    def publish_numbers(self, first: int, last: int) -> None:
        self.publish(*(change(number) for number in range(first, last)))

    def forget_clients(self) -> None:
        """As when one has not polled for too long, or the server it was at is gone."""
        known, self.clients = self.clients, {}
        for client in known.values():
            client.wake.set()

    def purge(self) -> None:
        """The time for which events are kept is over."""
        self.kept.clear()

    def end_polls(self) -> None:
        """Nothing has happened for 110 seconds."""
        for client in self.clients.values():
            client.wake.set()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        (message,) = await request.json()
        self.asked.append(message)
        self.authorizations.append(request.headers["authorization"])
        self.changes.note()
        if self.refuses_by_status and not self._is_token_good():
            error = {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
            return web.json_response([error], status=401)
        if self.pages:
            self.pages -= 1
            return web.Response(status=503, text="<html>back soon</html>", content_type="text/html")
        match message["channel"]:
            case "/meta/handshake":
                return self._shake_hands(message)
            case "/meta/subscribe":
                return self._subscribe(message, request)
            case "/meta/connect":
                return await self._poll(message, request)
        raise AssertionError(message)

    def _is_token_good(self) -> bool:
        return self.authorizations[-1].removeprefix("Bearer ") in self.good_tokens

    def _shake_hands(self, message: dict[str, Any]) -> web.Response:
        reply = {"channel": "/meta/handshake", "id": message["id"]}
        if not self._is_token_good():
            ext = {"sfdc": {"failureReason": "401::Authentication invalid"}, "replay": True}
            denied = {"error": "403::Handshake denied", "advice": {"reconnect": "none"}, "successful": False}
            return self._answer([reply | denied | {"ext": ext}])
        client_id = f"client-{len(self.asked)}"
        self.clients[client_id] = Client(cookie=f"browser-{len(self.asked)}")
        supported = {"version": "1.0", "minimumVersion": "1.0", "supportedConnectionTypes": ["long-polling"]}
        done = {"clientId": client_id, "successful": True, "ext": {"replay": True, "payload.format": True}}
        answer = self._answer([reply | supported | done])
        answer.set_cookie("BAYEUX_BROWSER", self.clients[client_id].cookie, path="/", httponly=True)
        return answer

    def _error(self, message: dict[str, Any], error: str, reconnect: str) -> web.Response:
        known = {"clientId": message["clientId"], "channel": message["channel"], "id": message["id"]}
        advice = {"reconnect": reconnect, "interval": 0}
        return self._answer([known | {"error": error, "advice": advice, "successful": False}])

    def _known(self, message: dict[str, Any], request: web.Request) -> Client | web.Response:
        if not self._is_token_good():
            return self._error(message, "401::Authentication invalid", "none")
        client = self.clients.get(message["clientId"])
        if client is None:
            return self._error(message, "403::Unknown client", "handshake")
        if request.cookies.get("BAYEUX_BROWSER") != client.cookie:
            return self._error(message, "400::Client has established a session, but no cookie present", "handshake")
        return client

    def _subscribe(self, message: dict[str, Any], request: web.Request) -> web.Response:
        client = self._known(message, request)
        if isinstance(client, web.Response):
            return client
        replay_id = message["ext"]["replay"][message["subscription"]]
        ids = [each for each, _ in self.kept]
        if self.subscribe_error:
            return self._error(message, self.subscribe_error, "none")
        if replay_id >= 0 and replay_id not in ids:
            told = (
                f"400::The replayId {{{replay_id}}} you provided was invalid.  Please provide a valid ID, -2 to replay"
            )
            return self._error(message, f"{told} all events, or -1 to replay only new events.", "none")
        begin = {-1: len(ids), -2: 0}.get(replay_id, ids.index(replay_id) + 1 if replay_id >= 0 else 0)
        client.is_subscribed = True
        client.waiting = [{"data": data, "channel": CHANNEL} for _, data in self.kept[begin:]]
        known = {"clientId": message["clientId"], "channel": "/meta/subscribe", "id": message["id"]}
        return self._answer([known | {"subscription": message["subscription"], "successful": True}])

    async def _poll(self, message: dict[str, Any], request: web.Request) -> web.StreamResponse:
        client = self._known(message, request)
        if isinstance(client, web.Response):
            return client
        if not client.waiting:
            client.wake.clear()
            await client.wake.wait()
            client = self._known(message, request)
            if isinstance(client, web.Response):
                return client
        sent, client.waiting = client.waiting[: self.most_at_once], client.waiting[self.most_at_once :]
        known = {"clientId": message["clientId"], "channel": "/meta/connect", "id": message["id"]}
        answer = self._answer([*sent, known | {"advice": self.advice, "successful": True}])
        if self.cuts and sent:
            self.cuts -= 1
            return await self._cut_off(answer, request)
        return answer

    async def _cut_off(self, answer: web.Response, request: web.Request) -> web.StreamResponse:
        assert isinstance(answer.body, bytes) and request.transport is not None
        half = web.StreamResponse(headers={"content-length": str(len(answer.body)), "content-type": "application/json"})
        await half.prepare(request)
        await half.write(answer.body[: len(answer.body) // 2])
        request.transport.abort()  # type: ignore[attr-defined]
        return half

    def _answer(self, messages: Sequence[dict[str, Any]]) -> web.Response:
        date = formatdate(self.now_ms / 1000, usegmt=True)
        return web.json_response(list(messages), headers={"date": date})


def change(number: int, entity: str = "Account", **header: Any) -> dict[str, Any]:
    usual = {
        "entityName": entity,
        "recordIds": [f"001{number:012}"],
        "changeType": "UPDATE",
        "changeOrigin": "",
        "transactionKey": f"transaction-{number // 2}",  # two changes each
        "sequenceNumber": number % 2 + 1,
        "commitTimestamp": NOW_MS + number,
        "commitUser": SOMEBODY,
        "changedFields": ["Description"],
    }
    return {"ChangeEventHeader": usual | header, "Description": f"no. {number}"}


@dataclass
class Scene:
    salesforce: Salesforce
    heard: Heard
    pauses: Pauses
    changes: Changes

    def numbers(self) -> list[int]:
        return [int(each.data["Description"].removeprefix("no. ")) for each in self.heard.events]

    async def hears(self, count: int) -> None:
        await self.changes.until(lambda: len(self.heard.events) >= count)

    async def is_open(self, times: int = 1) -> None:
        """It has subscribed so many times, and polls."""
        await self.changes.until(lambda: self.heard.has_been(GatewayState.OPEN, times) and self.salesforce.polling)


@asynccontextmanager
async def prepared(place: str = "") -> AsyncIterator[Scene]:
    """A stand-in to which nobody has come yet."""
    changes = Changes()
    salesforce, heard = Salesforce(changes), Heard(changes)
    async with serving(salesforce.app) as salesforce.address:
        heard.place = place
        heard.values = variables(salesforce)
        yield Scene(salesforce, heard, Pauses(changes), changes)


def variables(salesforce: Salesforce) -> dict[str, str]:
    return {
        "auth_type": "oauthPrivate",
        "oauth_access_token": TOKEN,
        "instance_url": salesforce.address,
        "organization_id": ORGANIZATION,
        "user_id": USER,
    }


@asynccontextmanager
async def gateway_at(on: Scene, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    """A gateway that is open at a stand-in, once more."""
    times = sum(state is GatewayState.OPEN for state, _ in on.heard.states)
    async with running(gateway.run, on.heard.values, on.heard, pause=on.pauses, **options) as task:
        await on.is_open(times + 1)
        yield task


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    async with prepared() as on, gateway_at(on, **options):
        yield on


def test_each_user_has_a_gateway() -> None:
    """Whatever their access token is at the moment; none without one, or without an address."""
    known = {"instance_url": "https://acme.my.salesforce.com/", "organization_id": "00D1", "user_id": "0051"}
    whose = gateway.GATEWAY.token

    assert load_gateway("salesforce") is gateway.GATEWAY
    assert gateway.GATEWAY.asks_for_tokens
    assert whose({**known, "oauth_access_token": "a"}) == whose({**known, "oauth_AccessToken": "b"}) != ""
    assert whose({**known, "oauth_access_token": "a", "user_id": "0052"}) != whose({**known, "oauth_access_token": "a"})
    assert whose(known) == whose({"oauth_access_token": "a"}) == ""


def test_changes_come_as_salesforce_tells_them() -> None:
    """With their header; transaction and number are the key, the organization says for whom it is."""

    async def scenario() -> None:
        async with scene() as on:
            told = change(3, "Invoice__c")
            on.salesforce.publish(told)
            await on.hears(1)

            (found,) = on.heard.events
            assert (found.event_type, found.data) == ("invoice__c", told)
            assert found.key == "transaction-1:2:invoice__c:UPDATE:001000000000003"
            assert found.match == (match_of(organization_id=ORGANIZATION),)
            hello = on.salesforce.asked_for("/meta/handshake")[0]
            assert (hello["ext"], hello["supportedConnectionTypes"]) == ({"replay": True}, ["long-polling"])
            assert on.salesforce.replays() == [-1]
            assert set(on.salesforce.authorizations) == {f"Bearer {TOKEN}"}

    play(scenario)


def test_a_burst_keeps_its_order() -> None:
    """Two hundred at once, in several answers."""

    async def scenario() -> None:
        async with scene() as on:
            on.salesforce.publish_numbers(0, 200)
            await on.hears(200)

            assert on.numbers() == list(range(200))
            assert len({each.key for each in on.heard.events}) == 200
            assert on.pauses.lengths == []

    play(scenario)


@pytest.mark.parametrize("how", ["cut off", "forgotten", "a proxy's page", "nothing for long"])
def test_what_is_lost_on_the_way_comes_again(how: str) -> None:
    """Each event once, in order: the next client begins after the last event that was delivered."""

    async def scenario() -> None:
        async with scene() as on:
            on.salesforce.publish_numbers(0, 5)
            await on.hears(5)
            await on.is_open()
            match how:
                case "cut off":
                    on.salesforce.cuts = 1
                case "forgotten":
                    on.salesforce.forget_clients()
                case "a proxy's page":
                    on.salesforce.pages = 2
                    on.salesforce.end_polls()
                case _:
                    polls = len(on.salesforce.asked)
                    on.salesforce.end_polls()
                    await on.changes.until(lambda: len(on.salesforce.asked) > polls)
            on.salesforce.publish_numbers(5, 9)
            await on.hears(9)
            await on.is_open()
            on.salesforce.publish_numbers(9, 10)
            await on.hears(10)

            assert on.numbers() == list(range(10))
            assert len({each.key for each in on.heard.events}) == 10
            fifth = on.salesforce.kept[4][0]
            assert on.salesforce.replays() == ([-1] if how == "nothing for long" else [-1, fifth])

    play(scenario)


def test_a_client_that_is_forgotten_after_a_while_is_replaced_at_once() -> None:
    """As happens when a server of Salesforce's is replaced: nothing is amiss."""

    async def scenario() -> None:
        async with scene(steady_s=0.0) as on:
            on.salesforce.forget_clients()
            await on.is_open(2)

            assert on.pauses.lengths == []
            assert not on.heard.has_been(GatewayState.WAITING)

    play(scenario)


def test_attempts_become_rarer() -> None:
    """While nobody is there; what is said of it has no address in it."""

    async def scenario() -> None:
        async with prepared() as on:
            on.salesforce.pages = 5
            async with gateway_at(on):
                pass
            on.heard.values = {**on.heard.values, "instance_url": "http://127.0.0.1:9"}
            async with running(gateway.run, on.heard.values, on.heard, pause=on.pauses):
                await on.changes.until(lambda: on.heard.has_been(GatewayState.WAITING, 6))

            assert all(2**n / 2 <= length <= 2**n for n, length in enumerate(on.pauses.lengths[:5]))
            assert "Salesforce refuses (503::no reason given)" in on.heard.states[1][1]
            assert "cannot be reached" in on.heard.message_of(GatewayState.WAITING)
            assert "127.0.0.1" not in on.heard.message_of(GatewayState.WAITING)

    play(scenario)


def test_it_waits_between_polls_if_it_is_told_to() -> None:
    """With the advice of the last answer."""

    async def scenario() -> None:
        async with scene() as on:
            on.salesforce.advice = {"reconnect": "retry", "interval": 2500, "timeout": 110_000}
            on.salesforce.publish_numbers(0, 1)
            await on.changes.until(lambda: on.pauses.lengths)

            assert on.pauses.lengths == [2.5]

    play(scenario)


def test_what_the_user_does_does_not_come() -> None:
    """In neither way to write an id; the place is after it, all the same."""

    async def scenario() -> None:
        async with scene() as on:
            on.salesforce.publish(change(0, commitUser=USER), change(1, commitUser=USER[:15]))
            await on.changes.until(lambda: str(on.salesforce.kept[1][0]) in on.heard.place)
            assert on.heard.events == []
            on.salesforce.publish_numbers(2, 3)
            await on.hears(1)

            assert on.numbers() == [2]

    play(scenario)


def test_gaps_come_as_they_are() -> None:
    """They have no fields, all the same number, and with an overflow no ids either."""

    async def scenario() -> None:
        async with scene() as on:
            same: dict[str, Any] = {"transactionKey": "t", "sequenceNumber": 1, "changeType": "GAP_UPDATE"}
            told = [change(0, **same), change(1, **same), change(2, "Contact", **same)]
            told += [change(3, **same | {"changeType": "GAP_OVERFLOW", "recordIds": []})]
            on.salesforce.publish(*told)
            await on.hears(4)

            assert [each.data for each in on.heard.events] == told
            assert len({each.key for each in on.heard.events}) == 4

    play(scenario)


def test_what_cannot_be_read_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Nor what comes over another channel."""

    async def scenario() -> None:
        async with scene() as on:
            on.salesforce.publish({"no": "header"}, change(0, entityName=7), change(1, entityName="half \ud83d"))
            on.salesforce.publish(change(2), channel="/event/Other__e")
            on.salesforce.publish(change(3, transactionKey=None), {**change(4), "Name": "half \ud83d"})
            await on.hears(2)

            assert on.numbers() == [3, 4]
            assert len({each.key for each in on.heard.events}) == 2
            assert on.heard.events[1].data["Name"] == "half \ufffd"

    with caplog.at_level(logging.WARNING):
        play(scenario)
    assert sum("cannot be taken" in each.message for each in caplog.records) == 3


def test_a_server_that_is_started_again_goes_on_where_it_was() -> None:
    """What happened meanwhile comes, in order; nothing comes twice."""

    async def scenario() -> None:
        async with prepared() as on:
            async with gateway_at(on):
                on.salesforce.publish_numbers(0, 3)
                await on.changes.until(lambda: str(on.salesforce.kept[2][0]) in on.heard.place)
            on.salesforce.publish_numbers(3, 120)
            async with gateway_at(on):
                await on.hears(120)

            assert on.numbers() == list(range(120))
            assert on.salesforce.replays() == [-1, on.salesforce.kept[2][0]]

    play(scenario)


def test_it_goes_on_also_if_nothing_has_come_yet() -> None:
    """What was there before the first time does not come; what happened since does."""

    async def scenario() -> None:
        async with prepared() as on:
            on.salesforce.publish(*(change(n, commitTimestamp=NOW_MS - HOUR_MS) for n in range(3)))
            async with gateway_at(on):
                pass
            on.salesforce.publish_numbers(3, 6)
            async with gateway_at(on):
                await on.hears(3)

            assert on.numbers() == [3, 4, 5]
            assert on.salesforce.replays() == [-1, -2]

    play(scenario)


def test_a_place_that_is_not_kept_any_more() -> None:
    """All that is kept is read; what is older than the place was delivered long ago, and no key would tell."""

    async def scenario() -> None:
        async with prepared(json.dumps([77, NOW_MS])) as on:
            old = [change(n, commitTimestamp=NOW_MS - HOUR_MS) for n in range(150)]
            on.salesforce.publish(*old, change(150), change(151, commitTimestamp=None))
            async with gateway_at(on):
                await on.hears(2)
                on.salesforce.publish_numbers(152, 153)
                await on.hears(3)

            assert on.numbers() == [150, 151, 152]
            assert on.salesforce.replays() == [77, -2]
            assert len(on.salesforce.asked_for("/meta/handshake")) == 1

    play(scenario)


def test_a_place_that_is_none_is_a_first_time() -> None:
    async def scenario() -> None:
        async with prepared("not one of ours") as on:
            on.salesforce.publish_numbers(0, 2)
            async with gateway_at(on):
                pass
            assert on.salesforce.replays() == [-1]
            assert gateway.Place.from_text(on.heard.place) == gateway.Place(replay_id=None, since_ms=NOW_MS)

    play(scenario)


def test_the_place_is_kept_once_events_are_durable() -> None:
    """They are delivered until they are taken."""

    async def scenario() -> None:
        async with scene() as on:
            before = on.heard.place
            on.heard.refusals = 2
            on.heard.may_deliver.clear()
            on.salesforce.publish_numbers(0, 3)
            await on.changes.until(lambda: on.heard.attempts)
            assert on.heard.place == before
            on.heard.may_deliver.set()
            await on.hears(3)

            assert on.numbers() == [0, 1, 2]
            assert on.heard.attempts == 3
            await on.changes.until(lambda: on.heard.place != before)
            place = gateway.Place.from_text(on.heard.place)
            assert place == gateway.Place(replay_id=on.salesforce.kept[2][0], since_ms=NOW_MS + 2 - 60_000)

    play(scenario)


def test_salesforce_forgets_who_takes_long_to_store_events() -> None:
    """Nothing is lost by that, and nothing comes twice."""

    async def scenario() -> None:
        async with scene() as on:
            on.heard.may_deliver.clear()
            on.salesforce.publish_numbers(0, 3)
            await on.changes.until(lambda: on.heard.attempts)
            on.salesforce.publish_numbers(3, 6)
            on.salesforce.forget_clients()
            on.heard.may_deliver.set()
            await on.hears(6)

            assert on.numbers() == list(range(6))
            assert on.salesforce.replays() == [-1, on.salesforce.kept[2][0]]

    play(scenario)


@pytest.mark.parametrize("when", ["at once", "at once, and not as a message", "later"])
def test_another_token_takes_the_place_of_one_that_is_refused(when: str) -> None:
    """It is asked for, and polling goes on where it was."""

    async def scenario() -> None:
        async with prepared() as on:
            on.heard.renewals = [{"oauth_access_token": "s3cr3t-access-1"}]
            on.salesforce.refuses_by_status = "not as a message" in when
            if when != "later":
                on.salesforce.good_tokens = {"s3cr3t-access-1"}
            async with gateway_at(on):
                on.salesforce.publish_numbers(0, 2)
                await on.hears(2)
                await on.is_open()
                if when == "later":
                    on.salesforce.good_tokens = {"s3cr3t-access-1"}
                    on.salesforce.publish_numbers(2, 3)  # the poll that is held is answered as it would be anyway
                else:
                    on.salesforce.publish_numbers(2, 3)
                await on.hears(3)

            assert on.numbers() == [0, 1, 2]
            assert on.salesforce.authorizations[-1] == "Bearer s3cr3t-access-1"
            message = on.heard.message_of(GatewayState.WAITING)
            assert "does not accept the access token (401::" in message
            assert "s3cr3t" not in message
            assert on.heard.renewals == []

    play(scenario)


def test_it_ends_if_somebody_has_to_connect_it_anew() -> None:
    """Nobody is asked again with what was refused for good."""

    async def scenario() -> None:
        async with prepared() as on:
            on.salesforce.good_tokens = set()
            on.heard.cannot_renew = GatewayRefused("the service has taken it back. Connect it anew.")
            with pytest.raises(GatewayRefused, match="Connect it anew"):
                await gateway.run(on.heard.values, on.heard, pause=on.pauses)

            assert len(on.salesforce.asked) == 1

    play(scenario)


def test_it_waits_while_no_token_is_to_be_had() -> None:
    """And says why."""

    async def scenario() -> None:
        async with prepared() as on:
            on.salesforce.good_tokens = set()
            on.heard.cannot_renew = ServerError("the service cannot be reached")
            async with running(gateway.run, on.heard.values, on.heard, pause=on.pauses):
                await on.changes.until(lambda: on.heard.has_been(GatewayState.WAITING, 4))
                assert "the service cannot be reached" in on.heard.message_of(GatewayState.WAITING)
                on.heard.cannot_renew, on.salesforce.good_tokens = None, {TOKEN}
                await on.is_open()

    play(scenario)


def test_what_salesforce_does_not_allow_is_tried_again_later() -> None:
    """An administrator may allow it, without anybody changing the connection."""

    async def scenario() -> None:
        async with prepared() as on:
            on.salesforce.subscribe_error = "403::Organization total events daily limit exceeded"
            async with running(gateway.run, on.heard.values, on.heard, pause=on.pauses):
                await on.changes.until(lambda: on.heard.has_been(GatewayState.WAITING, 3))
                assert "total events daily limit exceeded" in on.heard.message_of(GatewayState.WAITING)
                on.salesforce.subscribe_error = ""
                await on.is_open()

    play(scenario)


@pytest.mark.parametrize("when", ["a poll is held", "an event is being stored", "it waits"])
def test_it_ends_at_once(when: str) -> None:
    """Whatever it is about to do; `running` and `play` see to it that nothing is left."""

    async def scenario() -> None:
        async with prepared() as on:
            if when == "it waits":
                on.salesforce.pages = 1
                on.pauses.may_end.clear()
                async with running(gateway.run, on.heard.values, on.heard, pause=on.pauses):
                    await on.changes.until(lambda: on.pauses.lengths)
                return
            async with gateway_at(on):
                if when == "an event is being stored":
                    on.heard.may_deliver.clear()
                    on.salesforce.publish_numbers(0, 1)
                    await on.changes.until(lambda: on.heard.attempts)

    play(scenario)
