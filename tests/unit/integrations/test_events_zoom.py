"""What Zoom posts, and the question whether we know the secret."""

import json
from typing import Any

import pytest

from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request, Secret, recipients
from autokitteh_server.integrations.zoom.spec import SPEC
from autokitteh_server.integrations.zoom.webhook import WEBHOOK
from deliveries import NOW_S, hmac_hex, own, passes, raw, refusal, request, take, types_and_data, versioned

SECRET = "zoom's secret"
SERVER = Secret(value=SECRET, name="ZOOM_SECRET_TOKEN")
STARTED: dict[str, Any] = load_sample("zoom", "meeting.started")


def signed(body: object, secret: str = SECRET, **headers: str) -> Request:
    given = {"x-zm-request-timestamp": str(int(NOW_S)), "x-zm-signature": versioned(secret, raw(body))}
    return request("event", body, {**given, **headers})


def test_as_it_is_sent() -> None:
    """The whole payload, to the account's connections."""
    call = signed(STARTED)
    received = take(WEBHOOK, call, SERVER)
    connections = {"con_1": {"account_id": "ac1"}, "con_2": {"account_id": "ac2"}}

    assert types_and_data(received) == [("meeting.started", STARTED)]
    assert passes("data.payload.object.topic == 'Standup'", "meeting.started", STARTED)
    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)
    assert take(WEBHOOK, call, SERVER).events[0].key == received.events[0].key


def test_the_handshake() -> None:
    """It is answered with the secret that it was signed with."""
    body = {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "qgg8"}}

    received = take(WEBHOOK, signed(body, "mine"), SERVER, own("mine", "private_secret_token"))

    assert received.events == ()
    answer = {"plainToken": "qgg8", "encryptedToken": hmac_hex("mine", b"qgg8")}
    assert json.loads(received.reply.body) == answer
    assert refusal(WEBHOOK, signed(body, "unknown"), SERVER) == 401


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("event", STARTED), 400),
        (signed(STARTED, **{"x-zm-request-timestamp": ""}), 400),
        (signed(STARTED, "wrong"), 401),
        (signed({"payload": {}}), 400),
        (signed(STARTED, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(WEBHOOK, call, SERVER) == status


@pytest.mark.parametrize("seconds", [-301, 301])
def test_old_requests(seconds: int) -> None:
    """Five minutes, either way."""
    assert refusal(WEBHOOK, signed(STARTED), SERVER, now_s=NOW_S + seconds) == 401


@pytest.mark.parametrize("name", sample_types("zoom"))
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("zoom", name)

    assert types_and_data(take(WEBHOOK, signed(sample), SERVER)) == [(name, sample)]


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} <= set(sample_types("zoom"))
