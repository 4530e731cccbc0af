"""What Asana and Notion post, both of which tell their secret in the first request."""

from typing import Any

import pytest

from autokitteh_server.integrations.asana.webhook import WEBHOOK as ASANA
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.notion.webhook import WEBHOOK as NOTION
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import MAX_UNSIGNED_BYTES, Request, recipients
from deliveries import hmac_hex, own, passes, raw, refusal, request, take, types_and_data

SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
PATH = "webhook/con_1"
ASANAS = own(SECRET, "WebhookSecret")
NOTIONS = own(SECRET, "verification_token")
TASK: dict[str, Any] = load_sample("asana", "task_changed")
PAGE: dict[str, Any] = load_sample("notion", "page.content_updated")


def from_asana(body: object, secret: str = SECRET, **headers: str) -> Request:
    return request(PATH, body, {"x-hook-signature": hmac_hex(secret, raw(body)), **headers})


def from_notion(body: object, secret: str = SECRET, **headers: str) -> Request:
    return request(PATH, body, {"x-notion-signature": "sha256=" + hmac_hex(secret, raw(body)), **headers})


def test_asanas_handshake() -> None:
    """The secret goes back, and is kept."""
    received = take(ASANA, request(PATH, b"", {"x-hook-secret": SECRET}))

    assert received.reply.headers == {"x-hook-secret": SECRET}
    assert received.greeting is not None
    assert received.greeting.variables == {"WebhookSecret": SECRET}
    assert received.greeting.match == match_of(connection_id="con_1")
    assert "variables" not in repr(received.greeting)  # which ends up in logs


def test_notions_handshake() -> None:
    """The secret is kept."""
    received = take(NOTION, request(PATH, {"verification_token": SECRET}))

    assert received.greeting is not None
    assert received.greeting.variables == {"verification_token": SECRET}


def test_a_second_handshake_is_not_believed() -> None:
    """Otherwise anybody could replace the secret by their own."""
    assert refusal(ASANA, request(PATH, b"", {"x-hook-secret": "mine"}), ASANAS) == 403
    assert refusal(NOTION, request(PATH, {"verification_token": "mine"}), NOTIONS) == 403


def test_asana_as_it_is_sent() -> None:
    """Each event for itself; none is a sign of life."""
    call = from_asana({"events": [TASK, load_sample("asana", "task_added")]})
    received = take(ASANA, call, ASANAS)
    connections = {"con_1": {"WebhookSecret": SECRET}, "con_2": {"WebhookSecret": SECRET}}

    assert types_and_data(received) == [("task_changed", TASK), ("task_added", load_sample("asana", "task_added"))]
    assert len({each.key for each in received.events}) == 2
    assert recipients(ASANA, call, received.events[0], received.proof, connections) == ("con_1",)
    assert passes("data.change.field == 'due_on'", "task_changed", TASK)
    assert take(ASANA, from_asana({"events": []}), ASANAS).events == ()


@pytest.mark.parametrize("name", sample_types("notion"))
def test_notion_as_it_is_sent(name: str) -> None:
    """The whole of it."""
    sample = load_sample("notion", name)
    received = take(NOTION, from_notion(sample), NOTIONS)

    assert types_and_data(received) == [(name, sample)]
    assert received.events[0].key == sample["id"]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (from_asana({"events": [TASK]}, "wrong"), 401),
        (request(PATH, {"events": [TASK]}), 401),
        (request(PATH, b"", {"x-hook-secret": "a\r\nb"}), 400),
        (from_asana({"events": [{"action": "a b"}]}), 400),
        (from_asana([TASK]), 400),
        (from_asana({"events": [TASK]}, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_asana_is_refused(call: Request, status: int) -> None:
    """Nothing is believed without the secret."""
    secrets = () if call.header("x-hook-secret") else (ASANAS,)
    assert refusal(ASANA, call, *secrets) == status


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (from_notion(PAGE, "wrong"), 401),
        (request(PATH, PAGE), 401),
        (from_notion({"id": "1"}), 400),
        (from_notion(PAGE, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_notion_is_refused(call: Request, status: int) -> None:
    """Nothing is believed without the secret."""
    assert refusal(NOTION, call, NOTIONS) == status


def test_a_notion_token_that_is_none() -> None:
    """It is not kept."""
    assert refusal(NOTION, request(PATH, {"verification_token": ["x"]})) == 400


def test_a_huge_notion_token() -> None:
    """It is not even read: anybody could have sent it."""
    huge = {"verification_token": "x", "more": "x" * MAX_UNSIGNED_BYTES}

    assert refusal(NOTION, request(PATH, huge)) == 401
