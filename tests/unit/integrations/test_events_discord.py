"""What Discord's gateway says, as data."""

from typing import Any

import pytest

from autokitteh_server.integrations.discord.shape import gateway_event
from autokitteh_server.integrations.discord.spec import SPEC
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Found, Refused
from deliveries import passes

SAMPLE = {"id": "1201", "channel_id": "33", "guild_id": "7", "content": "hello", "timestamp": "2025-01-01T10:00:00Z",
          "author": {"id": "42", "username": "maya", "bot": False}}  # fmt: skip


def event(kind: str, data: object, *, bot_id: str = "1", number: int = 5) -> Found | None:
    return gateway_event(kind, data, bot_id=bot_id, session_id="s1", number=number)


def made(kind: str, data: object) -> Found:
    found = event(kind, data)
    assert found is not None
    return found


def test_the_sample_of_the_sheet() -> None:
    """With all fields, those that Discord has left out included."""
    found = made("MESSAGE_CREATE", SAMPLE)

    assert found.event_type == "message_create"
    assert found.data["author"]["username"] == "maya"
    assert (found.data["content"], found.data["webhook_id"], found.data["attachments"]) == ("hello", "", [])
    assert found.match[0].values == {"BotID": "1"}
    assert passes("data.webhook_id == '' && !data.author.bot", found.event_type, found.data)


def test_a_deleted_message() -> None:
    """Its ids, and nothing else; but the fields are there."""
    data = made("MESSAGE_DELETE", {"id": "1201", "channel_id": "33"}).data

    assert (data["id"], data["content"], data["author"]["username"], data["before_delete"]) == ("1201", "", "", None)


def test_the_bots_own() -> None:
    """It does not talk to itself."""
    assert event("MESSAGE_CREATE", SAMPLE, bot_id="42") is None
    assert event("MESSAGE_REACTION_ADD", {"user_id": "42"}, bot_id="42") is None


def test_what_is_sent_again_after_a_resume_has_the_same_key() -> None:
    """The number is that of the gateway's session."""
    assert made("MESSAGE_CREATE", SAMPLE).key == made("MESSAGE_CREATE", SAMPLE).key == "s1:5"


def test_unknown_types_pass_through() -> None:
    """As they are."""
    assert made("GUILD_ROLE_CREATE", {"role": {}}).data == {"role": {}}


@pytest.mark.parametrize(("kind", "data"), [("MESSAGE_CREATE", []), ("", {}), ("a b", {})])
def test_what_is_none(kind: str, data: Any) -> None:
    """It is refused, and nothing else happens."""
    with pytest.raises(Refused):
        event(kind, data)


@pytest.mark.parametrize("name", [each.name for each in SPEC.events])
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is not changed any more."""
    assert name in sample_types("discord")
    assert made(name.upper(), load_sample("discord", name)).data == load_sample("discord", name)
