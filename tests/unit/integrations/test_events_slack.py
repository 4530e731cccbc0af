"""What Slack posts: who it is from, what it wants to hear, and what handlers get of it."""

import json
from typing import Any

import pytest

from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.slack.spec import SPEC
from autokitteh_server.integrations.slack.webhook import WEBHOOK, command_of, events_of, interaction_of
from autokitteh_server.integrations.webhook import Request, Secret, recipients
from deliveries import FORM, JSON, NOW_S, form, own, passes, raw, refusal, request, take, types_and_data, versioned

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SERVER = Secret(value=SECRET, name="SLACK_SIGNING_SECRET")
VARIABLES = {"app_id": "A01", "team_id": "T01", "user_id": "U0BOT"}


def signed(path: str, body: object, *, content_type: str = JSON, secret: str = SECRET, **headers: str) -> Request:
    signature = {
        "x-slack-request-timestamp": str(int(NOW_S)),
        "x-slack-signature": versioned(secret, raw(body)),
        **headers,
    }
    return request(path, body, signature, content_type=content_type)


def envelope(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "token": "old",
        "team_id": "T01",
        "api_app_id": "A01",
        "event": event,
        "type": "event_callback",
        "event_id": "Ev01",
        "event_time": 1735689600,
        "authorizations": [{"team_id": "T01", "user_id": "U0BOT", "is_bot": True}],
        **more,
    }


MESSAGE = {"type": "message", "user": "U07", "text": "hi", "team": "T01", "channel": "C05", "ts": "1.2"}
COMMAND = {
    "team_id": "T01", "team_domain": "acme", "is_enterprise_install": "false", "api_app_id": "A01", "channel_id": "C05",
    "token": "old", "channel_name": "ops", "user_id": "U07", "user_name": "ann", "command": "/ak",
    "text": "roomstatus blue", "response_url": "https://hooks.slack.com/commands/x", "trigger_id": "13.37.ab",
}  # fmt: skip


def test_a_message_has_all_its_fields() -> None:
    """What Slack leaves out is there, and empty, so that filters work."""
    received = take(WEBHOOK, signed("event", envelope(MESSAGE)), SERVER)

    ((kind, data),) = types_and_data(received)
    assert kind == "message"
    assert (data["thread_ts"], data["bot_id"], data["subtype"]) == ("", "", "")
    assert (data["blocks"], data["message"], data["hidden"], data["reply_count"]) == ([], None, False, 0)
    assert passes("data.thread_ts == '' && data.bot_id == ''", kind, data)
    assert passes("data.type == 'message' && data.text == 'hi'", kind, data)
    assert (received.reply.status, received.reply.body) == (200, b"")


def test_a_changed_message_has_both_its_versions() -> None:
    """The acting user is that of the message within."""
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C05",
        "message": {"type": "message", "user": "U07", "text": "new", "files": [{"id": "F1"}]},
        "previous_message": {"type": "message", "user": "U07", "text": "old"},
    }

    ((_, data),) = types_and_data(take(WEBHOOK, signed("event", envelope(changed)), SERVER))

    assert data["message"]["user"] == "U07"
    assert data["message"]["files"] == [{"id": "F1"}]
    assert data["previous_message"]["thread_ts"] == ""


def test_the_sample_of_the_sheet() -> None:
    """A mention, as user code has always seen it."""
    event = {"type": "app_mention", "user": "U07", "team": "T01", "channel": "C05", "ts": "1735689600.0001",
             "event_ts": "1735689600.0001", "text": "<@U0BOT> hi", "client_msg_id": "9c"}  # fmt: skip

    ((kind, data),) = types_and_data(take(WEBHOOK, signed("event", envelope(event)), SERVER))

    assert (kind, data) == ("app_mention", {**event, "thread_ts": "", "blocks": []})


def test_a_command() -> None:
    """It is echoed to whoever gave it, at once; the old token is not handed on."""
    received = take(WEBHOOK, signed("command", form(**COMMAND), content_type=FORM), SERVER)

    ((kind, data),) = types_and_data(received)
    assert kind == "slash_command"
    assert data == {
        "team_id": "T01", "team_domain": "acme", "is_enterprise_install": False, "enterprise_id": "",
        "enterprise_name": "", "api_app_id": "A01", "channel_id": "C05", "channel_name": "ops", "user_id": "U07",
        "user_name": "ann", "command": "/ak", "text": "roomstatus blue",
        "response_url": "https://hooks.slack.com/commands/x", "trigger_id": "13.37.ab",
    }  # fmt: skip
    assert json.loads(received.reply.body) == {"response_type": "ephemeral", "text": "/ak roomstatus blue"}
    assert passes("data.text.startsWith('roomstatus')", kind, data)


def test_slack_tries_the_address_of_commands() -> None:
    """`ssl_check` is no command."""
    received = take(WEBHOOK, signed("command", form(ssl_check="1", token="x"), content_type=FORM), SERVER)

    assert (received.events, received.reply.status, received.reply.body) == ((), 200, b"")


def test_a_form() -> None:
    """The values that somebody has entered are by block and action, and a selected option is there."""
    values = {"b1": {"a1": {"type": "static_select", "selected_option": {"value": "blue"}}}}
    payload = {
        "type": "view_submission",
        "user": {"id": "U07", "team_id": "T01"},
        "api_app_id": "A01",
        "team": {"id": "T01"},
        "trigger_id": "1.2",
        "view": {"id": "V1", "state": {"values": values}},
    }
    body = form(payload=json.dumps(payload))

    ((kind, data),) = types_and_data(take(WEBHOOK, signed("interaction", body, content_type=FORM), SERVER))

    assert kind == "interaction"
    assert data["view"]["state"]["values"] == values
    assert (data["view"]["private_metadata"], data["actions"], data["message"]) == ("", [], None)
    assert passes("data.type == 'view_submission'", kind, data)
    assert passes("event_type == 'interaction' && data.user.id == 'U07'", kind, data)


def test_a_button() -> None:
    """`data.actions[0].value`, as programs read it."""
    payload = {"type": "block_actions", "api_app_id": "A01", "team": {"id": "T01"}, "user": {"id": "U07"},
               "trigger_id": "1.3", "actions": [{"type": "button", "action_id": "a", "value": "yes"}]}  # fmt: skip
    body = form(payload=json.dumps(payload))

    received = take(WEBHOOK, signed("interaction", body, content_type=FORM), SERVER)

    assert received.events[0].data["actions"][0]["value"] == "yes"
    assert received.events[0].data["actions"][0]["style"] == ""
    assert received.events[0].key == "1.3"
    assert received.events[0].data["container"]["is_ephemeral"] is False


def clicked(**more: Any) -> bytes:
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Approve"}}
    payload = {
        "type": "block_actions",
        "user": {"id": "U07"},
        "response_url": "https://hooks.slack.com/actions/x",
        "actions": [button],
        "message": {"text": "Approve?", "blocks": [{"type": "section"}, {"type": "actions"}]},
        **more,
    }
    return form(payload=json.dumps(payload))


def test_a_button_can_be_clicked_once() -> None:
    """The message is made anew without its buttons."""
    (message,) = take(WEBHOOK, signed("interaction", clicked(), content_type=FORM), SERVER).messages

    assert message.url == "https://hooks.slack.com/actions/x"
    said = {"type": "section", "text": {"type": "mrkdwn", "text": "<@U07> clicked the `Approve` button"}}
    assert message.body == {"replace_original": True, "text": "Approve?", "blocks": [{"type": "section"}, said]}


@pytest.mark.parametrize(
    "more",
    [{"message": None}, {"type": "view_submission"}, {"actions": []}, {"response_url": "https://evil.example.com/"}],
)
def test_nothing_is_said_otherwise(more: dict[str, Any]) -> None:
    """And nothing is ever sent to anybody but Slack."""
    assert take(WEBHOOK, signed("interaction", clicked(**more), content_type=FORM), SERVER).messages == ()


def test_the_challenge() -> None:
    """It belongs to no connection, and is answered if any known secret fits."""
    body = {"type": "url_verification", "challenge": "3eZb", "token": "old"}

    received = take(WEBHOOK, signed("event", body), own("another", "private_signing_secret"), SERVER)

    assert received.events == ()
    assert json.loads(received.reply.body) == {"challenge": "3eZb"}
    assert refusal(WEBHOOK, signed("event", body, secret="not it"), SERVER) == 403


def test_repeats_have_the_same_key() -> None:
    """Slack sends again what it got no answer to, and says so in a header."""
    first = take(WEBHOOK, signed("event", envelope(MESSAGE)), SERVER)
    again = signed("event", envelope(MESSAGE), **{"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"})

    assert take(WEBHOOK, again, SERVER).events[0].key == first.events[0].key == "Ev01"
    command = signed("command", form(**COMMAND), content_type=FORM)
    assert take(WEBHOOK, command, SERVER).events[0].key == "13.37.ab"


def test_what_the_app_has_done_itself_is_no_event() -> None:
    """Otherwise a bot that answers every message would talk to itself."""
    mine = {**MESSAGE, "user": "U0BOT", "bot_id": "B01"}

    assert take(WEBHOOK, signed("event", envelope(mine)), SERVER).events == ()


def test_unknown_types_pass_through() -> None:
    """As Slack sends them."""
    event = {"type": "star_added", "user": "U07", "item": {"type": "file"}}

    assert types_and_data(take(WEBHOOK, signed("event", envelope(event)), SERVER)) == [("star_added", event)]


def test_who_gets_it() -> None:
    """The app's connections of the workspace, but not one whose own secret it was not signed with."""
    call = signed("event", envelope(MESSAGE))
    received = take(WEBHOOK, call, SERVER)
    connections = {
        "con_1": VARIABLES,
        "con_2": {**VARIABLES, "team_id": "T02"},
        "con_3": {**VARIABLES, "private_signing_secret": "its own"},
        "con_4": {"team_id": "T01"},
        "con_5": {**VARIABLES, "user_id": "U07"},  # who has caused it
    }

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


def test_a_connections_secret_is_not_good_for_others() -> None:
    """Whoever has a private app can sign what they like; only their own connection believes it."""
    call = signed("event", envelope(MESSAGE), secret="mine")
    received = take(WEBHOOK, call, SERVER, own("mine", "private_signing_secret", "con_2"))
    connections = {"con_1": VARIABLES, "con_2": {**VARIABLES, "private_signing_secret": "mine"}}

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_2",)


def test_an_app_for_a_whole_enterprise() -> None:
    """Its connections have the enterprise's id, whichever workspace it happened in."""
    grants = [{"enterprise_id": "E01", "team_id": None, "user_id": "U0BOT", "is_enterprise_install": True}]
    call = signed("event", envelope(MESSAGE, enterprise_id="E01", authorizations=grants))
    received = take(WEBHOOK, call, SERVER)
    connections = {"con_1": {"app_id": "A01", "enterprise_id": "E01"}, "con_2": {"app_id": "A01"}}

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (signed("event", envelope(MESSAGE), content_type="text/plain"), 400),
        (signed("command", form(**COMMAND), content_type=JSON), 400),
        (request("event", envelope(MESSAGE)), 401),
        (signed("event", envelope(MESSAGE), secret="wrong"), 403),
        (signed("event", envelope(MESSAGE), secret=""), 403),
        (signed("event", b"{"), 400),
        (signed("event", {"type": "event_callback"}), 400),
        (signed("event", envelope({"type": "a b"})), 400),
        (signed("interaction", form(payload="[1]"), content_type=FORM), 400),
        (signed("interaction", form(other="1"), content_type=FORM), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(WEBHOOK, call, SERVER) == status


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_old_and_future_requests(seconds: int) -> None:
    """Five minutes, either way."""
    assert refusal(WEBHOOK, signed("event", envelope(MESSAGE)), SERVER, now_s=NOW_S + seconds) == 403


def test_without_any_secret() -> None:
    """Nothing is believed."""
    assert refusal(WEBHOOK, signed("event", envelope(MESSAGE), secret="")) == 403


@pytest.mark.parametrize(
    "name", [each for each in sample_types("slack") if each not in ("slash_command", "interaction")]
)
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in as an event is not changed any more."""
    sample = load_sample("slack", name)

    assert types_and_data(take(WEBHOOK, signed("event", envelope(sample)), SERVER)) == [(name, sample)]


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} <= set(sample_types("slack"))


def test_the_same_from_a_socket() -> None:
    """Socket mode has the same payloads, without signatures, and commands as JSON."""
    ((event),) = events_of(envelope(MESSAGE))
    command = command_of({**COMMAND, "is_enterprise_install": False}, "envelope-1")
    closed = interaction_of({"type": "view_closed", "api_app_id": "A01", "team": {"id": "T01"}}, "envelope-2")

    assert event.key == "Ev01"
    assert command.data["is_enterprise_install"] is False
    assert (command.key, closed.key) == ("13.37.ab", "envelope-2")
    assert command.match == closed.match == (match_of(app_id="A01", team_id="T01"),)


def test_an_enterprise_without_the_teams_id() -> None:
    """What happens at the level of an enterprise has no workspace, and matches only where it is installed for all."""
    found = interaction_of({"api_app_id": "A01", "team": None, "enterprise": {"id": "E01"}}, "k")

    assert not found.match[0].holds({"app_id": "A01"})
    assert not found.match[0].holds({"app_id": "A01", "team_id": ""})


def test_nothing_of_a_request_is_in_its_repr() -> None:
    """Reprs end up in logs."""
    call = signed("event", envelope(MESSAGE))

    assert call.headers["x-slack-signature"] not in repr(call)
    assert SECRET not in repr(SERVER)
