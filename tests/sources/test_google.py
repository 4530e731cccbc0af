"""Google's services only say that there is something new: the server asks what, at once, and code gets that."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autokitteh_server.config import HttpSettings
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Http
from autokitteh_server.storage import feeds, variables
from harness import PATIENCE_S
from served import Served, listening, serving
from sources.senders import ENVIRON, Signing, googles_keys, push, pushed
from unit.integrations.google_service import CALENDAR, FORM, TOKEN, TOPIC, Google, google

PUBLIC_URL = "https://ak.example.com"

#: Polls alone come later than this.
SOON_S = 30.0


@pytest.fixture
def there() -> Iterator[Google]:
    """Google, with its public keys."""
    with google() as there:
        there.now = int(time.time()) * 1_000_000
        there.fake.good_tokens = None
        there.fake.routes["GET /oauth2/v3/certs"] = googles_keys()
        yield there


@pytest.fixture
def served(tmp_path: Path, there: Google) -> Iterator[Served]:
    """A server that Google can call."""

    def http_for(api: str, base_url: str) -> Http:
        return ServiceHttp(now_s=lambda: int(time.time()), api=api, base_url=there.fake.url)

    http = HttpSettings(addr="127.0.0.1:0", service_url=PUBLIC_URL)
    environ = {**ENVIRON, "GOOGLE_FORMS_PUBSUB_TOPIC": TOPIC, "GMAIL_PUBSUB_TOPIC": TOPIC}
    with serving(tmp_path, http=http, environ=environ, http_for=http_for) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client of its public doors."""
    with listening(served) as client:
        yield client


def connect(served: Served, integration: str, **values: str) -> dict[str, str]:
    """A connection whose service was told where to say what is new; its variables that are not secret."""
    oauth = {"auth_type": "oauth", "oauth_AccessToken": TOKEN, "oauth_RefreshToken": "r", **values}
    connection_id = served.connect(integration, oauth)

    def is_told() -> bool:
        feed = served.database.read(lambda conn: feeds.of_connections(conn, [connection_id])).get(connection_id)
        return feed is not None and bool(feed.registered_url) and feed.polled_at > 0

    until, never = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_told():
        assert time.monotonic() < until, served.database.read(
            lambda conn: feeds.of_connections(conn, [connection_id]).get(connection_id)
        )
        never.wait(0.01)
    stored = served.database.read(lambda conn: variables.of_owners(conn, [connection_id]))
    return {each.name: each.value for each in stored if not each.is_secret}


def channel(there: Google, state: str = "exists", **headers: str) -> dict[str, str]:
    """What Google says by the newest channel."""
    channel = list(there.channels.values())[-1]
    known = {"x-goog-channel-id": channel["id"], "x-goog-channel-token": channel["token"]}
    return {**known, "x-goog-resource-state": state, "x-goog-message-number": "2", **headers}


@pytest.mark.parametrize(
    ("integration", "values", "happens", "wanted"),
    [
        (
            "googlecalendar",
            {"CalendarID": CALENDAR},
            lambda there: there.change_event("3kq1", summary="Demo"),
            lambda data: (
                (data["summary"], data["description"], data["start"]["date_time"])
                == ("Demo", "", "2026-02-03T15:00:00Z")
            ),
        ),
        (
            "googledrive",
            {"user_scope": "https://www.googleapis.com/auth/drive.file"},
            lambda there: there.change_file("1AbC"),
            lambda data: (data["file_id"], data["file"]["name"], data["removed"]) == ("1AbC", "Notes", False),
        ),
    ],
)
def test_channels(
    there: Google,
    served: Served,
    client: httpx.Client,
    integration: str,
    values: dict[str, str],
    happens: Callable[[Google], object],
    wanted: Callable[[Any], bool],
) -> None:
    """Calendar and Drive: nobody is believed without the channel's token; with it, one look gives one event."""
    connect(served, integration, **values)
    door = f"/{integration}/notif"
    happens(there)
    assert client.post(door, headers=channel(there, **{"x-goog-channel-token": "guessed"})).status_code == 403
    assert client.post(door, headers=channel(there, **{"x-goog-channel-token": ""})).status_code == 401
    assert client.post(door, headers=channel(there, "")).status_code == 400
    assert client.post(door, headers=channel(there, "sync")).status_code == 200
    assert served.events() == []

    for _ in range(3):
        assert client.post(door, headers=channel(there)).status_code == 200

    served.wait_until(lambda: len(served.sessions()) > 0, SOON_S)
    (result,) = served.wait_all(1)
    assert wanted(result.session.result["data"])


def test_forms(there: Google, served: Served, client: httpx.Client) -> None:
    """Forms: by Pub/Sub, which bears a token of Google's for this address, from the account that is ours."""
    known = connect(served, "googleforms", FormID=FORM)
    there.respond("ACYD1", "2026-11-28T10:00:00.123456Z")

    def call(secret: str, age_s: float = 0.0) -> int:
        signing = Signing(secret=secret, body=b"", now_s=time.time() - age_s, url=f"{PUBLIC_URL}/googleforms/notif")
        said = push(1, {}, eventType="RESPONSES", formId=FORM, watchId=known["FormResponsesWatchID"])
        return client.post("/googleforms/notif", json=said, headers=pushed(signing)).status_code

    assert (call("k2"), call("k1", 361)) == (401, 401)
    assert served.events() == []
    assert (call("k1"), call("k1")) == (200, 200)

    served.wait_until(lambda: len(served.sessions()) > 0, SOON_S)
    (result,) = served.wait_all(1)
    assert result.session.result["type"] == "responses"
    data = result.session.result["data"]
    assert data["response"]["answers"]["7f3a"]["text_answers"]["answers"][0]["value"] == "yes"
    assert (data["form_id"], data["response"]["respondent_email"]) == (FORM, "")
