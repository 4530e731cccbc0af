"""YouTube's hub is told, or channels' feeds are asked: against a stand-in over real HTTP."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.webhook import Found
from autokitteh_server.integrations.youtube.feed import FEED, poll
from autokitteh_server.integrations.youtube.spec import SPEC
from autokitteh_server.integrations.youtube.webhook import WEBHOOK
from deliveries import refusal, take
from unit.integrations.feeds import PUBLIC_URL, Connection, serving
from unit.integrations.youtube_service import TOPIC, YouTube, entry, gone

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

DAY_US = 86_400_000_000


@pytest.fixture
def youtube() -> Iterator[tuple[YouTube, Connection]]:
    """YouTube, and a connection that wants two channels."""
    service = YouTube()
    with serving(service.answer) as url:
        yield service, Connection(url, SPEC.api, {"ChannelIDs": "UC1, UC2,UC1"})


def polled(connection: Connection) -> list[Found]:
    """Ask, and keep how far it came."""
    news = poll(connection.line(), 0)
    connection.keep(news.variables)
    return list(news.events)


def told(service: YouTube, connection: Connection) -> None:
    """Tell the hub, in as many steps as that takes."""
    for _ in range(2):
        connection.keep(connection.tell(FEED).variables)
    assert set(service.told) == {f"{TOPIC}UC1", f"{TOPIC}UC2"}


def test_the_secret_is_stored_before_the_hub_is_told(youtube: tuple[YouTube, Connection]) -> None:
    """The hub asks back at once."""
    service, connection = youtube
    first = FEED.prepare(connection.line())

    assert service.asked == []
    connection.keep(first)
    told = connection.tell(FEED)
    assert told.renew_at == connection.now + 5 * DAY_US // 2
    assert set(first) | set(told.variables) <= set(SPEC.learns)
    form = service.told[f"{TOPIC}UC1"]
    assert form["hub.callback"] == f"{PUBLIC_URL}/youtube/webhook/con_1"
    assert (form["hub.mode"], form["hub.verify"], form["hub.lease_seconds"]) == ("subscribe", "async", "432000")
    assert form["hub.secret"] == connection.variables["HubSecret"] == "con1secret1"
    assert "con1secret1" not in form["hub.verify_token"]


def test_the_hub_asks_back(youtube: tuple[YouTube, Connection]) -> None:
    """For a topic that it was told, at the address that it was told, it gets its challenge back."""
    service, connection = youtube
    told(service, connection)
    for topic in service.told:
        call = service.ask_back(topic)
        reply = take(WEBHOOK, call, *connection.secrets_for(WEBHOOK, call.path)).reply
        assert (reply.status, reply.body) == (200, b"4711")
        assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "changes",
    [{"topic": TOPIC + "UC9"}, {"verify_token": "x"}, {"mode": "unsubscribe"}, {"mode": "denied"}, {"challenge": ""}],
    ids=str,
)
def test_nothing_else_is_confirmed(youtube: tuple[YouTube, Connection], changes: dict[str, str]) -> None:
    """Anybody can ask: of topics that we have not asked for, or to have one ended."""
    service, connection = youtube
    told(service, connection)
    call = service.ask_back(f"{TOPIC}UC1", **changes)

    assert refusal(WEBHOOK, call, *connection.secrets_for(WEBHOOK, call.path)) == 403


def test_another_connections_question(youtube: tuple[YouTube, Connection]) -> None:
    """What one connection was told is no proof at another one's address."""
    service, connection = youtube
    told(service, connection)
    call = service.ask_back(f"{TOPIC}UC1")
    other = Connection(connection.url, id="con_2", variables={"HubSecret": "other"})

    assert refusal(WEBHOOK, replace(call, path="webhook/con_2"), *other.secrets_for(WEBHOOK, call.path)) == 403


def test_what_is_told_fits_what_comes(youtube: tuple[YouTube, Connection]) -> None:
    """With what it was told, the hub sends what is taken, and is the connection's."""
    service, connection = youtube
    told(service, connection)
    first = service.post(connection, f"{TOPIC}UC1", entry("a"), gone("b"))
    again = service.post(connection, f"{TOPIC}UC1", entry("a"))
    changed = service.post(connection, f"{TOPIC}UC1", entry("a", title="new", updated="2025-01-02T00:00:00.123456789Z"))

    assert [(each.event_type, each.data["video_id"]) for each in first] == [
        ("video_published", "a"),
        ("video_deleted", "b"),
    ]
    assert len({each.key for each in (*first, *again, *changed)}) == 3


def test_the_secret_stays(youtube: tuple[YouTube, Connection]) -> None:
    """When the hub is told again, what is under way still fits."""
    service, connection = youtube
    told(service, connection)
    told(service, connection)

    assert connection.variables["HubSecret"] == "con1secret1"


def test_polls_give_what_is_new(youtube: tuple[YouTube, Connection]) -> None:
    """The first one only begins; then each video comes once, the oldest first, of each channel."""
    service, connection = youtube
    service.publish("old", day=1)
    assert polled(connection) == []
    service.publish("a", day=3)
    service.publish("b", day=4)
    service.publish("c", "UC2", day=2)
    found = polled(connection)

    assert [each.data["video_id"] for each in found] == ["a", "b", "c"]
    assert found[0].data == {
        "video_id": "a",
        "channel_id": "UC1",
        "title": "A & B",
        "author": "Ada",
        "link": "https://www.youtube.com/watch?v=a",
        "published": "2025-01-03T10:00:00+00:00",
        "updated": "2025-01-03T10:00:00+00:00",
    }
    assert polled(connection) == []


def test_a_channel_that_is_new(youtube: tuple[YouTube, Connection]) -> None:
    """What it has already is not new; what the others have is not lost."""
    service, connection = youtube
    connection.variables["ChannelIDs"] = "UC1"
    polled(connection)
    service.publish("a", day=2)
    service.publish("b", "UC2", day=2)
    connection.variables["ChannelIDs"] = "UC1,UC2"

    assert [each.data["video_id"] for each in polled(connection)] == ["a"]


def test_a_video_that_is_deleted_moves_nothing(youtube: tuple[YouTube, Connection]) -> None:
    """If the newest one goes, older ones do not come again."""
    service, connection = youtube
    polled(connection)
    service.publish("a", day=2)
    service.publish("b", day=3)
    polled(connection)
    service.videos["UC1"].pop(0)

    assert polled(connection) == []


def test_what_cannot_be_asked(youtube: tuple[YouTube, Connection]) -> None:
    """A channel that there is not, an answer that is no feed, a hub that refuses: nothing is stored."""
    service, connection = youtube
    connection.variables["ChannelIDs"] = "UC9"
    with pytest.raises(ServiceError, match="does not know"):
        poll(connection.line(), 0)
    for answer in (
        b"<html/>",
        b"{}",
        b"",
        b'<!DOCTYPE x [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom"/>',
    ):
        service.answer = lambda asked, answer=answer: (200, answer)  # type: ignore[method-assign, misc]
        with serving(lambda asked: service.answer(asked)) as url, pytest.raises(ServiceError, match="not what its API"):
            poll(replace(connection, url=url).line(), 0)
    connection.variables["HubSecret"] = "s"
    with serving(lambda asked: (422, b"no")) as url, pytest.raises(ServiceError):
        replace(connection, url=url).tell(FEED)


def test_which_channels() -> None:
    """Without any there are no events, and it is said why. The field takes some, with commas."""
    (oauth, _) = SPEC.auth
    (field,) = oauth.fields

    assert "channel_ids" in FEED.why_not({}) and "channel_ids" in FEED.why_not({"ChannelIDs": " , "})
    assert FEED.why_not({"ChannelIDs": "UC1"}) == ""
    assert field.is_optional
    for text, fits in {
        "UC_x-1": True,
        "UC1, UC2": True,
        "UC1 UC2": False,
        "a&b": False,
        ",".join("a" * 21): False,
    }.items():
        assert bool(re.fullmatch(field.pattern, text)) is fits
