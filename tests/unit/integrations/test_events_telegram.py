"""What Telegram posts: one update, with the secret that it was told."""

from typing import Any

import pytest

from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.telegram.spec import SPEC
from autokitteh_server.integrations.telegram.webhook import UPDATES, WEBHOOK
from autokitteh_server.integrations.webhook import Request, recipients
from deliveries import own, passes, refusal, request, take, types_and_data

SECRET = own("s3cret", "SecretToken")
UPDATE: dict[str, Any] = load_sample("telegram", "message")


def signed(body: object, secret: str = "s3cret", **headers: str) -> Request:
    return request("webhook/7000", body, {"x-telegram-bot-api-secret-token": secret, **headers})


def test_as_it_is_sent() -> None:
    """The whole update, to the bot's connections."""
    call = signed(UPDATE)
    received = take(WEBHOOK, call, SECRET)
    connections = {"con_1": {"BotID": "7000", "SecretToken": "s3cret"}, "con_2": {"BotID": "7001"}}

    assert types_and_data(received) == [("message", UPDATE)]
    assert received.events[0].key == "7000:7001"
    assert passes("data.message.text.startsWith('/detect')", "message", UPDATE)
    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


def test_unknown_updates_pass_through() -> None:
    """Under the name that Telegram gives them; where there are two, the one that is known."""
    assert take(WEBHOOK, signed({"update_id": 1, "brand_new": {}}), SECRET).events[0].event_type == "brand_new"
    assert take(WEBHOOK, signed({"update_id": 1, "new": {}, "poll": {}}), SECRET).events[0].event_type == "poll"


def test_an_unknown_bot() -> None:
    """It gets a 200, or Telegram would go on sending."""
    assert take(WEBHOOK, signed(UPDATE)).events == ()


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("webhook/7000", UPDATE), 401),
        (signed(UPDATE, "wrong"), 401),
        (signed({"update_id": 1}), 400),
        (signed([]), 400),
        (signed(UPDATE, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(WEBHOOK, call, SECRET) == status


@pytest.mark.parametrize("name", sample_types("telegram"))
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("telegram", name)

    assert types_and_data(take(WEBHOOK, signed(sample), SECRET)) == [(name, sample)]


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} | set(UPDATES) <= set(sample_types("telegram"))
