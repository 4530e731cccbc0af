"""Slack's socket mode, against a stand-in for Slack on this machine, through Slack's own library."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from autokitteh_server.integrations.gateway import GatewayRefused, GatewayState
from autokitteh_server.integrations.incoming import load_gateway
from autokitteh_server.integrations.slack import gateway
from autokitteh_server.integrations.slack.webhook import events_of
from gateways import Changes, Heard, Pauses, play, running, serving
from unit.integrations.slack_service import APP_TOKEN, BOT_TOKEN, Slack, event

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

COMMAND = {
    "team_id": "T01", "team_domain": "acme", "is_enterprise_install": "false", "api_app_id": "A01", "channel_id": "C05",
    "token": "old", "channel_name": "ops", "user_id": "U07", "user_name": "ann", "command": "/ak",
    "text": "roomstatus blue", "response_url": "https://hooks.slack.com/commands/x", "trigger_id": "13.37.ab",
}  # fmt: skip

CLICK = {
    "type": "block_actions", "user": {"id": "U07"}, "api_app_id": "A01", "team": {"id": "T01"},
    "channel": {"id": "C05", "name": "ops"}, "response_url": "https://hooks.slack.com/actions/x",
    "trigger_id": "13.38.ab",
    "message": {"type": "message", "text": "Deploy?", "blocks": [{"type": "actions"}, {"type": "divider"}]},
    "actions": [{"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}],
}  # fmt: skip


@dataclass
class Scene:
    slack: Slack
    heard: Heard
    pauses: Pauses
    changes: Changes
    task: asyncio.Task[None]

    async def open_again(self) -> None:
        """Another socket than the first was opened."""
        await self.changes.until(lambda: self.heard.has_been(GatewayState.OPEN, 2))

    def keys(self) -> list[str]:
        return [each.key for each in self.heard.events]


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    """A gateway that is open at a stand-in."""
    changes = Changes()
    slack, heard, pauses = Slack(changes), Heard(changes), Pauses(changes)
    async with serving(slack.app) as slack.address:
        variables = {
            "auth_type": "socketMode",
            "private_app_token": APP_TOKEN,
            "private_bot_token": BOT_TOKEN,
            "base_url": slack.base_url,
        }
        async with running(gateway.run, variables, heard, pause=pauses, **options) as task:
            await changes.until(lambda: heard.has_been(GatewayState.OPEN))
            yield Scene(slack, heard, pauses, changes, task)


def keys(first: int, last: int) -> list[str]:
    return [f"Ev{number}" for number in range(first, last)]


def test_only_socket_mode_has_a_gateway() -> None:
    """Of which there is one for each app's token."""
    tokens = {"private_app_token": "xapp-1", "private_bot_token": "xoxb-1"}

    assert load_gateway("slack") is gateway.GATEWAY
    assert gateway.GATEWAY.token({**tokens, "auth_type": "socketMode"}) == "xapp-1"
    assert gateway.GATEWAY.token({**tokens, "auth_type": "socket"}) == "xapp-1"
    assert gateway.GATEWAY.token({**tokens, "auth_type": "oauthPrivate"}) == ""
    assert gateway.GATEWAY.token({"auth_type": "socketMode"}) == ""
    assert gateway.GATEWAY.token({}) == ""


def test_events_come_as_they_would_if_they_were_posted() -> None:
    """With all their fields, and for the app in the workspace; the envelope is answered afterwards."""

    async def scenario() -> None:
        async with scene() as on:
            on.heard.may_deliver.clear()
            await on.slack.send_events(1, 2)
            await on.changes.until(lambda: on.heard.attempts)
            assert on.slack.answers == {}  # it is not durable yet
            on.heard.may_deliver.set()
            await on.changes.until(lambda: on.slack.answers)

            assert on.heard.events == list(events_of(event(1)))
            data = on.heard.events[0].data
            assert (data["text"], data["thread_ts"], data["bot_id"], data["blocks"]) == ("no. 1", "", "", [])
            assert on.slack.answers["env-1"] == {"envelope_id": "env-1"}

    play(scenario)


def test_a_command_is_answered_with_itself() -> None:
    """As it is where commands are posted, and only whoever gave it sees that."""

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send("slash_commands", COMMAND, "env-1")
            await on.changes.until(lambda: on.slack.answers)

            (found,) = on.heard.events
            assert (found.event_type, found.key, found.data["text"]) == ("slash_command", "13.37.ab", "roomstatus blue")
            assert "token" not in found.data
            payload = {"response_type": "ephemeral", "text": "/ak roomstatus blue"}
            assert on.slack.answers["env-1"] == {"envelope_id": "env-1", "payload": payload}

    play(scenario)


def test_a_click_changes_the_message() -> None:
    """The button goes, and there is who clicked it; that is posted once the event is durable."""

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send("interactive", CLICK, "env-1")
            await on.changes.until(lambda: on.slack.posted)

            (found,) = on.heard.events
            assert (found.event_type, found.key, found.data["actions"][0]["value"]) == ("interaction", "13.38.ab", "1")
            ((path, body),) = on.slack.posted
            assert path == "/api/actions/x"
            assert [block["type"] for block in body["blocks"]] == ["divider", "section"]
            assert on.slack.answers["env-1"] == {"envelope_id": "env-1"}

    play(scenario)


def test_a_burst_keeps_its_order() -> None:
    """Two hundred at once come one after the other, and each is answered."""

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send_events(0, 200)
            await on.changes.until(lambda: len(on.slack.answers) == 200)

            assert on.keys() == keys(0, 200)

    play(scenario)


def test_what_cannot_be_delivered_comes_again() -> None:
    """It is not answered, so Slack sends it again, with the same key."""

    async def scenario() -> None:
        async with scene() as on:
            on.heard.refusals = 2
            await on.slack.send_events(1, 4)
            await on.changes.until(lambda: len(on.slack.answers) == 1)
            assert sorted(on.slack.unanswered) == ["env-1", "env-2"]
            await on.slack.send_again()
            await on.changes.until(lambda: not on.slack.unanswered)

            assert on.keys() == ["Ev3", "Ev1", "Ev2"]

    play(scenario)


def test_what_cannot_be_read_does_not_come_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """It is answered, and logged; so is what is of a kind that nobody knows."""

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send("events_api", {"team_id": "T01"}, "env-1")
            await on.slack.send("events_api", event(2, type={"no": "type"}), "env-2")
            await on.slack.send("weather", {"is": "fine"}, "env-3")
            await on.slack.sockets[-1].send_str("no JSON at all")
            await on.slack.send_events(4, 5)
            await on.changes.until(lambda: len(on.slack.answers) == 4)

            assert on.keys() == ["Ev4"]

    play(scenario)

    assert "there is no event in it" in caplog.text


def test_a_bot_does_not_hear_itself() -> None:
    """What the app has done is answered, and not delivered."""

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send("events_api", event(1, user="U0BOT"), "env-1")
            await on.changes.until(lambda: on.slack.answers)

            assert on.heard.events == []

    play(scenario)


def test_a_socket_that_is_recalled_is_replaced() -> None:
    """What was not answered comes over the next one; nothing is lost, nothing is there twice by its key."""

    async def scenario() -> None:
        async with scene() as on:
            on.heard.may_deliver.clear()
            await on.slack.send_events(0, 5)
            await on.slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})
            await on.open_again()
            assert on.slack.sockets[0].closed
            on.heard.may_deliver.set()
            await on.slack.send_again()
            await on.slack.send_events(5, 8)
            await on.changes.until(lambda: not on.slack.unanswered)

            assert list(dict.fromkeys(on.keys())) == keys(0, 8)
            assert on.slack.opens == 2
            assert on.heard.message_of(GatewayState.WAITING).startswith("Slack wants another socket")

    play(scenario)


def test_a_socket_that_was_steady_is_replaced_at_once() -> None:
    """Slack wants another one every few hours, and whoever gives a command then must not notice."""

    async def scenario() -> None:
        async with scene(steady_s=0.0) as on:
            await on.slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})
            await on.open_again()

            assert on.pauses.lengths == []

    play(scenario)


def test_a_socket_that_breaks_is_replaced() -> None:
    """Also in the middle of a message, and when Slack closes it without a word."""

    async def scenario() -> None:
        async with scene(ping_s=1.0) as on:
            await on.slack.send_events(0, 1)
            await on.changes.until(lambda: len(on.slack.answers) == 1)
            await on.slack.cut_off(half_a_message=True)
            await on.open_again()
            await on.slack.send_events(1, 2)
            await on.changes.until(lambda: len(on.slack.answers) == 2)
            await on.slack.sockets[-1].close()
            await on.changes.until(lambda: on.heard.has_been(GatewayState.OPEN, 3))
            await on.slack.send_events(2, 3)
            await on.changes.until(lambda: len(on.slack.answers) == 3)

            assert on.keys() == keys(0, 3)

    play(scenario)


def test_pings_go_on_while_a_delivery_takes_its_time() -> None:
    """Slack would close a socket that is silent."""

    async def scenario() -> None:
        async with scene(ping_s=1.0) as on:
            on.heard.may_deliver.clear()
            await on.slack.send_events(0, 3)
            before = on.slack.pings
            await on.changes.until(lambda: on.slack.pings >= before + 2)
            on.heard.may_deliver.set()
            await on.changes.until(lambda: len(on.slack.answers) == 3)

            assert on.slack.opens == 1

    play(scenario)


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "not_allowed_token_type"])
def test_a_token_that_slack_does_not_take_is_not_tried_again(error: str) -> None:
    """Somebody has to enter another one, and is told so."""

    async def scenario() -> None:
        changes = Changes()
        slack, heard, pauses = Slack(changes), Heard(changes), Pauses(changes)
        slack.error = error
        async with serving(slack.app) as slack.address:
            variables = {"auth_type": "socketMode", "private_app_token": APP_TOKEN, "base_url": slack.base_url}
            with pytest.raises(GatewayRefused, match=error) as refused:
                await gateway.run(variables, heard, pause=pauses)

        assert "ak connection init" in str(refused.value)
        assert pauses.lengths == []

    play(scenario)


def test_it_waits_longer_each_time_and_begins_anew_when_it_can() -> None:
    """A service that is away is not stormed; one that says how long to wait is left alone for so long."""

    async def scenario() -> None:
        async with scene() as on:
            on.slack.is_ill = True
            await on.slack.sockets[-1].send_json({"type": "disconnect", "reason": "warning"})
            await on.changes.until(lambda: len(on.pauses.lengths) >= 12)
            for number, length in enumerate(on.pauses.lengths[:12]):
                assert min(2**number, 300) / 2 <= length <= min(2**number, 300)
            on.slack.is_ill, on.slack.error = False, "ratelimited"
            await on.changes.until(lambda: "ratelimited" in on.heard.message_of(GatewayState.WAITING))
            assert on.pauses.lengths[-1] >= 77
            on.slack.error = ""
            await on.open_again()
            await on.slack.send_events(0, 1)
            await on.changes.until(lambda: on.slack.answers)

            assert on.keys() == ["Ev0"]

    play(scenario)


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither tokens nor tickets nor what people say, however much is logged."""
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with scene() as on:
            await on.slack.send_events(1, 2)
            await on.changes.until(lambda: on.slack.answers)
            await on.slack.sockets[-1].send_json({"type": "disconnect", "reason": "warning"})
            await on.open_again()
            texts = [message for _, message in on.heard.states]
            assert not any("secret" in text or "ticket" in text for text in texts)

    play(scenario)

    for secret in (APP_TOKEN, BOT_TOKEN, "ticket-1", "no. 1"):
        assert secret not in caplog.text


@pytest.mark.parametrize("state", ["open", "opening", "waiting", "delivering", "unheard"])
def test_it_ends_at_once(state: str) -> None:
    """In whatever it is doing, also if nobody is there to say goodbye to, and leaves nothing behind."""

    async def scenario() -> None:
        async with scene() as on:
            match state:
                case "waiting":
                    on.pauses.may_end.clear()
                    await on.slack.sockets[-1].send_json({"type": "disconnect", "reason": "warning"})
                    await on.changes.until(lambda: on.heard.has_been(GatewayState.WAITING))
                case "delivering":
                    on.heard.may_deliver.clear()
                    await on.slack.send_events(0, 3)
                    await on.changes.until(lambda: on.heard.attempts)
                case "opening":
                    on.slack.is_ill = True
                    await on.slack.sockets[-1].send_json({"type": "disconnect", "reason": "warning"})
                    await on.changes.until(lambda: on.slack.opens > 1)
                case "unheard":
                    transport = on.slack.requests[-1].transport
                    assert transport is not None
                    transport.pause_reading()  # type: ignore[attr-defined]

    play(scenario)
