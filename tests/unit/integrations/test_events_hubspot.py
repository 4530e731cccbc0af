"""What HubSpot posts: its three signatures, and a hundred events at a time."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from autokitteh_server.integrations.hubspot.spec import SPEC
from autokitteh_server.integrations.hubspot.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request, Secret, recipients
from deliveries import NOW_S, own, passes, raw, refusal, request, take, types_and_data

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
SERVER = Secret(value=SECRET, name="HUBSPOT_CLIENT_SECRET")
URL = "https://ak.example.com/hubspot/webhook"
ITEM: dict[str, Any] = load_sample("hubspot", "contact.propertyChange")


def signed(body: object, secret: str = SECRET, *, at_s: float = NOW_S, **headers: str) -> Request:
    timestamp = str(int(at_s * 1000))
    digest = hmac.new(secret.encode(), b"POST" + URL.encode() + raw(body) + timestamp.encode(), hashlib.sha256).digest()
    given = {"x-hubspot-signature-v3": base64.b64encode(digest).decode(), "x-hubspot-request-timestamp": timestamp}
    return request("webhook", body, {**given, **headers}, url=URL)


def test_a_batch_is_as_many_events() -> None:
    """Earlier systems took the first one only."""
    items = [{**ITEM, "eventId": index, "portalId": 1 + index % 2} for index in range(100)]
    call = signed(items)
    received = take(WEBHOOK, call, SERVER)

    assert types_and_data(received) == [("contact.propertyChange", item) for item in items]
    assert len({each.key for each in received.events}) == 100
    assert recipients(WEBHOOK, call, received.events[1], received.proof, {"a": {"portal_id": "2"}, "b": {}}) == ("a",)
    assert passes("data.propertyName == 'email'", "contact.propertyChange", items[0])


def test_a_private_app() -> None:
    """It signs with its own secret, which counts for its own connection alone."""
    call = signed([{**ITEM, "portalId": 7}], "own")
    received = take(WEBHOOK, call, SERVER, own("own", "private_client_secret", "a"))
    connections = {"a": {"portal_id": "7", "private_client_secret": "own"}, "b": {"portal_id": "7"}}

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("a",)


def test_keys_are_made_of_what_does_not_change() -> None:
    """`attemptNumber` counts repeats, and is in none of them the same."""
    first = take(WEBHOOK, signed([ITEM]), SERVER).events[0]
    again = take(WEBHOOK, signed([{**ITEM, "attemptNumber": 3}]), SERVER).events[0]

    assert first.key == again.key == f"{ITEM['eventId']}:77:1735689600000"


def test_the_older_signature() -> None:
    """The example of HubSpot's documentation."""
    body = (
        b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
        b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
        b'"changeFlag":"NEW","appId":54321}]'
    )
    headers = {
        "x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de",
        "x-hubspot-signature-version": "v1",
    }

    assert take(WEBHOOK, request("webhook", body, headers), SERVER).events[0].event_type == "contact.creation"


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("webhook", [ITEM]), 400),
        (signed([ITEM], "wrong"), 401),
        (signed([ITEM], at_s=NOW_S - 301), 401),
        (signed([ITEM], **{"x-hubspot-request-timestamp": ""}), 401),
        (signed(ITEM), 400),
        (signed([ITEM, 1]), 400),
        (signed([ITEM] * 101), 400),
        (signed([{"eventId": 1}]), 400),
        (signed([ITEM], **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet; a batch is taken or refused as a whole."""
    assert refusal(WEBHOOK, call, SERVER) == status


@pytest.mark.parametrize("name", sample_types("hubspot"))
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("hubspot", name)

    assert types_and_data(take(WEBHOOK, signed([sample]), SERVER)) == [(name, sample)]


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} <= set(sample_types("hubspot"))
