"""What services send, over real HTTP, to a server as `ak up` makes it: from the signature to what the code gets."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from autokitteh_server.core.clock import SystemClock
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.operations import deployments
from autokitteh_server.sources.known import Known
from harness import PATIENCE_S
from served import PROJECT, Served, listening, serving

SECRET = "s3cret"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that runs."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client of its public doors."""
    with listening(served) as client:
        yield client


def github(kind: str, payload: Mapping[str, Any], delivery: str = "d-1", secret: str = SECRET) -> dict[str, Any]:
    """A delivery of GitHub's, signed."""
    body = json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-github-event": kind,
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={digest}",
    }
    return {"content": body, "headers": headers}


def test_an_event_of_a_service_starts_a_session(served: Served, client: httpx.Client) -> None:
    """What the sheet says arrives; a repeat of it does nothing; a wrong signature even less."""
    served.connect("github", {"pat": "p", "pat_key": "k1", "pat_secret": SECRET}, event_type="issue_comment")
    sample = load_sample("github", "issue_comment")
    assert client.post("/github/webhook/k1", **github("issue_comment", sample)).status_code == 200
    assert client.post("/github/webhook/k1", **github("issue_comment", sample)).status_code == 200
    assert client.post("/github/webhook/k1", **github("issue_comment", sample, "d-2", "x")).status_code in (400, 403)
    assert client.post("/github/webhook/k2", **github("issue_comment", sample, "d-3")).status_code == 200
    (result,) = served.wait_all(1)
    assert result.session.result["type"] == "issue_comment"
    assert result.session.result["data"]["comment"] == sample["comment"]


def test_refusals_are_logged_now_and_then_and_without_what_is_in_addresses(
    served: Served, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can send requests; and addresses may be what only the service knows."""
    served.connect("confluence", {"BaseURL": "https://acme.atlassian.net", "WebhookSecret_created": SECRET})
    for secret in ("guess-1", "guess-2", "guess-3"):
        assert client.post(f"/confluence/webhook/created/{secret}", json={}).status_code == 401
    (line,) = [each.getMessage() for each in caplog.records if "is refused" in each.getMessage()]
    assert line.startswith("a request to /confluence/webhook/{category}/{secret} is refused: ")
    assert "guess" not in caplog.text


def test_nobody_has_events_without_being_deployed(served: Served, client: httpx.Client) -> None:
    served.connect("github", {"pat": "p", "pat_key": "k1", "pat_secret": SECRET})
    deployments.deactivate(served.services, PROJECT)
    sample = load_sample("github", "issue_comment")
    assert client.post("/github/webhook/k1", **github("issue_comment", sample)).status_code == 200
    assert served.events() == []


class SlowFor(SystemClock):
    """A clock that keeps the thread of one name waiting, as a database that hangs would, until it may go on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_waiting = threading.Event()
        self.may_go_on = threading.Event()

    def now_us(self) -> int:
        if threading.current_thread().name == self.name:
            self.is_waiting.set()
            assert self.may_go_on.wait(PATIENCE_S)
        return super().now_us()


def test_what_is_known_waits_for_nobody_who_reads(served: Served) -> None:
    """The doors ask in the event loop: while one service's connections are read, all others are answered."""
    clock = SlowFor("reader")
    known = Known(served.database, served.services.box, clock)
    known.of(("github",))
    reader = threading.Thread(target=lambda: known.of(("slack",)), name="reader")
    reader.start()
    try:
        assert clock.is_waiting.wait(PATIENCE_S)
        assert known.find(("github",)) == {}
        assert known.find(("slack",)) is None
        assert reader.is_alive()
    finally:
        clock.may_go_on.set()
        reader.join()
    assert known.find(("slack",)) == {}
