"""Microsoft Graph is told what to send: against a stand-in that asks back while it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from autokitteh_server.core.timestamps import parse_time
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.feed import Registration
from autokitteh_server.integrations.microsoft_teams.feed import FEED
from autokitteh_server.integrations.microsoft_teams.spec import SPEC
from autokitteh_server.integrations.microsoft_teams.subscriptions import changes_of, resources_of
from autokitteh_server.integrations.microsoft_teams.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.webhook import Refused, recipients
from deliveries import request, take
from unit.integrations.feeds import PUBLIC_URL, Connection, serving
from unit.integrations.graph_service import CHANNEL, CHAT, MINUTE_US, TOKEN, Graph, Heard

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

CREATED: dict[str, Any] = load_sample("microsoft_teams", "chatmessage_created")
HOUR_US = 60 * MINUTE_US


class Town:
    """Graph, and connections that it calls as the server would have it."""

    def __init__(self) -> None:
        self.graph = Graph(self.call)
        self.connections: dict[str, Connection] = {}
        self.got: list[tuple[str, str]] = []  # who has got what
        self.looks: list[str] = []  # who is to tell anew
        self.url = ""

    def connect(self, resource: str, id: str = "con_1") -> Connection:
        """A connection that listens to this."""
        variables = {"oauth_access_token": TOKEN, "resource": resource}
        self.connections[id] = Connection(self.url, SPEC.api, variables, id)
        return self.connections[id]

    def call(self, url: str, content_type: str, body: bytes) -> Heard:
        """What is heard at an address of ours."""
        prefix = next(each.public_url for each in self.connections.values() if url.startswith(each.public_url))
        path = url.removeprefix(f"{prefix}/microsoft_teams/").partition("?")[0]
        call = request(path, body, content_type=content_type, url=url)
        secrets = [secret for each in self.connections.values() for secret in self._secrets(each, path)]
        try:
            received = take(WEBHOOK, call, *secrets)
        except Refused as refused:
            return Heard(refused.status)
        known = {each.id: each.variables for each in self.connections.values()}
        for event in received.events:
            self.got += [(each, event.event_type) for each in recipients(WEBHOOK, call, event, received.proof, known)]
        for look in received.looks:
            self.looks += recipients(WEBHOOK, call, look, received.proof, known)
        reply = received.reply
        return Heard(reply.status, reply.headers.get("content-type", ""), reply.body)

    def _secrets(self, connection: Connection, path: str) -> tuple[Any, ...]:
        return connection.secrets_for(WEBHOOK, path) if path.endswith(f"/{connection.id}") else ()

    def tell(self, connection: Connection) -> Registration:
        """Register, and keep what comes of it."""
        connection.now = self.graph.now
        told = connection.tell(FEED)
        assert set(told.variables) <= set(SPEC.learns)
        connection.keep(told.variables)
        return told

    def listened_to(self) -> list[str]:
        """The resources of all subscriptions."""
        return [each["resource"] for each in self.graph.there.values()]


@pytest.fixture
def town() -> Iterator[Town]:
    with opened() as made:
        yield made


@contextmanager
def opened() -> Iterator[Town]:
    made = Town()
    with serving(made.graph.answer) as made.url:
        yield made


def test_what_is_told_fits_what_comes(town: Town) -> None:
    """While it is told, Graph asks back at both addresses; then what it posts is the connection's."""
    connection = town.connect(CHANNEL)
    told = town.tell(connection)

    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert town.got == [("con_1", "chatmessage_created")]
    (made,) = town.graph.there.values()
    assert made["notificationUrl"] == f"{PUBLIC_URL}/microsoft_teams/event/con_1"
    assert made["lifecycleNotificationUrl"] == f"{PUBLIC_URL}/microsoft_teams/lifecycle/con_1"
    assert made["changeType"] == "created,updated,deleted"
    assert made["clientState"] == "con1secret1" == connection.variables["ClientState"]
    assert parse_time(connection.variables["SubscriptionExpiration"]) == town.graph.now + 4300 * MINUTE_US
    assert told.renew_at == town.graph.now + HOUR_US
    assert "ClientState" in SPEC.secret_variables


def test_a_week_of_renewals(town: Town) -> None:
    """Subscriptions live on, and stay the same, for as long as they are renewed in time."""
    connection = town.connect(f"{CHANNEL}, {CHAT}")
    for _ in range(7 * 24):
        renew_at = town.tell(connection).renew_at
        assert renew_at is not None
        town.graph.now = renew_at

    assert list(town.graph.there) == ["sub-1", "sub-2"]
    assert town.graph.calls.count("POST") == 2
    assert town.graph.happens(CHAT, CREATED) == [200]
    assert connection.secrets_made == 1


def test_a_short_life(town: Town) -> None:
    """What Graph grants for less time than it was asked is renewed in half of that."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    short = town.graph.answer

    def granting(asked: Any) -> Any:
        status, told = short(asked)
        if asked.method == "PATCH":
            town.graph.there["sub-1"]["expires_at"] = town.graph.now + 50 * MINUTE_US
            told = {**told, "expirationDateTime": "2025-01-01T00:50:00.0000000+00:00"}
        return status, told

    with serving(granting) as connection.url:
        assert town.tell(connection).renew_at == town.graph.now + 25 * MINUTE_US


@pytest.mark.parametrize("is_expired", [True, False])
def test_what_is_gone_is_made_anew(town: Town, is_expired: bool) -> None:
    """It was not renewed in time, or Graph has removed it and says so."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    if is_expired:
        town.graph.now += 4301 * MINUTE_US
    else:
        assert town.graph.ends(CHANNEL, "subscriptionRemoved") == [200]
        assert town.looks == ["con_1"]
    town.tell(connection)

    assert list(town.graph.there) == ["sub-2"]
    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert town.got == [("con_1", "chatmessage_created")]


def test_a_proof_that_is_asked_for(town: Town) -> None:
    """To renew a subscription is proof enough."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    town.graph.ends(CHANNEL, "reauthorizationRequired")
    town.graph.calls.clear()
    town.tell(connection)

    assert town.looks == ["con_1"]
    assert town.graph.calls == ["PATCH sub-1"]


def test_other_resources(town: Town) -> None:
    """What is no longer wanted is removed, what is wanted now is made, and the rest is let alone."""
    connection = town.connect(f"{CHANNEL},{CHAT}")
    town.tell(connection)
    connection.variables["resource"] = f"{CHAT}, /teams/getAllMessages"
    town.tell(connection)

    assert town.listened_to() == [CHAT, "/teams/getAllMessages"]
    assert list(town.graph.there) == ["sub-2", "sub-3"]
    connection.variables["resource"] = CHAT
    town.tell(connection)
    assert town.listened_to() == [CHAT]


def test_another_address(town: Town) -> None:
    """Where a subscription calls cannot be changed: there is a new one, with the same secret."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    connection.public_url = "https://moved.example.com"
    town.tell(connection)

    (made,) = town.graph.there.values()
    assert made["notificationUrl"] == "https://moved.example.com/microsoft_teams/event/con_1"
    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert connection.secrets_made == 1


def test_without_permission(town: Town) -> None:
    """Somebody has to give it; until then there is no subscription at all, also to what is permitted."""
    town.graph.forbidden.add(CHAT)
    connection = town.connect(f"{CHANNEL},{CHAT}")

    with pytest.raises(ServiceError) as caught:
        town.tell(connection)

    assert (caught.value.status, caught.value.intent) == (403, Intent.TERMINAL)
    assert "does not permit what was asked (403: Caller has no access to /chats" in caught.value.message
    assert TOKEN not in caught.value.message + caught.value.remedy
    assert not town.graph.there
    town.graph.forbidden.clear()
    town.tell(connection)
    assert town.listened_to() == [CHANNEL, CHAT]


def test_permission_that_is_taken_back(town: Town) -> None:
    """It fails when it is to be renewed, and goes on once the permission is given again."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    town.graph.forbidden.add(CHANNEL)
    with pytest.raises(ServiceError, match="does not permit"):
        town.tell(connection)
    town.graph.forbidden.clear()
    town.tell(connection)

    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert town.got == [("con_1", "chatmessage_created")]


def test_somebody_elses_subscriptions(town: Town) -> None:
    """The connection has another app now: what was the other one's is left to expire."""
    connection = town.connect(f"{CHANNEL},{CHAT}")
    town.tell(connection)
    theirs, town.graph.there = town.graph.there, {}

    def answer(asked: Any) -> Any:
        is_theirs = asked.path.rpartition("/")[2] in theirs
        return (403, {"error": {"message": "Forbidden"}}) if is_theirs else town.graph.answer(asked)

    connection.variables["resource"] = CHAT
    with serving(answer) as connection.url:
        town.tell(connection)

    assert town.listened_to() == [CHAT]
    assert "sub-3" in connection.variables["SubscriptionIDs"]


def test_two_connections_to_the_same(town: Town) -> None:
    """Graph lets an app have only one."""
    first, second = town.connect(CHANNEL), town.connect(CHANNEL, "con_2")
    town.tell(first)
    with pytest.raises(ServiceError, match=r"already \(409\)"):
        town.tell(second)

    second.variables["resource"] = CHAT
    town.tell(second)
    town.graph.happens(CHANNEL, CREATED)
    town.graph.happens(CHAT, CREATED)
    assert town.got == [("con_1", "chatmessage_created"), ("con_2", "chatmessage_created")]


@pytest.mark.parametrize("was_told", [False, True])
def test_an_answer_that_was_lost(town: Town, was_told: bool) -> None:
    """A subscription of which nobody knows the id is found by its address, and makes way for a new one."""
    other = town.connect("/chats/1,/chats/2,/chats/3", "con_2")
    town.tell(other)
    connection = town.connect(CHAT if was_told else CHANNEL)
    if was_told:
        town.tell(connection)
        connection.variables["resource"] = f"{CHAT},{CHANNEL}"
    told = connection.tell(FEED)  # and the server dies before that is stored
    assert told.variables
    assert not told.variables.items() <= connection.variables.items()

    town.tell(connection)

    assert sorted(town.listened_to()) == sorted(
        ["/chats/1", "/chats/2", "/chats/3", CHANNEL, *([CHAT] if was_told else [])]
    )
    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert town.got == [("con_1", "chatmessage_created")]


def test_whoever_may_not_look(town: Town) -> None:
    """Makes subscriptions all the same."""
    town.graph.may_list = False
    town.tell(town.connect(CHANNEL))

    assert town.listened_to() == [CHANNEL]


def test_nobody_at_the_address(town: Town) -> None:
    """Graph makes no subscription that nobody answers for."""
    connection = town.connect(CHANNEL)
    town.graph.call = lambda url, kind, body: Heard(502)

    with pytest.raises(ServiceError, match="validation request failed"):
        town.tell(connection)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"id": "x"},
        {"id": "", "expirationDateTime": "2025-01-04T00:00:00Z"},
        {"id": 1, "expirationDateTime": "x"},
    ],
)
def test_answers_that_nobody_foresaw(answer: Any) -> None:
    """They are no subscription."""
    with serving(lambda asked: (200, answer)) as url:
        variables = {"oauth_access_token": TOKEN, "resource": CHANNEL}
        with pytest.raises(ServiceError, match="not what its API answers"):
            Connection(url, SPEC.api, variables).tell(FEED)


def test_the_token_stays_where_it_belongs() -> None:
    """A page that is said to be elsewhere is not asked for."""
    asked_for = []

    def answer(asked: Any) -> Any:
        asked_for.append(asked.path)
        if asked.method == "GET":
            return 200, {"value": [], "@odata.nextLink": "https://evil.example.com/v1.0/subscriptions"}
        return 201, {"id": "s", "expirationDateTime": "2025-01-04T00:00:00Z"}

    with serving(answer) as url:
        Connection(url, SPEC.api, {"oauth_access_token": TOKEN, "resource": CHANNEL}).tell(FEED)
    assert asked_for == ["/v1.0/subscriptions"] * 2


def test_what_is_kept_may_be_spoilt(town: Town) -> None:
    """Somebody has changed the variable by hand."""
    connection = town.connect(CHANNEL)
    town.tell(connection)
    for spoilt in ("", "no JSON", "[1]"):
        connection.variables["SubscriptionIDs"] = spoilt
        town.tell(connection)
        assert town.listened_to() == [CHANNEL]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("/teams/getAllMessages", ("/teams/getAllMessages",)),
        (" /a ,/b,\n/a, ", ("/a", "/b")),
        ("/p?$filter=id in ('1','2'), /b", ("/p?$filter=id in ('1','2')", "/b")),
    ],
)
def test_resources(text: str, expected: tuple[str, ...]) -> None:
    """Each once, in order; commas of filters are none between resources."""
    assert resources_of(text) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (CHANNEL, "created,updated,deleted"),
        (f"{CHANNEL}?$search=Hello", "created,updated,deleted"),
        ("teams/getAllMessages/", "created,updated,deleted"),
        ("/teams/getAllMembers", "created,updated,deleted"),
        ("/teams/t/members", "created,updated,deleted"),
        ("/teams/t/channels/getAllMembers", "created,updated,deleted"),
        ("/teams", "created,updated,deleted"),
        ("/teams/t", "updated,deleted"),
        ("/me/chats/getAllMessages", "created,updated,deleted"),
        ("/users/u/chats/getAllMessages", "created,updated,deleted"),
        ("/chats/getAllMessages", "created,updated,deleted"),
        (CHAT, "created,updated,deleted"),
        ("/chats", "created,updated"),
        ("/me/chats", "created,updated"),
        ("/appCatalogs/teamsApps/a/installedToChats", "created,updated"),
        ("/chats/19:x@thread.v2", "updated"),
        ("/chats/19:x@thread.v2/members", "created,deleted"),
        ("/chats/getAllMembers", "created,deleted"),
        ("/appCatalogs/teamsApps/a/installedToChats/getAllMembers", "created,deleted"),
        ("/appCatalogs/teamsApps/a/installedToChats/getAllMessages", "created,updated,deleted"),
    ],
)
def test_changes(resource: str, expected: str) -> None:
    """Graph refuses to be asked for what there cannot be."""
    assert changes_of(resource) == expected


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "no credentials"),
        ({"oauth_access_token": TOKEN}, "set the field resource"),
        ({"oauth_access_token": TOKEN, "resource": " ,"}, "set the field resource"),
        ({"oauth_access_token": TOKEN, "resource": CHANNEL}, ""),
        ({"oauth_AccessToken": TOKEN, "resource": CHANNEL}, ""),
    ],
)
def test_why_there_are_none(variables: dict[str, str], reason: str) -> None:
    """People are told what is missing."""
    found = FEED.why_not(variables)
    assert reason in found if reason else not found
