"""Examples that speak to a service: deployed to a real `ak up`, with the service's own client and a stand-in for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.fakes import Sheets, Slack, running
from examples.here import Here, serving_here

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """A server that runs."""
    with serving_here(tmp_path) as here:
        yield here


def test_simple_webhook(here: Here) -> None:
    """A request becomes a message in Slack, in its channel or in the project's; the token is seen by nobody."""
    with running(Slack()) as slack:
        here("deploy", str(EXAMPLES / "simple_webhook"))
        here("var", "set", "simple_webhook/slack_conn", "private_bot_token", "xoxb-good", "--secret")
        here("var", "set", "simple_webhook/slack_conn", "base_url", f"{slack.url}/api")
        here.post("simple_webhook/webhook", channel="#random", text="hello")
        assert here.finish_last() == ["sent to #random"]
        here.post("simple_webhook/webhook", text="again")
        assert here.finish_last() == ["sent to #general"]
        messages = [sent for _, path, sent in slack.asked if path.endswith("postMessage")]
        assert [(each["channel"], each["text"]) for each in messages] == [("#random", "hello"), ("#general", "again")]
        assert "xoxb-good" not in here("session", "log", "last", "-j").out
        assert "xoxb-good" not in here("var", "list", "simple_webhook", "-j").out


def test_simple_webhook_without_a_token(here: Here) -> None:
    """A connection without credentials is an error that names it."""
    here("deploy", str(EXAMPLES / "simple_webhook"))
    here.post("simple_webhook/webhook", text="hello")
    with pytest.raises(AssertionError, match=r"ConnectionInitError: .*slack_conn.* not initialized"):
        here.finish_last()


def test_explicit_activities(here: Here) -> None:
    """Values get into the sheet by one activity, whose result is recorded."""
    with running(Sheets()) as sheets:
        here("deploy", str(EXAMPLES / "explicit_activities"))
        here("var", "set", "explicit_activities", "SHEET_ID", "sheet1")
        token = {"oauth_AccessToken": "good", "oauth_Expiry": "2099-01-01T00:00:00Z"}
        for name, value in {"auth_type": "oauth", **token, "base_url": sheets.url}.items():
            here("var", "set", "explicit_activities/sheets_conn", name, value)
        here("session", "start", "explicit_activities", "--entry", "program.py:on_start", "--watch")
        assert here.finish_last() == ["wrote Sheet1!A1:B3"]
        ((method, path, sent),) = sheets.asked
        assert (method, path) == ("PUT", "/v4/spreadsheets/sheet1/values/Sheet1%21A1%3AB3")
        assert sent["values"][1] == ["Number", -123.45]


def test_a_message_is_not_sent_twice(here: Here) -> None:
    """After a kill of the server the session goes on behind the message that was sent."""
    with running(Slack()) as slack:
        here("deploy", str(EXAMPLES / "simple_webhook"))
        here("var", "set", "simple_webhook/slack_conn", "private_bot_token", "xoxb-good", "--secret")
        here("var", "set", "simple_webhook/slack_conn", "base_url", f"{slack.url}/api")
        here.post("simple_webhook/webhook", text="once")
        here.kill()
        here.start()
        assert here.finish_last() == ["sent to #general"]
        # It may have been under way when the server was killed: then, and only then, it was sent again.
        attempts = [entry for entry in here("session", "log", "last", "-j").objects if entry["kind"] == "call"]
        messages = [path for _, path, _ in slack.asked if path.endswith("postMessage")]
        assert len(messages) == max(entry["attempt"] for entry in attempts)
