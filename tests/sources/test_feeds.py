"""Services that are told and asked, by a server as `ak up` makes it: what is stored, and when it is done again.

Most tests take the steps themselves, at the times that they choose; the last ones leave that to the server.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from autokitteh_server.core.clock import SystemClock
from autokitteh_server.core.entities import FeedState
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.operations import connecting, connections, triggers
from autokitteh_server.operations.manifests import apply_manifest
from autokitteh_server.storage import feeds
from autokitteh_server.storage import variables as stored_variables
from harness import PATIENCE_S
from served import ECHO, PROJECT, listening, serving
from sources.steps import MINUTE, PUBLIC, Steps
from unit.integrations import google_service
from unit.integrations.feeds import Asked
from unit.integrations.feeds import serving as serving_service
from unit.integrations.google_service import CALENDAR, Google, google
from unit.integrations.telegram_service import TOKEN, Telegram

DAY = 24 * 60 * MINUTE
LIST = f"GET /calendar/v3/calendars/{quote(CALENDAR)}/events"


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Steps]:
    """A server that nobody can reach."""
    steps = Steps(tmp_path)
    with steps.served.app:
        yield steps


@pytest.fixture
def either(tmp_path: Path, store_url: str) -> Iterator[Steps]:
    """The same, on SQLite and on PostgreSQL."""
    steps = Steps(tmp_path, db=store_url)
    with steps.served.app:
        yield steps


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Steps]:
    """A server that services can reach."""
    steps = Steps(tmp_path, http=PUBLIC)
    with steps.served.app:
        yield steps


@pytest.fixture
def there() -> Iterator[Google]:
    with google() as there:
        yield there


def connect_calendar(steps: Steps, there: Google, **values: str) -> None:
    usual = {"auth_type": "oauth", "user_email": "ops@acme.com", "CalendarID": CALENDAR}
    usual["oauth_AccessToken"] = google_service.TOKEN
    steps.connect("googlecalendar", base_url=there.fake.url, **(usual | values))


def test_a_service_is_asked_where_it_cannot_be_told(private: Steps, there: Google) -> None:
    """The first poll only finds out where to begin; then each change is an event, once, and comes every minute."""
    connect_calendar(private, there)
    there.change_event("before")
    first = private.step()
    assert (first.state, private.events()) == (FeedState.POLLED, [])
    assert "every 60 s: the server has no public address" in first.message

    there.change_event("a")
    private.pass_time(MINUTE)
    private.step()
    private.pass_time(MINUTE)
    there.change_event("a", status="cancelled")
    private.step()

    assert private.types() == ["event_created", "event_deleted"]
    assert private.events()[0].data["id"] == "a"
    assert private.look().next_at == private.clock.now_us() + MINUTE  # type: ignore[union-attr]


def test_it_is_not_asked_too_early(private: Steps, there: Google) -> None:
    connect_calendar(private, there)
    feed = private.step()
    assert feed.next_at == private.clock.now_us() + MINUTE


def test_a_service_is_told_and_asked_what_is_new(public: Steps, there: Google) -> None:
    """A channel is opened, renewed before it expires, and when the server has another address."""
    connect_calendar(public, there)
    told = public.step()
    assert told.state is FeedState.PUSHED
    first = public.values()["CalendarEventsWatchID"]
    assert there.channels[first]["address"] == "https://ak.example.com/googlecalendar/notif"

    public.pass_time(4 * DAY)
    public.step()
    second = public.values()["CalendarEventsWatchID"]
    assert second != first and set(there.channels) == {second}


def test_a_call_has_the_service_asked_at_once(public: Steps, there: Google) -> None:
    """Its answer to the call does not wait for that."""
    connect_calendar(public, there)
    public.step()
    there.change_event("a")
    with listening(public.served) as client:
        values = public.values()
        headers = {
            "x-goog-channel-id": values["CalendarEventsWatchID"],
            "x-goog-channel-token": values["CalendarEventsWatchToken"],
            "x-goog-resource-state": "exists",
            "x-goog-message-number": "2",
        }
        assert client.post("/googlecalendar/notif", headers=headers).status_code == 200
        assert client.post("/googlecalendar/notif", headers={**headers, "x-goog-channel-token": "x"}).status_code == 403
    assert public.events() == []
    public.step()
    assert public.types() == ["event_created"]


def test_a_hurry_during_a_step_is_not_lost(private: Steps, there: Google) -> None:
    """Something is said to be new while the service is asked: it is asked once more."""
    connect_calendar(private, there)
    private.step()
    private.pass_time(MINUTE)
    feed = private.look()
    assert feed is not None
    until = private.clock.now_us() + MINUTE
    database = private.served.database
    assert database.write(lambda conn: feeds.claim(conn, feed, until))
    database.write(lambda conn: feeds.hurry(conn, [private.id], private.clock.now_us()))
    private.served.app.service_events.feeding.step(feed, until)
    assert private.look().next_at == private.clock.now_us()  # type: ignore[union-attr]


def test_only_one_of_two_who_ask_stores_what_is_new(either: Steps, there: Google) -> None:
    """While one has its answer and has not stored it, another one asks, stores, and is done."""
    connect_calendar(either, there)
    either.step()
    there.change_event("a")
    either.pass_time(MINUTE)
    feed = either.look()
    assert feed is not None
    answer = there.fake.routes[LIST]
    assert callable(answer)

    def with_another(asked: Any) -> Any:
        there.fake.routes[LIST] = answer
        either.served.app.service_events.feeding.step(feed, either.clock.now_us() + MINUTE)
        return answer(asked)

    there.fake.routes[LIST] = with_another
    after = either.served.app.service_events.feeding.step(feed, either.clock.now_us() + MINUTE)
    assert either.types() == ["event_created"]
    assert after is not None and after.next_at == either.clock.now_us()


def test_another_calendar_has_another_beginning(private: Steps, there: Google) -> None:
    """How far it had come with the one before means nothing."""
    connect_calendar(private, there)
    private.step()
    place = private.values()["CalendarEventsSyncToken"]
    private.pass_time(MINUTE)
    private.set("CalendarID", "other")
    there.fake.routes["GET /calendar/v3/calendars/other/events"] = {"nextSyncToken": "other-1", "items": [{"id": "x"}]}
    private.step()
    assert private.values()["CalendarEventsSyncToken"] == "other-1" != place
    assert private.events() == []


def test_a_service_that_is_away_is_tried_again(private: Steps, there: Google) -> None:
    """Later and later; what has happened meanwhile comes then."""
    connect_calendar(private, there)
    private.step()
    answer = there.fake.routes[LIST]
    there.fake.routes[LIST] = (503, {})
    there.change_event("a")
    private.pass_time(MINUTE)
    pauses = []
    for _ in range(4):
        after = private.step()
        assert after.state is FeedState.WAITING
        assert after.next_at is not None
        pauses.append((after.next_at - private.clock.now_us()) // 1_000_000)
        private.pass_time(after.next_at - private.clock.now_us())
    assert pauses == [5, 10, 20, 40]
    assert "has a problem of its own (503)" in after.message

    there.fake.routes[LIST] = answer
    assert private.step().state is FeedState.POLLED
    assert private.types() == ["event_created"]


def test_calls_do_not_shorten_the_pause_after_a_failure(private: Steps, there: Google) -> None:
    """A service that is asked too often may well go on calling. Afterwards it is asked once more."""
    connect_calendar(private, there)
    private.step()
    answer = there.fake.routes[LIST]
    there.fake.routes[LIST] = (429, {})
    private.pass_time(MINUTE)
    waiting = private.step()
    database = private.served.database
    database.write(lambda conn: feeds.hurry(conn, [private.id], private.clock.now_us()))
    assert private.look() == waiting
    assert waiting.next_at is not None and waiting.next_at > private.clock.now_us()

    there.fake.routes[LIST] = answer
    private.clock.reach(waiting.next_at)
    again = private.step()
    assert again.next_at is not None and again.next_at <= private.clock.now_us() + 1_000_000
    private.clock.reach(again.next_at)
    assert private.step().next_at == private.clock.now_us() + MINUTE


def test_a_refused_token_waits_for_somebody(private: Steps, there: Google) -> None:
    """It is tried a second time, in case the token was taken back just now; a new one is tried at once."""
    connect_calendar(private, there)
    answer = there.fake.routes[LIST]
    there.fake.routes[LIST] = (401, {})
    assert private.step().state is FeedState.WAITING
    private.pass_time(5_000_000)
    failed = private.step()
    assert failed.state is FeedState.FAILED
    assert failed.next_at == private.clock.now_us() + 60 * MINUTE
    shown = connecting.get(private.served.services, private.id).events
    assert shown is not None and (shown.state, shown.since) == (FeedState.FAILED, private.clock.now_us())

    there.fake.routes[LIST] = answer
    private.pass_time(MINUTE)
    private.set("user_email", "ops@acme.com")  # as it is once it was connected anew
    assert private.step().state is FeedState.POLLED


def test_what_lacks_something_says_what(private: Steps, there: Google) -> None:
    connect_calendar(private, there, CalendarID="")
    feed = private.step()
    assert feed.state is FeedState.OFF
    assert "cal_id" in feed.message


def test_nobody_is_asked_for_events_that_nobody_wants(private: Steps, there: Google) -> None:
    """Without a trigger there is no feed; when there is one again, it begins anew."""
    connect_calendar(private, there)
    private.step()
    assert "CalendarEventsSyncToken" in private.values()
    triggers.delete(private.served.services, f"{PROJECT}/on_conn")
    assert private.look() is None
    assert "CalendarEventsSyncToken" not in private.values()
    shown = connecting.get(private.served.services, private.id).events
    assert shown is not None and "nobody waits for any" in shown.message


def manifest_with(integration: str) -> str:
    """A project whose one connection is to this service, and gets events."""
    return f"""
version: v2
project:
  name: {PROJECT}
  connections:
    - {{name: conn, integration: {integration}}}
  triggers:
    - {{name: on_conn, connection: conn, call: program.py:main}}
"""


@pytest.mark.parametrize(("before", "after"), [("discord", "telegram"), ("telegram", "discord")])
def test_a_connection_to_another_service_begins_anew(private: Steps, before: str, after: str) -> None:
    """One is held open, and the other asked: what is stored of the first would keep the second from its events."""
    private.served.deploy(ECHO)
    apply_manifest(private.served.services, parse_manifest(manifest_with(before)))
    private.id = connections.get(private.served.services, f"{PROJECT}/conn").id
    assert private.look() is not None
    apply_manifest(private.served.services, parse_manifest(manifest_with(after)))
    feed = private.look()
    assert feed is not None
    assert (feed.next_at is None) is (after == "discord")


def test_a_connection_that_is_removed_meanwhile_leaves_nothing(public: Steps, there: Google) -> None:
    """Its service has answered, and there is nobody any more whose variables that would be."""
    connect_calendar(public, there)
    services = public.served.services
    watch = f"POST /calendar/v3/calendars/{quote(CALENDAR)}/events/watch"
    answer = there.fake.routes[watch]
    assert callable(answer)

    def without_connection(asked: Any) -> Any:
        triggers.delete(services, f"{PROJECT}/on_conn")
        connections.delete(services, public.id)
        return answer(asked)

    there.fake.routes[watch] = without_connection
    feed = public.look()
    assert feed is not None
    assert public.served.app.service_events.feeding.step(feed, public.clock.now_us() + MINUTE) is None
    assert public.served.database.read(lambda conn: stored_variables.of_owners(conn, [public.id])) == []


def test_variables_from_the_future_are_not_new_for_ever(public: Steps, there: Google) -> None:
    """Somebody has set the clock back since they were stored: the service is told once, and not every ten seconds."""
    connect_calendar(public, there)
    var = public.served.database.read(lambda conn: stored_variables.find(conn, public.id, "CalendarID"))
    assert var is not None
    later = replace(var, updated_at=public.clock.now_us() + DAY)
    public.served.database.write(lambda conn: stored_variables.put(conn, later))
    public.step()
    channels = set(there.channels)
    feed = public.look()
    assert feed is not None and feed.registered_url and feed.next_at is not None
    assert feed.next_at > public.clock.now_us()
    assert set(there.channels) == channels


def test_an_answer_that_nobody_foresaw(private: Steps, there: Google) -> None:
    connect_calendar(private, there)
    there.fake.routes[LIST] = {"items": 5, "nextSyncToken": ["x"]}
    feed = private.step()
    assert feed.state in (FeedState.WAITING, FeedState.FAILED)
    assert private.events() == []


# The server by itself


@pytest.fixture
def telegram() -> Iterator[tuple[Telegram, str]]:
    """A bot at Telegram, and where that is."""
    service = Telegram()
    with serving_service(service.answer) as url:
        yield service, url


class Watched(SystemClock):
    """Notes for how long feeds are left alone."""

    def __init__(self) -> None:
        self.waits: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait(self, condition: threading.Condition, *, until_us: int, idle: bool) -> None:
        if threading.current_thread().name == "feeds":
            self.waits.put(until_us - self.now_us())
        super().wait(condition, until_us=until_us, idle=idle)


def test_nobody_looks_again_and_again_while_a_service_is_asked(tmp_path: Path) -> None:
    """What is said to be new meanwhile is due, and has to wait for the end of that: nothing is done until then."""
    is_asked, may_answer = threading.Event(), threading.Event()

    def answer(_: Asked) -> tuple[int, Any]:
        is_asked.set()
        assert may_answer.wait(PATIENCE_S)
        return 200, {"ok": True, "result": []}

    clock = Watched()
    with serving_service(answer) as url, serving(tmp_path, clock=clock) as served:
        made = served.connect("telegram", {"auth_type": "botToken", "BotToken": TOKEN, "base_url": url}, BOT)
        try:
            assert is_asked.wait(PATIENCE_S)
            while not clock.waits.empty():
                clock.waits.get()
            served.database.write(lambda conn: feeds.hurry(conn, [made], clock.now_us()))
            served.app.service_events.feeds.changed()
            assert clock.waits.get(timeout=PATIENCE_S) > 1_000_000
        finally:
            may_answer.set()


class Noting(logging.Handler):
    """Notes when something is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.times: queue.SimpleQueue[float] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self.times.put(time.monotonic())


def test_what_cannot_be_claimed_is_tried_again_in_a_while(tmp_path: Path, telegram: tuple[Telegram, str]) -> None:
    """The database can be read, but not written, as on a disk that is full: it stays due, and nobody spins."""
    _, url = telegram
    noting, log = Noting(), logging.getLogger("autokitteh_server.sources.feeds")
    with serving(tmp_path) as served:
        full = "CREATE TRIGGER full BEFORE UPDATE OF next_at ON feeds BEGIN SELECT RAISE(ABORT, 'full'); END"
        served.database.write(lambda conn: conn.exec_driver_sql(full))
        log.addHandler(noting)
        try:
            served.connect("telegram", {"auth_type": "botToken", "BotToken": TOKEN, "base_url": url}, BOT)
            first, *_, last = [noting.times.get(timeout=PATIENCE_S) for _ in range(3)]
        finally:
            log.removeHandler(noting)
        assert last - first > 1.5


class Settable(SystemClock):
    """A clock that is fast by so much."""

    fast_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.fast_us


def test_a_clock_that_is_set_back_does_not_keep_services_from_being_asked(
    tmp_path: Path, telegram: tuple[Telegram, str]
) -> None:
    """When they are to be asked next is stored by the clock as it was."""
    service, url = telegram
    clock = Settable()
    clock.fast_us = DAY
    with serving(tmp_path, clock=clock) as served:
        served.connect("telegram", {"auth_type": "botToken", "BotToken": TOKEN, "base_url": url}, BOT)
        service.happens()
        served.wait_all(1)
        clock.fast_us = 0
        served.app.service_events.feeds.changed()
        service.happens()
        served.wait_all(2)


BOT = """
def main(event):
    return event.data.message.text
"""


def test_a_server_asks_by_itself(tmp_path: Path, telegram: tuple[Telegram, str]) -> None:
    """Updates become sessions; after a restart it goes on where it was."""
    service, url = telegram
    with serving(tmp_path) as served:
        served.connect("telegram", {"auth_type": "botToken", "BotToken": TOKEN, "base_url": url}, BOT)
        for _ in range(250):
            service.happens()
        served.wait_all(250)
    service.happens()
    with serving(tmp_path) as served:
        results = served.wait_all(251)
    assert sorted(int(each.session.result) for each in results) == list(range(1, 252))


def test_a_server_with_an_address_tells(tmp_path: Path, telegram: tuple[Telegram, str]) -> None:
    """Without one it asks again, and nothing is lost in between."""
    service, url = telegram
    with serving(tmp_path) as served:
        served.connect("telegram", {"auth_type": "botToken", "BotToken": TOKEN, "base_url": url}, BOT)
        service.happens()
        served.wait_all(1)
    with serving(tmp_path, http=PUBLIC) as served, listening(served) as client:
        with service.changed:
            assert service.changed.wait_for(lambda: service.webhook is not None, 60)
        assert service.webhook is not None
        path = service.webhook["url"].removeprefix("https://ak.example.com")
        secret = {"x-telegram-bot-api-secret-token": service.webhook["secret_token"]}
        service.happens()
        posted = service.updates[-1]
        assert client.post(path, json=posted, headers=secret).status_code == 200
        assert client.post(path, json=posted, headers={**secret, next(iter(secret)): "x"}).status_code == 401
        served.wait_all(2)
    service.happens()
    with serving(tmp_path) as served:
        results = served.wait_all(3)
    assert sorted(int(each.session.result) for each in results) == [1, 2, 3]
