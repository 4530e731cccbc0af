"""YouTube's hub at a server as `ak up` makes it: it is told, asks back over HTTP, sends; and feeds where it cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autokitteh_server.config import HttpSettings
from autokitteh_server.core.entities import FeedState
from served import listening
from sources.test_feeds import DAY, MINUTE, PUBLIC, Steps
from unit.integrations.feeds import serving as serving_service
from unit.integrations.youtube_service import ATOM, TOPIC, YouTube, entry, feed, signature


@pytest.fixture
def youtube() -> Iterator[tuple[YouTube, str]]:
    """YouTube, and its address."""
    service = YouTube()
    with serving_service(service.answer) as url:
        yield service, url


def steps_of(folder: Path, url: str, http: HttpSettings | None = None) -> Steps:
    """A server with a connection that wants two channels."""
    steps = Steps(folder, **({"http": http} if http else {}))
    token = {"auth_type": "oauth", "oauth_AccessToken": "token"}
    steps.connect("youtube", base_url=url, ChannelIDs="UC1,UC2", **token)
    return steps


def test_the_hub_is_told_and_sends(tmp_path: Path, youtube: tuple[YouTube, str]) -> None:
    """The secret first, then the hub, which asks back and sends. Its lease is renewed when half of it is over."""
    service, url = youtube
    steps = steps_of(tmp_path, url, PUBLIC)
    with steps.served.app, listening(steps.served) as client:
        steps.served.app.intake.open()
        steps.step()
        assert service.told == {} and steps.values()["HubSecret"]
        steps.pass_time(MINUTE)
        assert steps.step().state is FeedState.PUSHED
        assert set(service.told) == {f"{TOPIC}UC1", f"{TOPIC}UC2"}

        asked = service.ask_back(f"{TOPIC}UC1")
        reply = client.get(asked.url.removeprefix("https://ak.example.com"))
        assert (reply.status_code, reply.text) == (200, "4711")
        other = service.ask_back(f"{TOPIC}UC1", topic="urn:other")
        assert client.get(other.url.removeprefix("https://ak.example.com")).status_code == 403

        body = feed(entry("a"))
        headers = {"content-type": ATOM, "x-hub-signature": signature(steps.values()["HubSecret"], body)}
        for _ in range(2):
            assert client.post(f"/youtube/webhook/{steps.id}", content=body, headers=headers).status_code == 200
        assert steps.types() == ["video_published"]

        service.told.clear()
        steps.pass_time(3 * DAY)
        steps.step()
        assert len(service.told) == 2


def test_feeds_are_asked_without_an_address(tmp_path: Path, youtube: tuple[YouTube, str]) -> None:
    """Every five minutes; each new video is an event, once."""
    service, url = youtube
    steps = steps_of(tmp_path, url)
    with steps.served.app:
        service.publish("old")
        assert steps.step().state is FeedState.POLLED
        service.publish("a", day=2)
        for _ in range(2):
            steps.pass_time(5 * MINUTE)
            steps.step()

        assert [event.data["video_id"] for event in steps.events()] == ["a"]
        assert service.told == {}
