"""Microsoft Graph, which calls the server while it is told of it: over real HTTP in both directions."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from autokitteh_server.core.entities import FeedState
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.storage import variables
from harness import PATIENCE_S
from served import listening, serving
from sources.steps import MINUTE, PUBLIC, Steps
from unit.integrations.feeds import serving as serving_service
from unit.integrations.graph_service import CHANNEL, CHAT, TOKEN, Graph, Heard

CREATED: dict[str, Any] = load_sample("microsoft_teams", "chatmessage_created")
UPDATED: dict[str, Any] = load_sample("microsoft_teams", "chatmessage_updated")


@dataclass
class Town:
    """A server that does nothing by itself but to take what comes in, and Graph, which calls it."""

    steps: Steps
    graph: Graph
    client: httpx.Client
    url: str  # of Graph

    def connect(self, resource: str) -> None:
        self.steps.connect("microsoft_teams", **usual(self.url, resource))

    def step(self) -> FeedState:
        """Do what is due; if that only prepares what is told, then that, too."""
        self.graph.now = self.steps.clock.now_us()
        after = self.steps.step()
        if after.state is not FeedState.STARTING:
            return after.state
        self.steps.pass_time(2_000_000)
        return self.step()


def usual(url: str, resource: str) -> dict[str, str]:
    """The variables of a connection that listens to this."""
    return {"auth_type": "oauthDefault", "oauth_access_token": TOKEN, "base_url": url, "resource": resource}


def caller(client: httpx.Client) -> Any:
    """What Graph calls with: the same paths, where the server is really."""

    def call(url: str, content_type: str, body: bytes) -> Heard:
        parts = urlsplit(url)
        headers = {"content-type": content_type}
        reply = client.post(f"{parts.path}?{parts.query}", content=body, headers=headers)
        return Heard(reply.status_code, reply.headers.get("content-type", ""), reply.content)

    return call


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    steps = Steps(tmp_path, http=PUBLIC)
    with steps.served.app, listening(steps.served) as client:
        steps.served.app.intake.open()
        graph = Graph(caller(client), steps.clock.now_us())
        with serving_service(graph.answer) as url:
            yield Town(steps, graph, client, url)


def test_a_message_becomes_a_session(tmp_path: Path) -> None:
    """The server subscribes by itself, answers while it is asked back, and code gets what is posted, once."""
    with serving(tmp_path, http=PUBLIC) as served, listening(served) as client:
        graph = Graph(caller(client), int(time.time() * 1_000_000))
        with serving_service(graph.answer) as url:
            served.connect("microsoft_teams", usual(url, CHANNEL), filter="data.resourceData.id == '1732897805123'")
            with graph.changed:
                assert graph.changed.wait_for(lambda: bool(graph.there), PATIENCE_S)
            until = time.monotonic() + PATIENCE_S
            while not served.events() and time.monotonic() < until:  # until the secret is stored, it is dropped
                assert graph.happens(CHANNEL, CREATED) == [200]
            assert graph.happens(CHANNEL, CREATED) == [200]
            (result,) = served.wait_all(1)

    assert result.session.result["type"] == "chatmessage_created"
    data = result.session.result["data"]
    assert data["resource"] == CREATED["resource"]
    assert "clientState" not in data


def test_who_is_believed(town: Town) -> None:
    """Graph is: by the text that it was given. The question is answered for connections that there are."""
    town.connect(CHANNEL)
    path = f"/microsoft_teams/event/{town.steps.id}"
    assert town.client.post(f"{path}?validationToken=a+b").text == "a b"
    assert town.client.post("/microsoft_teams/event/con_gone?validationToken=a").status_code == 404
    assert town.client.post(path, json={"value": [CREATED]}).status_code == 200  # and is dropped

    assert town.step() is FeedState.PUSHED
    reply = town.client.post(f"{path}?validationToken=a+b")
    assert (reply.status_code, reply.headers["content-type"], reply.text) == (200, "text/plain; charset=utf-8", "a b")
    assert town.client.post(f"{path}?validationToken=%3Cb%3E").status_code == 400
    assert town.client.post(path, json={"value": [CREATED]}).status_code == 401
    assert town.client.post(path, json={"value": [{**CREATED, "clientState": "x"}]}).status_code == 401
    assert town.steps.events() == []

    assert town.graph.happens(CHANNEL, CREATED) == [200]
    assert town.steps.types() == ["chatmessage_created"]
    found = town.steps.served.database.read(lambda conn: variables.find(conn, town.steps.id, "ClientState"))
    assert found is not None and found.is_secret


def test_the_end_of_a_subscription(town: Town) -> None:
    """Graph says that it is over, or soon will be: it is told anew at once, and not only when that was due."""
    town.connect(CHANNEL)
    town.step()
    state = town.steps.values()["ClientState"]
    for event, expected in (("reauthorizationRequired", ["sub-1"]), ("subscriptionRemoved", ["sub-2"])):
        town.steps.pass_time(MINUTE)
        feed = town.steps.look()
        assert feed is not None and feed.next_at is not None
        assert feed.next_at > town.steps.clock.now_us()

        assert town.graph.ends(CHANNEL, event) == [200]

        assert town.step() is FeedState.PUSHED
        assert list(town.graph.there) == expected
    assert town.steps.values()["ClientState"] == state
    assert town.graph.calls.count("PATCH sub-1") == 2
    assert town.graph.happens(CHANNEL, UPDATED) == [200]
    assert town.steps.types() == ["chatmessage_updated"]


def test_a_permission_that_comes_later(town: Town) -> None:
    """Until somebody gives it the connection says what is missing; then it is told within the hour."""
    town.graph.forbidden.add(CHAT)
    town.connect(f"{CHANNEL}, {CHAT}")
    assert town.step() is FeedState.WAITING
    town.steps.pass_time(MINUTE)
    assert town.step() is FeedState.FAILED
    feed = town.steps.look()
    assert feed is not None and "does not permit what was asked (403" in feed.message
    assert town.graph.there == {}

    town.graph.forbidden.clear()
    town.steps.pass_time(60 * MINUTE)
    assert town.step() is FeedState.PUSHED
    assert [each["resource"] for each in town.graph.there.values()] == [CHANNEL, CHAT]


def test_what_is_listened_to_is_changed(town: Town) -> None:
    """At once, without anybody having to say so; with nothing left, nothing is heard."""
    town.connect(CHANNEL)
    town.step()
    town.steps.pass_time(MINUTE)
    town.steps.set("resource", CHAT)
    assert town.step() is FeedState.PUSHED
    assert [each["resource"] for each in town.graph.there.values()] == [CHAT]

    town.steps.pass_time(MINUTE)
    town.steps.set("resource", "")
    assert town.step() is FeedState.OFF
    assert town.graph.happens(CHAT, CREATED) == [200]
    assert town.steps.events() == []


def test_many_at_a_time(town: Town) -> None:
    """Messages of a channel that come in at once, over several connections of Graph's, are each an event."""
    town.connect(CHANNEL)
    town.step()
    things = [{**CREATED, "resource": f"teams('t')/channels('c')/messages('{n}')"} for n in range(40)]
    threads = [threading.Thread(target=town.graph.happens, args=(CHANNEL, each)) for each in things]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(each.data["resource"] for each in town.steps.events()) == sorted(each["resource"] for each in things)
