"""Sync webhooks: the sender gets what the session answers, as soon as it answers."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from autokitteh_server.config import HttpSettings
from served import Served, listening, serving

MODES = pytest.mark.parametrize("durable", [True, False], ids=["durable", "plain"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that runs, and waits a second for outcomes."""
    with serving(tmp_path, http=HttpSettings(addr="127.0.0.1:0", sync_timeout_s=1.0)) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client of its public doors."""
    with listening(served) as client:
        yield client


def deploy(served: Served, program: str, *, durable: bool = True) -> dict[str, str]:
    """Deploy a program with a sync webhook; the paths of its webhooks."""
    found = served.deploy(
        "import time\nfrom autokitteh import *\n" + program,
        served.webhook("ask", is_durable=durable, is_sync=True),
        served.webhook("bell", call=""),
        served.webhook("sync_bell", call="", is_sync=True),
    )
    return {name: f"/webhooks/{trigger.webhook_slug}" for name, trigger in found.items()}


@pytest.mark.parametrize(
    ("outcome", "status", "content_type", "body"),
    [
        ("http_outcome(201, json={'n': 1})", 201, "application/json", b'{"n": 1}'),
        ("http_outcome(body='h\\xe9')", 200, "text/plain; charset=utf-8", "hé".encode()),
        ("http_outcome(body=b'\\xff')", 200, "application/octet-stream", b"\xff"),
        ("http_outcome(body='<p>', headers={'content-type': 'text/html'})", 200, "text/html", b"<p>"),
        ("http_outcome(json='x', headers={'Content-Type': 'text/x'})", 200, "text/x", b'"x"'),
        ("http_outcome(body=[1])", 200, "application/json", b"[1]"),
        ("http_outcome(204, body='x')", 204, None, b""),
        ("http_outcome(0)", 200, None, b""),
        ("http_outcome(404, headers={'content-length': '99', 'X-A': 'b'})", 404, None, b""),
        ("outcome({'n': 1})", 200, "application/json", b'{"n": 1}'),
    ],
)
@MODES
def test_what_the_sender_gets(
    served: Served,
    client: httpx.Client,
    outcome: str,
    status: int,
    content_type: str | None,
    body: bytes,
    durable: bool,
) -> None:
    """Status, headers and body are those of the first outcome."""
    paths = deploy(served, f"def main(event):\n    {outcome}\n    http_outcome(599)\n", durable=durable)
    reply = client.post(paths["ask"])
    assert (reply.status_code, reply.headers.get("content-type"), reply.content) == (status, content_type, body)
    assert reply.headers["autokitteh-event-id"] == served.events()[0].id


@MODES
def test_the_session_goes_on_after_its_reply(served: Served, client: httpx.Client, durable: bool) -> None:
    """The sender does not wait for the end."""
    paths = deploy(
        served,
        "def main(event):\n    http_outcome(body='a')\n    next_event(subscribe('bell'))\n    return 7\n",
        durable=durable,
    )
    assert client.post(paths["ask"]).text == "a"
    (session,) = served.sessions()
    assert not session.state.is_final
    served.wait_until(lambda: served.load(session.id).session.waits is not None)
    client.post(paths["bell"])
    assert served.wait(session.id).session.result == 7


@MODES
def test_waiting_for_another_webhook(served: Served, client: httpx.Client, durable: bool) -> None:
    """The first sender's answer is made of what the second one sends."""
    paths = deploy(
        served,
        "def main(event):\n    e = next_event(subscribe('bell'))\n    http_outcome(body=e.data.body.text)\n",
        durable=durable,
    )
    replies: list[httpx.Response] = []
    first = threading.Thread(target=lambda: replies.append(client.post(paths["ask"])))
    first.start()
    served.wait_until(lambda: any(each.waits is not None for each in served.sessions()))
    client.post(paths["bell"], content=b"hello")
    first.join()
    assert replies[0].text == "hello"


def test_streams(served: Served, client: httpx.Client) -> None:
    """With more=True each part arrives as soon as it is given; status and headers are those of the first."""
    paths = deploy(
        served,
        """
def main(event):
    bell = subscribe("bell")
    http_outcome(202, body="a", headers={"X-N": "1"}, more=True)
    next_event(bell)
    http_outcome(500, body="b", headers={"X-N": "2"}, more=True)
    http_outcome(json=[1], more=False)
    http_outcome(body="never seen")
""",
    )
    with client.stream("POST", paths["ask"]) as reply:
        parts = reply.iter_raw()
        assert (reply.status_code, reply.headers["x-n"], next(parts)) == (202, "1", b"a")
        client.post(paths["bell"])
        assert b"".join(parts) == b"b[1]"


@MODES
def test_a_stream_that_breaks_off(served: Served, client: httpx.Client, durable: bool) -> None:
    """A session that fails before the last part cuts the stream: half of a reply must not look like the whole."""
    paths = deploy(
        served,
        """
def main(event):
    bell = subscribe("bell")
    http_outcome(body="a", more=True)
    next_event(bell)
    raise ValueError("no")
""",
        durable=durable,
    )
    with client.stream("POST", paths["ask"]) as reply:
        parts = reply.iter_raw()
        assert next(parts) == b"a"
        client.post(paths["bell"])
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)


def test_a_stream_that_ends_with_its_session(served: Served, client: httpx.Client) -> None:
    """A session that ends without a last part ends the stream; one that is too slow cuts it, so that it shows."""
    paths = deploy(served, "def main(event):\n    http_outcome(body='a', more=True)\n")
    assert client.post(paths["ask"]).text == "a"
    slow = served.deploy(
        """
import time
from autokitteh import http_outcome
def main(event):
    http_outcome(body="a", more=True)
    time.sleep(60)
""",
        served.webhook("slow", is_sync=True),
        name="slow",
    )["slow"]
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(f"/webhooks/{slow.webhook_slug}")


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("def main(event):\n    return 5\n", 204),
        ("def main(event):\n    raise ValueError('no')\n", 500),
        ("def main(event):\n    http_outcome(100)\n", 500),
        ("def main(event):\n    time.sleep(60)\n", 504),
    ],
)
@MODES
def test_without_an_outcome(served: Served, client: httpx.Client, program: str, status: int, durable: bool) -> None:
    """An end is 204 or 500; no end in time is 504, and the session goes on."""
    paths = deploy(served, program, durable=durable)
    reply = client.post(paths["ask"])
    assert reply.status_code == status
    (session,) = served.sessions()
    if status == 504:
        assert not session.state.is_final
        served.app.server.scheduler.stop(session.id, force=True)
    served.wait(session.id)


def test_nothing_started(served: Served, client: httpx.Client) -> None:
    """A sync webhook that starts and reaches nothing is 502 at once; one that reaches a session waits for it."""
    paths = deploy(
        served,
        """
def main(event):
    e = next_event(subscribe("sync_bell"), full=True)
    http_outcome(body="for you", event_id=e.event_id)
""",
    )
    assert client.post(paths["sync_bell"]).status_code == 502
    first = threading.Thread(target=lambda: client.post(paths["ask"]))
    first.start()
    served.wait_until(lambda: any(each.waits is not None for each in served.sessions()))
    assert client.post(paths["sync_bell"]).text == "for you"
    first.join()


def test_a_client_that_is_gone(served: Served, client: httpx.Client) -> None:
    """The session goes on though nobody waits for its answer any more."""
    paths = deploy(
        served, "def main(event):\n    next_event(subscribe('bell'))\n    http_outcome(body='a')\n    return 1\n"
    )
    with pytest.raises(httpx.ReadTimeout):
        client.post(paths["ask"], timeout=0.2)
    served.wait_until(lambda: any(each.waits is not None for each in served.sessions()))
    client.post(paths["bell"])
    assert served.wait_all(1)[0].session.result == 1


def test_a_repeat_is_not_waited_for(served: Served, client: httpx.Client) -> None:
    """The repeat of a delivery gets 202 and the first event's id: its answer has been given."""
    paths = deploy(served, "def main(event):\n    http_outcome(body='a')\n")
    first = client.post(paths["ask"], headers={"Idempotency-Key": "k"})
    again = client.post(paths["ask"], headers={"Idempotency-Key": "k"})
    assert (first.text, again.status_code) == ("a", 202)
    assert first.headers["autokitteh-event-id"] == again.headers["autokitteh-event-id"]
