"""Deliveries in masses, for several projects, too large, or broken off: the server takes what it can, and goes on."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from autokitteh_server.api.service_doors import SMALL_BYTES
from autokitteh_server.config import HttpSettings
from autokitteh_server.operations.deployments import deactivate
from deliveries import hmac_hex
from harness import PATIENCE_S
from served import PROJECT, Served, listening, serving

SECRET = "s3cret"
TOKEN = {"pat": "p", "pat_key": "k1", "pat_secret": SECRET}
PATH = "/github/webhook/k1"

#: Does not end before somebody writes to a pipe.
WAITING = """
import autokitteh

@autokitteh.activity
def wait():
    with open({gate!r}) as gate:
        return gate.read()

def main(event):
    return wait()
"""

#: The largest body, in these tests; four of them may be in memory at once.
MAX_BYTES = 100_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that runs."""
    http = HttpSettings(addr="127.0.0.1:0", service_body_bytes=MAX_BYTES)
    with serving(tmp_path, http=http, environ={"GITHUB_WEBHOOK_SECRET": SECRET}) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client of its public doors."""
    with listening(served) as client:
        yield client


def github(body: bytes, delivery: str = "d-1", **headers: str) -> dict[str, Any]:
    """A delivery of GitHub's."""
    known = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={hmac_hex(SECRET, body)}",
    }
    return {"content": body, "headers": {**known, **headers}}


def padded(size: int) -> bytes:
    """A body of this size."""
    return b'{"x":"' + b"x" * (size - 8) + b'"}'


def test_two_hundred_at_once(served: Served, client: httpx.Client) -> None:
    """None is refused, and each starts its session."""
    served.connect("github", TOKEN, "def main(event):\n    return event.data.n\n")
    with ThreadPoolExecutor(50) as threads:
        replies = threads.map(lambda n: client.post(PATH, **github(b'{"n":%d}' % n, f"d-{n}")).status_code, range(200))
    assert set(replies) == {200}
    assert sorted(each.session.result for each in served.wait_all(200)) == list(range(200))


def test_each_project_gets_a_copy(served: Served, client: httpx.Client) -> None:
    """Of the same delivery; but not one that is not deployed."""
    variables = {"app_id": "55", "install_id": "7"}
    ids = {name: served.connect("github", variables, project=name) for name in ("one", "other", "idle")}
    deactivate(served.services, "idle")
    app = {"x-github-hook-installation-target-id": "55"}
    for _ in range(2):
        assert client.post("/github/webhook", **github(b'{"installation":{"id":7}}', **app)).status_code == 200
    served.wait_all(2)
    assert sorted(each.source_id for each in served.events()) == sorted([ids["one"], ids["other"]])


def test_nothing_of_a_project_that_is_not_deployed_counts(served: Served, client: httpx.Client) -> None:
    """Its secrets sign nothing, either."""
    served.connect("jira", {"WebhookSecret": SECRET, "BaseURL": "https://acme.atlassian.net"})
    body = b'{"webhookEvent":"jira:issue_created","issue":{"self":"https://acme.atlassian.net/1"}}'
    signed = {
        "content": body,
        "headers": {"content-type": "application/json", "x-hub-signature": f"sha256={hmac_hex(SECRET, body)}"},
    }
    assert client.post("/jira/webhook", **signed).status_code == 200
    deactivate(served.services, PROJECT)
    assert client.post("/jira/webhook", **signed).status_code == 401


def test_the_reply_does_not_wait_for_code(served: Served, client: httpx.Client, tmp_path: Path) -> None:
    """The service is answered while the session has yet to do all that it is to do."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    served.connect("github", TOKEN, WAITING.format(gate=str(gate)))

    assert client.post(PATH, **github(b"{}")).status_code == 200

    (session,) = served.sessions()
    assert not session.state.is_final
    gate.write_text("open")
    assert served.wait(session.id).session.result == "open"


@pytest.mark.parametrize("size", [MAX_BYTES, MAX_BYTES + 1, 20 * MAX_BYTES])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_large_bodies(served: Served, client: httpx.Client, size: int, is_chunked: bool) -> None:
    """One that is larger than it may be is refused, whether its length is told or not."""
    served.connect("github", TOKEN, "def main(event):\n    return len(event.data.x)\n")
    request = github(padded(size))
    if is_chunked:
        request["content"] = iter([request["content"][:1000], request["content"][1000:]])

    status = client.post(PATH, **request).status_code

    assert status == (200 if size <= MAX_BYTES else 413)
    assert len(served.wait_all(1 if size <= MAX_BYTES else 0)) == len(served.events())


@contextmanager
def unfinished(client: httpx.Client, length: int, sent: int) -> Iterator[socket.socket]:
    """A request of which a part has come in."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=PATIENCE_S) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * sent)
        yield connection


def held(served: Served) -> int:
    """How much of what is allowed is in memory."""
    return 4 * MAX_BYTES - served.app.service_events.doors.budget.left


def wait_for(condition: Any) -> None:
    """Wait until something holds of the network, which tells nobody."""
    until, never = time.monotonic() + PATIENCE_S, threading.Event()
    while not condition():
        assert time.monotonic() < until
        never.wait(0.01)


def test_many_large_bodies_at_once(served: Served, client: httpx.Client) -> None:
    """Beyond what may be in memory together, senders are told to try again; once the others are gone, they may."""
    served.connect("github", TOKEN)
    with ExitStack() as stack:
        for _ in range(count := 4 * MAX_BYTES // (MAX_BYTES - SMALL_BYTES)):
            stack.enter_context(unfinished(client, MAX_BYTES, MAX_BYTES - 10))
        wait_for(lambda: held(served) == count * (MAX_BYTES - 10 - SMALL_BYTES))

        reply = client.post(PATH, **github(padded(MAX_BYTES)))

        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
        assert client.post(PATH, **github(b"{}", "small")).status_code == 200  # there is always room for it
    wait_for(lambda: held(served) == 0)
    assert client.post(PATH, **github(padded(MAX_BYTES))).status_code == 200
    served.wait_all(2)


@pytest.mark.parametrize("sent", [0, 1, 90_000])
def test_a_sender_that_goes_away(
    served: Served, client: httpx.Client, caplog: pytest.LogCaptureFixture, sent: int
) -> None:
    """In the middle of its body: nothing comes of it, and nothing is kept of it."""
    served.connect("github", TOKEN)
    with unfinished(client, MAX_BYTES, sent):
        wait_for(lambda: held(served) == max(0, sent - SMALL_BYTES))
    wait_for(lambda: held(served) == 0)
    assert client.post(PATH, **github(b"{}")).status_code == 200
    served.wait_all(1)
    assert [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")] == []


def test_more_than_was_told(served: Served, client: httpx.Client) -> None:
    """What comes after a body is another request, or none; either way the delivery counts once."""
    served.connect("github", TOKEN)
    body = b"{}"
    head = "".join(f"{name}: {value}\r\n" for name, value in github(body)["headers"].items())
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=PATIENCE_S) as connection:
        whole = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 2\r\n\r\n".encode() + body
        connection.sendall(whole + b"and more, which is no request\r\n\r\n")
        got = b""
        while piece := connection.recv(4096):
            got += piece
    assert got.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))
    assert client.post(PATH, **github(body)).status_code == 200
    served.wait_all(1)


ODD = [
    (b'{"n":1%s}' % (b"0" * 100), {"n": 10**100}),
    (b'{"n":1e308,"m":-0.0,"k":9007199254740993}', {"n": 1e308, "m": -0.0, "k": 9007199254740993}),
    (b'{"n":"a\\u0000b"}', {"n": "a\0b"}),
    (b'{"n":"a\\ud800b"}', {"n": "a�b"}),
    (b'{"a":1,"a":2,"":3}', {"a": 2, "": 3}),
    (b'{"n":' + b"[" * 150 + b"]" * 150 + b"}", None),
]


@pytest.mark.parametrize(("body", "data"), ODD, ids=range(len(ODD)))
def test_odd_values(served: Served, client: httpx.Client, body: bytes, data: Any) -> None:
    """Whatever JSON can say reaches code as it was said."""
    served.connect("github", TOKEN)
    assert client.post(PATH, **github(body)).status_code == 200
    (result,) = served.wait_all(1)
    assert result.state == "COMPLETED", result.error
    if data is not None:
        assert result.session.result["data"] == {**data, "slash_commands": []}
