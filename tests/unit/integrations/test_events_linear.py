"""What Linear posts: the time is in the body."""

from typing import Any

import pytest

from autokitteh_server.integrations.linear.spec import SPEC
from autokitteh_server.integrations.linear.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request, Secret, recipients
from deliveries import NOW_S, hmac_hex, own, passes, raw, refusal, request, take, types_and_data

SECRET = "lin_wh_1"
SERVER = Secret(value=SECRET, name="LINEAR_WEBHOOK_SECRET")
ISSUE: dict[str, Any] = load_sample("linear", "issue")


def signed(body: object, secret: str = SECRET, **headers: str) -> Request:
    given = {"linear-event": "Issue", "linear-delivery": "d-1", "linear-signature": hmac_hex(secret, raw(body))}
    return request("event", body, {**given, **headers})


def test_as_it_is_sent() -> None:
    """The whole payload; the key is the delivery's."""
    received = take(WEBHOOK, signed(ISSUE), SERVER)

    assert types_and_data(received) == [("issue", ISSUE)]
    assert received.events[0].key == "d-1"
    assert passes("data.action == 'update' && data.data.state.type == 'completed'", "issue", ISSUE)


def test_who_gets_it() -> None:
    """Connections of the organisation; those with a secret of their own believe in nothing else."""
    call = signed(ISSUE, "mine")
    received = take(WEBHOOK, call, SERVER, own("mine", "private_webhook_secret"))
    mine = {"org_id": "o-1", "private_webhook_secret": "mine"}
    connections = {"con_1": mine, "con_2": {"org_id": "o-1"}, "con_3": {**mine, "org_id": "o-2"}}

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


@pytest.mark.parametrize(("seconds", "status"), [(60, 0), (61, 400), (-6, 400), (-1, 0)])
def test_time(seconds: int, status: int) -> None:
    """A minute at most, and not from the future."""
    assert refusal(WEBHOOK, signed(ISSUE), SERVER, now_s=NOW_S + seconds) == status


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (signed(ISSUE, "wrong"), 401),
        (signed(ISSUE, **{"linear-signature": ""}), 400),
        (signed(ISSUE, **{"linear-event": ""}), 400),
        (signed({**ISSUE, "webhookTimestamp": "now"}), 400),
        (signed({**ISSUE, "webhookTimestamp": 10**40}), 400),
        (signed(b"nothing"), 400),
        (signed(ISSUE, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(WEBHOOK, call, SERVER) == status


@pytest.mark.parametrize("name", sample_types("linear"))
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("linear", name)
    call = signed(sample, **{"linear-event": sample["type"]})

    assert types_and_data(take(WEBHOOK, call, SERVER)) == [(name, sample)]


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} <= set(sample_types("linear"))
