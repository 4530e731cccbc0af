"""Webhooks over real HTTP: what the code gets, what the sender gets, and what is kept."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from autokitteh_server.config import HttpSettings
from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.storage import deployments, events
from postgres_cluster import Cluster
from served import Served, listening, serving

ECHO = """
def main(event):
    print(event.data)
    return {"data": event.data, "type": event.event_type}
"""


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


def test_a_request_becomes_an_event_and_a_session(served: Served, client: httpx.Client) -> None:
    """The sender gets 202 and the event's id; the session gets exactly what was sent."""
    slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
    reply = client.post(
        f"/webhooks/{slug}/a%20b/c?k=v&k=w&e=",
        json={"n": 1},
        headers=[("X-GitHub-event", "p"), ("x-two", "1"), ("X-Two", "2")],
    )
    assert (reply.status_code, reply.content, reply.headers["cache-control"]) == (202, b"", "no-cache")
    (result,) = served.wait_all(1)
    assert result.session.event_id == reply.headers["autokitteh-event-id"]
    data = result.session.result["data"]
    assert result.session.result["type"] == "post"
    assert data["method"] == "POST"
    assert data["raw_url"] == f"/webhooks/{slug}/a%20b/c?k=v&k=w&e="
    assert data["url"] == {
        "path": f"/webhooks/{slug}/a b/c",
        "path_suffix": "a b/c",
        "query": {"k": "v, w", "e": ""},
        "raw_query": "k=v&k=w&e=",
        "fragment": "",
        "raw_fragment": "",
    }
    assert data["headers"]["X-Github-Event"] == "p"
    assert data["headers"]["X-Two"] == "1, 2"
    assert data["headers"]["Content-Type"] == "application/json"
    assert "Host" not in data["headers"]
    assert data["trailers"] == {}
    assert data["body"] == {"bytes": b'{"n":1}', "text": '{"n":1}', "json": {"n": 1}, "form": None}


def test_any_method_and_no_body(served: Served, client: httpx.Client) -> None:
    """Every method is taken, known or not; what is not there is None."""
    slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
        assert client.request(method, f"/webhooks/{slug}").status_code == 202, method
    results = served.wait_all(6)
    assert [each.session.result["type"] for each in results] == ["get", "head", "put", "delete", "options", "propfind"]
    assert results[0].session.result["data"]["body"] == {"bytes": None, "text": None, "json": None, "form": None}
    assert results[0].session.result["data"]["url"]["path_suffix"] == ""


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2", {"form": {"a": "1, 2", "b": "x y"}, "json": None}),
        ("APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8", b"a=%ff", {"form": {"a": "\ufffd"}}),
        ("text/plain", b"[1, 2", {"text": "[1, 2", "json": None, "form": None}),
        ("text/plain", b"12", {"text": "12", "json": 12}),
        ("application/json", b'{"a": NaN}', {"json": None}),
        ("application/json", b'{"a": 1e400}', {"json": None}),
        ("application/json", b'{"a": 1e300}', {"json": {"a": 1e300}}),
        ("application/json", b"\xff\xfe", {"bytes": b"\xff\xfe", "text": None, "json": None}),
        ("application/json", b"[" * 5000 + b"]" * 5000, {"json": None}),
        ("application/json", b"1" * 5000, {"json": None}),
        ("application/json", b'"' + b"[" * 300 + b'"', {"json": "[" * 300}),
        ("application/json", b'{"a": "\\ud800", "b": "\\u0000"}', {"json": {"a": "\ud800", "b": "\0"}}),
    ],
)
def test_bodies(
    served: Served, client: httpx.Client, content_type: str, body: bytes, expected: dict[str, object]
) -> None:
    """Whatever the body is, the event is taken, and its parts are those that can be read."""
    slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
    assert client.post(f"/webhooks/{slug}", content=body, headers={"content-type": content_type}).status_code == 202
    (event,) = served.events()
    got = event.data["body"]
    assert {name: got[name] for name in expected} == expected
    assert served.wait_all(1)[0].state == "COMPLETED"


def test_what_is_refused(tmp_path: Path) -> None:
    """A body that is too large, a key that is none, a slug that is not known: nothing is stored."""
    http = HttpSettings(addr="127.0.0.1:0", webhook_body_bytes=100)
    with serving(tmp_path, http=http) as served, listening(served) as client:
        slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
        refused = [
            client.post(f"/webhooks/{slug}", content=b"x" * 101),
            client.post(f"/webhooks/{slug}", content=iter([b"x" * 60, b"x" * 60])),
            client.post(f"/webhooks/{slug}", headers={"Idempotency-Key": "k" * 256}),
            client.post(f"/webhooks/{slug}", headers={"Idempotency-Key": ""}),
            client.post(f"/webhooks/{'0' * 26}"),
            client.post("/webhooks/"),
        ]
        assert [each.status_code for each in refused] == [413, 413, 400, 400, 404, 404]
        assert served.events() == []
        assert client.post(f"/webhooks/{slug}", content=b"x" * 100).status_code == 202


@pytest.mark.postgres
def test_a_database_that_is_away(tmp_path: Path, own_cluster: Cluster) -> None:
    """The sender is told to try again, and not what is wrong; nothing was accepted."""
    url = own_cluster.url(own_cluster.create_database())
    with serving(tmp_path, db=url) as served, listening(served) as client:
        slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
        own_cluster.stop()

        for refused in (client.post(f"/webhooks/{slug}", content=b"x"), client.get("/store/no/thing")):
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "2"
            assert refused.json()["error"]["code"] == "unavailable"
            assert "postgres" not in refused.text


def test_a_server_that_stops(served: Served, client: httpx.Client) -> None:
    """What comes when no more is taken is not lost silently: its sender is told to try again."""
    slug = served.deploy(ECHO, served.webhook())["webhook"].webhook_slug
    served.app.intake.close()

    assert client.post(f"/webhooks/{slug}").status_code == 503


def test_a_project_that_is_not_deployed(served: Served, client: httpx.Client) -> None:
    """The sender gets 404; the event is kept, and says why nothing happened."""
    trigger = served.deploy(ECHO, served.webhook())["webhook"]
    served.database.write(lambda conn: deployments.deactivate(conn, trigger.project_id, now=1))
    assert client.post(f"/webhooks/{trigger.webhook_slug}").status_code == 404
    (event,) = served.events()
    assert [each.kind for each in event.verdicts] == [VerdictKind.NOT_DEPLOYED]
    assert served.sessions() == []


def test_verdicts(served: Served, client: httpx.Client) -> None:
    """Each trigger says what became of the event, and why."""
    found = served.deploy(
        ECHO,
        served.webhook("typed", event_type="put"),
        served.webhook("picky", filter="data.body.json.n > 1"),
        served.webhook("failing", filter="data.nothing.here == 1"),
        served.webhook("quiet", call=""),
        served.webhook("paused", is_paused=True),
        served.webhook("plain"),
    )
    verdicts = {}
    for name, trigger in found.items():
        reply = client.post(f"/webhooks/{trigger.webhook_slug}", json={"n": 1})
        assert reply.status_code == 202
        (verdicts[name],) = served.event(reply.headers["autokitteh-event-id"]).verdicts
    assert {name: each.kind for name, each in verdicts.items()} == {
        "typed": VerdictKind.TYPE_DIFFERS,
        "picky": VerdictKind.FILTER_FALSE,
        "failing": VerdictKind.FILTER_FAILED,
        "quiet": VerdictKind.NO_CALL,
        "paused": VerdictKind.PAUSED,
        "plain": VerdictKind.STARTED,
    }
    assert "nothing" in verdicts["failing"].detail
    (session,) = served.sessions()
    assert verdicts["plain"].session_id == session.id
    assert (session.trigger_id, session.deployment_id is not None) == (found["plain"].id, True)


def test_a_repeat_starts_nothing(served: Served, client: httpx.Client) -> None:
    """The same Idempotency-Key at the same webhook gives the first event's id; at another it is another event."""
    found = served.deploy(ECHO, served.webhook("one"), served.webhook("two"))
    key = {"Idempotency-Key": "delivery 1"}
    first = client.post(f"/webhooks/{found['one'].webhook_slug}", headers=key)
    again = client.post(f"/webhooks/{found['one'].webhook_slug}", headers=key)
    other = client.post(f"/webhooks/{found['two'].webhook_slug}", headers=key)
    ids = [each.headers["autokitteh-event-id"] for each in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert [each.status_code for each in (first, again, other)] == [202, 202, 202]
    assert len(served.wait_all(2)) == 2
    assert served.events()[0].key == "delivery 1"


def test_a_key_is_forgotten_after_a_day(served: Served, client: httpx.Client) -> None:
    """After 24 hours the same key is another event."""
    trigger = served.deploy(ECHO, served.webhook())["webhook"]
    day = 24 * 3600 * 1_000_000

    def remember(event_id: str, now: int) -> str:
        keyed = [events.Keyed(trigger.id, "k", event_id)]
        return served.database.write(lambda conn: events.remember_keys(conn, keyed, now=now))[trigger.id, "k"]

    assert [remember("evt_1", 0), remember("evt_2", day - 1), remember("evt_3", day), remember("evt_4", day)] == [
        "evt_1", "evt_1", "evt_3", "evt_3",
    ]  # fmt: skip


def test_many_at_once(served: Served, client: httpx.Client) -> None:
    """Requests of many senders at once each become one event and one session."""
    slug = served.deploy("def main(event):\n    return event.data.body.json.n\n", served.webhook())[
        "webhook"
    ].webhook_slug
    threads = [threading.Thread(target=lambda n=n: client.post(f"/webhooks/{slug}", json={"n": n})) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.session.result for each in served.wait_all(40)) == list(range(40))
    assert len(served.events()) == 40
