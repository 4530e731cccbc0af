"""What Microsoft Graph posts: questions before there is anything, changes, and what becomes of subscriptions."""

from typing import Any
from urllib.parse import quote_plus

import pytest

from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.microsoft_teams.spec import SPEC
from autokitteh_server.integrations.microsoft_teams.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request, recipients
from deliveries import NOW_S, own, passes, refusal, request, take, types_and_data
from unit.integrations.graph_service import QUESTION

STATE = own("s3cret", "ClientState")
CREATED: dict[str, Any] = load_sample("microsoft_teams", "chatmessage_created")
MINE = {"resource": "/teams/getAllMessages", "ClientState": "s3cret"}


def sent(*items: Any, state: object = "s3cret", path: str = "event/con_1", **options: Any) -> Request:
    """A batch of notifications."""
    return request(path, {"value": [{**each, "clientState": state} for each in items]}, **options)


def asked(query: str, **options: Any) -> Request:
    """The question whether we are there."""
    url = f"https://ak.example.com/microsoft_teams/event/con_1?{query}"
    return request("event/con_1", b"", content_type="text/plain; charset=utf-8", url=url, **options)


def key_of(item: dict[str, Any], at_s: float = NOW_S, **changed: Any) -> str:
    """The key of a notification that comes at this moment."""
    call = sent({**item, **changed})
    moved = Request(
        method=call.method, url=call.url, path=call.path, headers=call.headers, body=call.body,
        received_at=int(at_s * 1_000_000),
    )  # fmt: skip
    return take(WEBHOOK, moved, STATE).events[0].key


def test_as_it_is_sent() -> None:
    """Each of a batch is an event of the connection that has the address, without what nobody else may know."""
    updated = load_sample("microsoft_teams", "channel_updated")
    call = sent(CREATED, updated)
    received = take(WEBHOOK, call, STATE)
    connections = {"con_1": MINE, "con_2": {**MINE, "ClientState": "other"}}

    assert types_and_data(received) == [("chatmessage_created", CREATED), ("channel_updated", updated)]
    assert [recipients(WEBHOOK, call, each, received.proof, connections) for each in received.events] == [
        ("con_1",)
    ] * 2
    assert received.reply.status == 200
    assert passes("data.resourceData.id == '1732897805123'", "chatmessage_created", received.events[0].data)
    assert passes("data.resource.startsWith('teams(')", "chatmessage_created", received.events[0].data)


def test_nobody_hears_who_listens_to_nothing() -> None:
    """A subscription to what is no longer wanted goes on for a while."""
    call = sent(CREATED)
    received = take(WEBHOOK, call, STATE)

    assert recipients(WEBHOOK, call, received.events[0], received.proof, {"con_1": {"ClientState": "s3cret"}}) == ()


@pytest.mark.parametrize("name", sample_types("microsoft_teams"))
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("microsoft_teams", name)

    assert types_and_data(take(WEBHOOK, sent(sample), STATE)) == [(name, sample)]
    assert {each.name for each in SPEC.events} == set(sample_types("microsoft_teams"))


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("#Microsoft.Graph.ChatMessage", "Created", "chatmessage_created"),
        ("#microsoft.graph.chat", "updated", "chat_updated"),
        ("#Microsoft.Graph.Teams", "deleted", "team_deleted"),
        ("#Microsoft.Graph.aadUserConversationMember", "created", "conversationmember_created"),
        ("#Microsoft.Graph.callRecord", "created", "callrecord_created"),
        (None, "created", "resource_created"),
    ],
)
def test_types(kind: str | None, change: str, expected: str) -> None:
    """However Graph spells them."""
    item = {**CREATED, "changeType": change, "resourceData": {"@odata.type": kind} if kind else None}

    assert take(WEBHOOK, sent(item), STATE).events[0].event_type == expected


def test_keys_of_repeats() -> None:
    """What is sent again, or told by two subscriptions, has the same key; another change has another one."""
    updated = load_sample("microsoft_teams", "chatmessage_updated")

    assert key_of(CREATED) == key_of(CREATED, NOW_S + 3600, subscriptionId="other")
    assert key_of(updated) == key_of(updated, NOW_S + 59, subscriptionExpirationDateTime="later")
    assert len({key_of(CREATED), key_of(updated), key_of(updated, NOW_S + 61)}) == 3
    assert key_of(CREATED) != key_of(CREATED, resource="teams('t')/channels('c')/messages('1')")


def test_keys_of_what_graph_tells_apart() -> None:
    """Its own id, or the version of the thing, if there is one."""
    updated = load_sample("microsoft_teams", "chatmessage_updated")
    version = {**updated["resourceData"], "@odata.etag": 'W/"1"'}

    assert key_of(updated, id="n-1") == key_of(updated, NOW_S + 3600, id="n-1") != key_of(updated, id="n-2")
    assert key_of(updated, resourceData=version) == key_of(updated, NOW_S + 3600, resourceData=version)
    assert key_of(updated, resourceData=version) != key_of(updated, resourceData={**version, "@odata.etag": "2"})
    assert key_of(CREATED, resource=None) == key_of(CREATED, NOW_S + 3600, resource=None)


@pytest.mark.parametrize("secrets", [(), (STATE,)])
def test_the_question(secrets: tuple[Any, ...]) -> None:
    """It goes back as plain text, with or without a secret, and nothing else comes of it."""
    received = take(WEBHOOK, asked(f"a=1&validationToken={quote_plus(QUESTION)}"), *secrets)

    assert received.reply.status == 200
    assert received.reply.body == QUESTION.encode()
    assert received.reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert received.reply.headers["x-content-type-options"] == "nosniff"
    assert received.greeting is not None
    assert (received.greeting.match, received.greeting.variables) == (match_of(connection_id="con_1"), {})
    assert not received.events and not received.looks and not received.proof


@pytest.mark.parametrize(
    "given", ["", "%00", "a%0Ab", "%3Cscript%3E", "a%3Eb", "x" * 1001, "%ed%a0%80%0d%0aset-cookie:a=b", "%c2%85"]
)
def test_questions_that_are_none(given: str) -> None:
    """Nothing goes back that a browser, or a terminal, could take for anything but text."""
    assert refusal(WEBHOOK, asked(f"validationToken={given}"), STATE) == 400


def test_what_is_not_asked() -> None:
    """A question comes by POST, and in the query."""
    assert refusal(WEBHOOK, asked("validationToken=x", method="GET"), STATE) == 400
    assert refusal(WEBHOOK, asked("novalidationToken=x"), STATE) == 400
    assert refusal(WEBHOOK, asked("a=1#validationToken=x"), STATE) == 400
    assert refusal(WEBHOOK, request("event/con_1", {"validationToken": "x"}), STATE) == 400


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved"])
def test_the_end_of_a_subscription(event: str) -> None:
    """The connection's service is to be told anew; its code has nothing to do with that."""
    item = {"subscriptionId": "s", "lifecycleEvent": event, "tenantId": "t"}
    call = sent(item, item, path="lifecycle/con_1")
    received = take(WEBHOOK, call, STATE)

    assert received.events == ()
    (look,) = received.looks
    assert look.must_tell
    assert recipients(WEBHOOK, call, look, received.proof, {"con_1": MINE, "con_2": MINE}) == ("con_1",)
    mixed = take(WEBHOOK, sent(CREATED, item), STATE)
    assert (len(mixed.events), len(mixed.looks)) == (1, 1)


@pytest.mark.parametrize("event", ["missed", "somethingNew", None, ["x"]])
def test_what_nothing_can_be_done_about(event: object) -> None:
    """It is taken, or it would come again."""
    received = take(WEBHOOK, sent({"lifecycleEvent": event}, path="lifecycle/con_1"), STATE)

    assert (received.reply.status, received.events, received.looks) == (200, (), ())


def test_a_connection_that_is_gone() -> None:
    """It gets a 200, or Graph would go on sending."""
    assert take(WEBHOOK, sent(CREATED)).events == ()


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (sent(CREATED, state="wrong"), 401),
        (sent(CREATED, state=""), 401),
        (sent(CREATED, state=None), 401),
        (request("event/con_1", {"value": [CREATED]}), 401),
        (request("event/con_1", {"value": [{**CREATED, "clientState": "s3cret"}, CREATED]}), 401),
        (request("event/con_1", {"value": [{**CREATED, "clientState": each} for each in ("s3cret", "x")]}), 401),
        (request("event/con_1", {"value": []}), 400),
        (request("event/con_1", {"value": ["s3cret"]}), 400),
        (request("event/con_1", {**CREATED, "clientState": "s3cret"}), 400),
        (request("event/con_1", []), 400),
        (sent({**CREATED, "changeType": ""}), 400),
        (sent({**CREATED, "changeType": "a b"}), 400),
        (sent(CREATED, content_type="text/plain"), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """What has not the connection's own text in each of its parts, and what is no notification."""
    assert refusal(WEBHOOK, call, STATE) == status
