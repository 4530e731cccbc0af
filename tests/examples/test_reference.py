"""Programs with every construct of the platform's documentation, as it writes them, on a real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from autokitteh_server.core.api_types.sessions import SessionQuery
from examples.fakes import Fake, Sheets, Slack, running
from examples.here import Here, serving_here
from harness import PATIENCE_S

PROGRAMS = Path(__file__).parent / "reference"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """One server for all programs."""
    with serving_here(tmp_path_factory.mktemp("reference")) as here:
        yield here


def deploy(here: Here, name: str) -> None:
    """Deploy one of the programs."""
    here("deploy", str(PROGRAMS / f"{name}.txtar"))


def run(here: Here, name: str, entry: str, **data: str) -> list[str]:
    """Deploy a program and run a session of it; what that printed."""
    deploy(here, name)
    here.start_session(name, entry, data)
    return here.finish_last()


def test_minimal(here: Here) -> None:
    """A session that is started by hand."""
    assert run(here, "minimal", "program.py:on_trigger") == ["Meow, World!"]


def test_long_running_count(here: Here) -> None:
    """A count goes on where it was after a kill of the server, in the middle of a sleep."""
    deploy(here, "long_running_count")
    here.start_session("long_running_count", "program.py:on_trigger")
    here.wait_for_wait("long_running_count")
    here.kill()
    here.start()
    assert here.finish_last() == ["0", "1", "2", "3"]
    states = [each for each in here("session", "log", "last", "-j").objects if each["kind"] == "state"]
    assert [each["state"] for each in states] == ["RUNNING", "RUNNING", "COMPLETED"]


def test_webhook_to_slack(here: Here) -> None:
    """What is sent to the webhook is said in Slack; what it does not say, the project does."""
    with running(Slack()) as slack:
        deploy(here, "webhook_to_slack")
        here.set_vars("webhook_to_slack/slack_conn", oauth_access_token="xoxb-good", base_url=f"{slack.url}/api/")
        here.post("webhook_to_slack/webhook")
        here.finish_last()
        said = [sent for _, path, sent in slack.asked if path == "/api/chat.postMessage"]
    assert [(each["channel"], each["text"]) for each in said] == [("#general", "Meow, World!")]


def test_explicit_activities(here: Here) -> None:
    """What Google's client returns lives inside of the activity only."""
    with running(Sheets()) as sheets:
        deploy(here, "explicit_activities")
        credentials = {"auth_type": "oauth", "oauth_AccessToken": "good", "oauth_Expiry": "2099-01-01T00:00:00Z"}
        here.set_vars("explicit_activities/sheets_conn", **credentials, base_url=sheets.url)
        here.start_session("explicit_activities", "program.py:on_trigger")
        assert here.finish_last() == ["Updated range: 'Sheet1!A1:B7'"]
    calls = [each["name"] for each in here("session", "log", "last", "-j").objects if each["kind"] == "call"]
    assert calls == ["program._write"]


def test_runtime_events(here: Here) -> None:
    """A session waits for a request of one kind, and then of either of two."""
    deploy(here, "runtime_events")
    here.post("runtime_events/begin")
    here.wait_for_wait("runtime_events")
    url = here.url("runtime_events/webhook_name")
    httpx.get(f"{url}/woof")
    httpx.get(f"{url}/meow")
    httpx.post(f"{url}/meow", json={"volume": 9})
    prints = here.finish_last()
    assert "'method': 'GET'" in prints[2] and "/meow" in prints[2]
    assert prints[5].startswith("Got an HTTP POST request: {") and "'volume': 9" in prints[5]
    assert prints[-1] == "Done"


def test_sync_webhook(here: Here) -> None:
    """The sender of the first request is answered with what the second one says."""
    deploy(here, "sync_webhook")
    with ThreadPoolExecutor() as threads:
        first = threads.submit(httpx.get, here.url("sync_webhook/first"), timeout=PATIENCE_S)
        here.wait_for_wait("sync_webhook")
        httpx.post(here.url("sync_webhook/second"), content="purr")
        assert (first.result().status_code, first.result().text) == (200, "purr")
    assert here.finish_last() == ["First webhook triggered!", "Second webhook triggered!"]


def test_child_session(here: Here) -> None:
    """A child gets what its parent gives it."""
    assert run(here, "child_session", "main.py:on_whatever") == []
    with here.client() as client:
        parent = client.sessions.get("last")
        (child,) = client.sessions.list(SessionQuery(parent=parent.id), 10)
    assert here.finish_last(child.id) == ["meow"]


@pytest.mark.parametrize("file", ["good.py", "bad.py"])
def test_functions_as_arguments(here: Here, file: str) -> None:
    """A lambda as an argument is bad elsewhere; here it is as good as a function."""
    assert run(here, "lambda_argument", f"{file}:handler") == ["['ann', 'bob']"]


def test_an_activity_as_handler(here: Here) -> None:
    """What takes its time may be one activity as a whole."""
    prints = run(here, "slow_sequence", "program.py:on_event", env="x")
    assert prints[-1] == "3" and "calling server" in prints


def test_open_connections(here: Here) -> None:
    """A response that cannot be pickled is used inside of an activity; an event reads as a dict."""

    class Users(Fake):
        def answer(self, method: str, path: str, sent: Any, headers: Any) -> tuple[int, Any]:
            return 200, {"name": "Ann"}

    with running(Users()) as users:
        assert run(here, "user_info", "program.py:handler", login=f"{users.url}/ann") == ["user name: Ann"]
