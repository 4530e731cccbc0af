"""What Google's services are told, and what they are asked, against a stand-in that has a state."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autokitteh_server.core.timestamps import format_time
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.gmail.feed import FEED as GMAIL
from autokitteh_server.integrations.gmail.webhook import WEBHOOK as GMAIL_WEBHOOK
from autokitteh_server.integrations.googlecalendar.feed import FEED as CALENDAR_FEED
from autokitteh_server.integrations.googlecalendar.webhook import WEBHOOK as CALENDAR_WEBHOOK
from autokitteh_server.integrations.googledrive.feed import FEED as DRIVE
from autokitteh_server.integrations.googledrive.webhook import WEBHOOK as DRIVE_WEBHOOK
from autokitteh_server.integrations.googleforms.feed import FEED as FORMS
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.webhook import Found, Webhook, recipients
from deliveries import own, request, take
from sdk.fake_service import Asked, serving
from unit.integrations.google_service import CALENDAR, FORM, START, TOKEN, TOPIC, Google, google, refusal

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

DAY = 86_400_000_000
SECOND = 1_000_000
FEEDS = {"gmail": GMAIL, "googlecalendar": CALENDAR_FEED, "googledrive": DRIVE, "googleforms": FORMS}
SET_UP = {"googlecalendar": {"CalendarID": CALENDAR}, "googleforms": {"FormID": FORM}}


@pytest.fixture(scope="module")
def running() -> Iterator[Google]:
    with google() as there:
        yield there


@pytest.fixture
def there(running: Google) -> Google:
    """Google as on the first day."""
    running.reset()
    return running


class Connection:
    """A connection as a server keeps it: what feeds give is stored, and handed in the next time."""

    def __init__(self, integration: str, url: str, **variables: str) -> None:
        self.integration = integration
        self.feed: Feed = FEEDS[integration]
        self.variables = {"auth_type": "oauth", "oauth_AccessToken": TOKEN, **SET_UP.get(integration, {}), **variables}
        self.environ = {"GMAIL_PUBSUB_TOPIC": TOPIC, "GOOGLE_FORMS_PUBSUB_TOPIC": TOPIC}
        self.polled_at = 0
        self._url = url
        self._numbers = itertools.count()

    def register(self, now: int = START) -> Registration:
        assert self.feed.register is not None
        done = self.feed.register(self._line(now))
        self._store(done.variables)
        return done

    def ask(self, now: int = START) -> News:
        """A poll whose outcome is lost."""
        assert self.feed.poll is not None
        return self.feed.poll(self._line(now), self.polled_at)

    def poll(self, now: int = START) -> tuple[Found, ...]:
        """A poll, and those that it asks for."""
        events: list[Found] = []
        for _ in range(100):
            news = self.ask(now)
            assert set(news.variables) <= set(self.feed.keeps)
            self._store(news.variables)
            self.polled_at = now
            events += news.events
            if not news.has_more:
                return tuple(events)
        raise AssertionError("it never ends")

    def _store(self, given: Mapping[str, str]) -> None:
        assert set(given) <= set(load_integration(self.integration).learns)
        self.variables = {name: value for name, value in {**self.variables, **given}.items() if value}

    def _line(self, now: int) -> Line:
        spec = load_integration(self.integration)
        return Line(
            connection_id="con_1",
            variables=self.variables,
            http=ServiceHttp(now_s=lambda: now // SECOND, api=spec.api, base_url=self._url),
            public_url="https://ak.example.com",
            environ=self.environ,
            now=now,
            new_secret=lambda: f"{next(self._numbers):040}{'x' * 60}",
        )


def connect(there: Google, integration: str, **variables: str) -> Connection:
    return Connection(integration, there.fake.url, **variables)


def has_all_of(sample: Any, data: Any) -> bool:
    """Whether data have all the keys that a sample has, wherever both are objects."""
    if isinstance(sample, dict) and isinstance(data, dict):
        return sample.keys() <= data.keys() and all(has_all_of(sample[name], data[name]) for name in sample)
    return True


def as_in_samples(integration: str, events: tuple[Found, ...]) -> bool:
    return all(has_all_of(load_sample(integration, each.event_type), each.data) for each in events)


def asked(there: Google, start: str) -> list[Asked]:
    return [each for each in there.fake.asked if f"{each.method} {each.path}".startswith(start)]


def calls(webhook: Webhook, connection: Connection, **headers: str) -> tuple[str, ...]:
    """Who is to look, if Google calls by the channel of a connection."""
    prefix = "CalendarEventsWatch" if webhook is CALENDAR_WEBHOOK else "DriveEventsWatch"
    token = connection.variables[f"{prefix}Token"]
    usual = {
        "x-goog-channel-id": connection.variables[f"{prefix}ID"], "x-goog-channel-token": token,
        "x-goog-resource-state": "exists", "x-goog-message-number": "2",
    }  # fmt: skip
    call = request("notif", b"", {**usual, **headers})
    received = take(webhook, call, own(token, f"{prefix}Token"))
    return recipients(webhook, call, received.looks[0], received.proof, {"con_1": connection.variables, "con_2": {}})


# All of them


@pytest.mark.parametrize("integration", FEEDS)
def test_what_is_learnt(integration: str) -> None:
    """What a feed keeps is a variable of its integration; what makes calls believed is secret."""
    spec, feed = load_integration(integration), FEEDS[integration]

    assert set(feed.keeps) <= set(spec.learns)
    assert {name for name in spec.learns if name.endswith("WatchToken")} <= spec.secret_variables


@pytest.mark.parametrize("integration", FEEDS)
def test_the_first_poll(there: Google, integration: str) -> None:
    """What is there already is not new, and neither is nothing."""
    there.change_event("e1")
    there.change_file("f1")
    there.respond("r1", "2025-01-01T10:00:00.1Z")
    connection = connect(there, integration)

    assert connection.poll() == ()
    assert all(connection.variables[name] for name in connection.feed.keeps)
    assert connection.poll(START + SECOND) == ()


@pytest.mark.parametrize("integration", FEEDS)
@pytest.mark.parametrize(
    ("status", "body", "intent"),
    [
        (401, {"error": {"message": "Invalid Credentials"}}, Intent.TERMINAL),
        (403, {"error": {"message": "Insufficient Permission", "errors": [{"reason": "x"}]}}, Intent.TERMINAL),
        (*refusal(403, "Rate Limit Exceeded", "userRateLimitExceeded"), Intent.RETRY),
        (429, {"error": {"message": "Quota exceeded"}}, Intent.RETRY),
        (500, {"error": {"message": "Backend Error"}}, Intent.RETRY),
        (503, "<html>", Intent.RETRY),
        (200, [], Intent.OURS),
        (200, {}, Intent.OURS),
        (200, {"items": [1], "changes": [1], "responses": [1], "history": [1], "id": 1}, Intent.OURS),
        (200, {"items": 1, "changes": 1, "responses": 1, "history": 1, "expiration": "soon"}, Intent.OURS),
        (200, {"historyId": "x", "expiration": "", "resourceId": "r", "startPageToken": []}, Intent.OURS),
    ],
)
def test_refusals(integration: str, status: int, body: object, intent: Intent) -> None:
    """They are raised, with what is to be done about them, in the first poll, a later one, and registrations."""
    known = {"GmailHistoryID": "7", "CalendarEventsSyncToken": "s0", "DriveChangesStartPageToken": "0"}
    known |= {"FormResponsesSeen": f"{FORM} 1970-01-01T00:00:00.000000000Z", "FormRevisionID": "1"}
    with serving({}) as fake:
        fake.answer = lambda _: (status, body)  # type: ignore[method-assign]
        first, later = Connection(integration, fake.url), Connection(integration, fake.url, **known)
        for ask in (first.ask, later.ask, first.register):
            with pytest.raises(ServiceError) as raised:
                ask()
            assert raised.value.intent is intent
            assert TOKEN not in f"{raised.value}"


@pytest.mark.parametrize("integration", FEEDS)
def test_changes_that_are_none(there: Google, integration: str) -> None:
    """Nothing is made of an answer that is not as it should be, and nothing is taken as read."""
    connection = connect(there, integration)
    connection.poll()
    odd = {name: [1] for name in ("items", "changes", "responses", "history")}
    odd |= dict.fromkeys(("nextSyncToken", "newStartPageToken", "historyId", "revisionId"), "9")
    there.fake.routes.update((name, odd) for name in list(there.fake.routes))

    with pytest.raises(ServiceError, match="not what its API answers"):
        connection.ask()


@pytest.mark.parametrize("integration", ["googlecalendar", "googleforms"])
def test_pages_without_end(there: Google, integration: str) -> None:
    """Memory is bounded, whatever a service says."""
    connection = connect(there, integration)
    page = {"nextPageToken": "again", "items": [], "responses": []}
    there.fake.routes.update((name, page) for name in list(there.fake.routes))

    with pytest.raises(ServiceError, match="pages"):
        connection.ask()


@pytest.mark.parametrize("integration", FEEDS)
def test_registrations_are_renewed_in_time(there: Google, integration: str) -> None:
    """Three days before a week is over; and not at once, where Google gives less than was asked for."""
    connection = connect(there, integration)

    assert connection.register().renew_at == START + 4 * DAY
    there.life_ms = 3_600_000
    assert connection.register().renew_at == START + 1800 * SECOND
    there.life_ms = -3_600_000  # by our clock
    if integration != "googleforms":  # whose watches have ended then
        assert connection.register().renew_at == START + 600 * SECOND


# Gmail


def test_a_mailbox(there: Google) -> None:
    """However much is new, there is one event, with where the history has come to."""
    connection = connect(there, "gmail", user_email="ann@acme.com")
    connection.poll()
    there.mail()
    newest = there.mail()

    (event,) = connection.poll(START + SECOND)
    assert event.data == {
        "publish_time": "2025-11-24T16:00:01.000000Z", "email_address": "ann@acme.com", "history_id": newest,
    }  # fmt: skip
    assert as_in_samples("gmail", (event,))
    assert connection.poll(START + 2 * SECOND) == ()


def test_a_mailbox_that_is_pushed_and_polled(there: Google) -> None:
    """Both have the same key, so that nobody hears of it twice."""
    connection = connect(there, "gmail", user_email="ops@acme.com")
    connection.poll()
    newest = there.mail()
    (event,) = connection.poll()

    call = request("notif", {"emailAddress": "ops@acme.com", "historyId": newest})
    (pushed,) = GMAIL_WEBHOOK.parse(call).events
    assert pushed.key == event.key
    assert pushed.match == event.match


def test_a_history_that_is_too_old(there: Google) -> None:
    """There may have been something: code is told to look. Whose mailbox it is, Gmail says."""
    connection = connect(there, "gmail")
    connection.poll()
    newest = there.mail()
    there.forget_history()

    (event,) = connection.poll()
    assert (event.data["email_address"], event.data["history_id"]) == ("ops@acme.com", newest)
    assert connection.poll() == ()


def test_a_mailbox_is_watched(there: Google) -> None:
    """Whose mailbox it is has to be known, as pushes are for whoever has it."""
    connection = connect(there, "gmail")

    connection.register()
    assert connection.variables["GmailHistoryID"] == "70000"
    assert connection.variables["GmailWatchExpiration"] == str((START + 7 * DAY) // 1000)
    assert connection.variables["user_email"] == "ops@acme.com"
    there.fake.asked.clear()
    connection.register()
    assert [each.path for each in there.fake.asked] == ["/gmail/v1/users/me/watch"]


SCOPE = "https://www.googleapis.com/auth/"


@pytest.mark.parametrize(
    ("integration", "variables", "expected"),
    [
        ("gmail", {"user_scope": f"openid {SCOPE}gmail.modify"}, ""),
        ("gmail", {"user_scope": "https://mail.google.com/"}, ""),
        ("gmail", {}, ""),
        ("gmail", {"user_scope": f"openid {SCOPE}drive.file {SCOPE}gmail.settings.basic"}, "agree"),
        ("gmail", {"auth_type": "jsonKey", "JSON": "{}"}, "service account"),
        ("gmail", {"JSON": "{}"}, "service account"),
        ("gmail", {"auth_type": "oauth", "JSON": "{}"}, ""),
        ("googlecalendar", {}, "cal_id"),
        ("googlecalendar", {"CalendarID": "primary"}, ""),
        ("googledrive", {}, ""),
        ("googleforms", {}, "form_id"),
        ("googleforms", {"FormID": FORM}, ""),
    ],
)
def test_why_there_are_no_events(integration: str, variables: dict[str, str], expected: str) -> None:
    """Somebody is told what to do."""
    found = FEEDS[integration].why_not(variables)

    assert expected in found
    assert bool(found) == bool(expected)


# Calendar and Drive


@pytest.mark.parametrize(
    ("integration", "webhook", "prefix", "api"),
    [
        ("googlecalendar", CALENDAR_WEBHOOK, "CalendarEventsWatch", "/calendar/v3"),
        ("googledrive", DRIVE_WEBHOOK, "DriveEventsWatch", "/drive/v3"),
    ],
)
def test_channels(there: Google, integration: str, webhook: Webhook, prefix: str, api: str) -> None:
    """Each is a new one; the one before is stopped; Google's calls by it are believed."""
    connection = connect(there, integration)
    connection.register()
    first = connection.variables[f"{prefix}ID"]
    assert there.channels[first]["address"] == f"https://ak.example.com/{integration}/notif"
    assert connection.variables[f"{prefix}Exp"] == str((START + 7 * DAY) // 1000)
    assert calls(webhook, connection) == ("con_1",)

    connection.register()
    second = connection.variables[f"{prefix}ID"]
    assert list(there.channels) == [second]
    assert second != first
    assert connection.variables[f"{prefix}Token"] == there.channels[second]["token"]

    there.channels.clear()  # so that there is nothing to be stopped
    connection.register()
    assert len(asked(there, f"POST {api}/channels/stop")) == 2
    there.channels.clear()
    there.fake.routes[f"POST {api}/channels/stop"] = lambda _: "x" * (8 << 20)  # more than is read
    connection.register()
    assert list(there.channels) == [connection.variables[f"{prefix}ID"]]


def test_a_calendar(there: Google) -> None:
    """Every change is an event, of all pages."""
    connection = connect(there, "googlecalendar")
    there.change_event("e0", status="cancelled")
    connection.poll()
    for name in ("e1", "e2", "e3"):
        there.change_event(name, summary=name)
    there.change_event("e2", summary="later")
    there.change_event("e3", status="cancelled")

    events = connection.poll(START + SECOND)
    found = [(each.event_type, each.data["id"], each.data["summary"]) for each in events]
    assert sorted(found) == [
        ("event_created", "e1", "e1"),
        ("event_deleted", "e3", ""),
        ("event_updated", "e2", "later"),
    ]
    assert as_in_samples("googlecalendar", events)
    assert {each.match[0].values["connection_id"] for each in events} == {"con_1"}


def test_the_first_poll_of_a_calendar_is_light(there: Google) -> None:
    """It asks for what it needs to go on, not for the events."""
    connect(there, "googlecalendar").poll()

    assert [each.query["fields"] for each in there.fake.asked] == ["nextPageToken,nextSyncToken"]


def test_instances_that_do_not_say_when_they_changed(there: Google) -> None:
    """They are events when they are new; where all is listed they would be told of again and again."""
    connection = connect(there, "googlecalendar")
    connection.poll()
    there.change_event("e1", status="cancelled")
    del there.events["e1"]["updated"]

    assert [each.event_type for each in connection.poll()] == ["event_deleted"]
    there.change_event("e2")
    there.oldest_sync = 99
    assert [each.data["id"] for each in connection.poll()] == ["e2"]


def test_another_calendar(there: Google) -> None:
    """Google does not take the token of one for another: what is new in this one is listed."""
    connection = connect(there, "googlecalendar")
    there.change_event("e1")
    there.now += DAY
    connection.poll(there.now)
    there.change_event("e2")
    connection.variables["CalendarEventsSyncToken"] = "another calendar's"

    assert [each.data["id"] for each in connection.poll(there.now)] == ["e2"]


def test_a_calendar_that_was_never_asked(there: Google) -> None:
    """It begins, whatever the token is from; what was before is not new."""
    there.change_event("e1")
    there.oldest_sync = 1
    connection = connect(there, "googlecalendar", CalendarEventsSyncToken="s0")

    assert connection.poll() == ()
    there.change_event("e2")
    assert [each.data["id"] for each in connection.poll()] == ["e2"]


def test_files(there: Google) -> None:
    """Changes come page by page, with all that their shape has."""
    connection = connect(there, "googledrive")
    connection.poll()
    for name in ("f1", "f2", "f3"):
        there.change_file(name)
    there.change_file("f1", removed=True)

    first = connection.ask()
    assert (first.has_more, len(first.events)) == (True, 2)
    events = connection.poll()
    kinds = ["file_change", "file_change", "file_change", "file_remove"]
    assert [each.event_type for each in events] == kinds
    assert as_in_samples("googledrive", events)
    file = events[0].data["file"]
    assert (file["size"], file["md_5_checksum"], file["owners"][0]["me"]) == (2048, "d4", True)
    assert "odd" not in file


def test_a_page_token_that_is_no_good(there: Google) -> None:
    """It begins anew; but not if the new one is the same, as something else is wrong then."""
    connection = connect(there, "googledrive", DriveChangesStartPageToken="nonsense")
    there.change_file("f1")
    assert connection.poll() == ()
    there.change_file("f2")
    assert [each.data["file_id"] for each in connection.poll()] == ["f2"]

    there.fake.routes["GET /drive/v3/changes"] = refusal(400, "Invalid field selection")
    with pytest.raises(ServiceError, match="Invalid field selection"):
        connection.ask()


def test_a_registration_leaves_off_where_a_poll_has_come(there: Google) -> None:
    """What has changed since is still to be asked for."""
    connection = connect(there, "googledrive")
    connection.register()
    there.change_file("f1")
    connection.register()

    assert [each.data["file_id"] for each in connection.poll()] == ["f1"]


# Forms


def test_responses(there: Google) -> None:
    """Each that is new or changed, in the order in which they were submitted; and the form, if it was changed."""
    connection = connect(there, "googleforms")
    there.respond("r0", "2025-11-24T15:00:00Z")
    connection.poll()
    there.respond("r1", "2025-11-24T16:00:00.2Z")
    there.respond("r3", "2025-11-24T16:00:00Z")
    there.respond("r2", "2025-11-24T16:00:00.123456789Z")
    there.respond("r0", "2025-11-24T16:00:01Z")
    there.revision = 2

    events = connection.poll(START + SECOND)
    assert [each.event_type for each in events] == ["schema"] + ["responses"] * 4
    assert [each.data["response"]["response_id"] for each in events[1:]] == ["r3", "r2", "r1", "r0"]
    assert events[0].data["form"]["revision_id"] == "00000002"
    assert {each.data["publish_time"] for each in events} == {format_time(START + SECOND)}
    assert as_in_samples("googleforms", events)
    assert connection.poll() == ()


def test_another_form(there: Google) -> None:
    """What is known of one form is nothing about another."""
    seen = "another_form_altogether_1 1970-01-01T00:00:00.000000000Z r9"
    connection = connect(there, "googleforms", FormResponsesSeen=seen, FormRevisionID="00000009")
    there.respond("r1", "2025-11-24T16:00:00Z")

    assert connection.poll() == ()
    assert connection.variables["FormResponsesSeen"] == f"{FORM} 2025-11-24T16:00:00.000000000Z r1"


def test_a_form_is_watched(there: Google) -> None:
    """By two watches, which are renewed; those that have ended are made anew."""
    connection = connect(there, "googleforms")
    connection.register()
    assert {each["eventType"]: name for name, each in there.watches.items()} == {
        "SCHEMA": connection.variables["FormSchemaWatchID"],
        "RESPONSES": connection.variables["FormResponsesWatchID"],
    }
    there.now += 4 * DAY
    assert connection.register(there.now).renew_at == there.now + 4 * DAY
    assert there.made_watches == 2
    assert connection.variables["FormWatchesExpiration"] == format_time(there.now + 7 * DAY)

    there.now += 8 * DAY
    connection.register(there.now)
    assert sorted(there.watches) == ["w-3", "w-4"]
    assert connection.variables["FormSchemaWatchID"] == "w-3"


def test_watches_that_are_there_already(there: Google) -> None:
    """Google takes one of each kind: it is taken over, unless it publishes to elsewhere."""
    connect(there, "googleforms").register()
    connection = connect(there, "googleforms")
    connection.register()
    assert connection.variables["FormSchemaWatchID"] == "w-1"
    assert there.made_watches == 2

    other = connect(there, "googleforms")
    other.environ = {"GOOGLE_FORMS_PUBSUB_TOPIC": "projects/acme/topics/other"}
    with pytest.raises(ServiceError, match="another topic"):
        other.register()
    assert sorted(there.watches) == ["w-1", "w-2"]


def test_a_topic_that_was_changed(there: Google) -> None:
    """Our own watches are replaced."""
    connection = connect(there, "googleforms")
    connection.register()
    connection.environ = {"GOOGLE_FORMS_PUBSUB_TOPIC": "projects/acme/topics/other"}
    connection.register()

    assert sorted(there.watches) == ["w-3", "w-4"]
    assert {each["target"]["topic"]["topicName"] for each in there.watches.values()} == {"projects/acme/topics/other"}


def test_what_else_is_wrong_with_a_watch(there: Google) -> None:
    """A refusal that is none of a watch that is there is told as Google says it."""
    there.fake.routes[f"POST /v1/forms/{FORM}/watches"] = refusal(400, "The topic does not exist")

    with pytest.raises(ServiceError, match="The topic does not exist"):
        connect(there, "googleforms").register()


# Whatever happens, in whatever order


def histories(*steps: str) -> st.SearchStrategy[list[str]]:
    """What happens: these, and polls, of which some are lost."""
    return st.lists(st.sampled_from([*steps, "poll", "poll", "lost"]), max_size=14).map(lambda each: [*each, "poll"])


few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def live(
    steps: list[str], there: Google, connection: Connection, change: Callable[[str], None]
) -> Iterator[list[Found]]:
    """What each poll gives that is not lost. A second goes by between steps."""
    for step in steps:
        there.now += SECOND
        if step == "poll":
            yield list(connection.poll(there.now))
        elif step == "lost":
            connection.ask(there.now)
        else:
            change(step)


@few
@given(steps=histories("e1", "e2", "e3", "gone e1", "expire"), skew_s=st.integers(-240, 240))
def test_nothing_of_a_calendar_is_lost(running: Google, steps: list[str], skew_s: int) -> None:
    """Each poll gives what has changed since the one before, as it is now, and no more; repeats have the same keys.

    Also where a token expires, and Google's clock is another than ours.
    """
    running.reset()
    connection = connect(running, "googlecalendar")
    running.now += skew_s * SECOND
    running.change_event("e0")
    connection.poll(running.now - skew_s * SECOND)
    before = {running.events["e0"]["etag"]}
    told: set[str] = set()
    changed: set[str] = set()
    is_expired = False

    for step in steps:
        running.now += SECOND
        ours = running.now - skew_s * SECOND
        if step == "expire":
            running.oldest_sync = len(running.event_log) + 1
            running.event_log.append("e0")  # so that a new token is another one
            is_expired = True
        elif step == "lost":
            connection.ask(ours)
        elif step == "poll":
            events = connection.poll(ours)
            etags = [each.data["etag"] for each in events]
            expected = {running.events[each]["etag"] for each in changed}
            assert len(etags) == len(set(etags)) == len({each.key for each in events})
            assert expected <= set(etags)
            assert set(etags) - expected <= (told | before if is_expired else set())
            told |= set(etags)
            changed.clear()
            is_expired = False
        else:
            name = step.removeprefix("gone ")
            running.change_event(name, status="cancelled" if step.startswith("gone") else "confirmed")
            changed.add(name)


@few
@given(steps=histories("f1", "f2", "f3", "remove f1"))
def test_nothing_of_a_drive_is_lost(running: Google, steps: list[str]) -> None:
    """All changes, each once, in their order."""
    running.reset()
    connection = connect(running, "googledrive")
    connection.poll()

    def change(step: str) -> None:
        running.change_file(step.removeprefix("remove "), removed=step.startswith("remove"))

    events = [each for found in live(steps, running, connection, change) for each in found]
    assert [(each.data["file_id"], each.data["time"]) for each in events] == [
        (each["fileId"], each["time"]) for each in running.changes
    ]
    assert len({each.key for each in events}) == len(events)


@few
@given(steps=histories("mail", "forget"))
def test_nothing_of_a_mailbox_is_lost(running: Google, steps: list[str]) -> None:
    """Whenever there was mail, a poll says so, once."""
    running.reset()
    connection = connect(running, "gmail")
    connection.poll()
    told = running.history[-1]

    def change(step: str) -> None:
        if step == "mail":
            running.mail()
        else:
            running.forget_history()

    for found in live(steps, running, connection, change):
        newest = running.history[-1]
        assert [each.data["history_id"] for each in found] == ([newest] if newest != told else [])
        told = newest


@few
@given(steps=histories("r1", "r2", "r3", "again", "schema"), digits=st.lists(st.integers(0, 9), min_size=1))
def test_nothing_of_a_form_is_lost(running: Google, steps: list[str], digits: list[int]) -> None:
    """Each response once, as it is when it is asked for, also where several were submitted at the same moment."""
    running.reset()
    connection = connect(running, "googleforms")
    connection.poll()
    expected: dict[str, object] = {}
    moments = itertools.cycle(digits)
    time = ""
    made = itertools.count(10)

    def change(step: str) -> None:
        nonlocal time
        if step == "schema":
            running.revision += 1
            expected["schema"] = f"{running.revision:08}"
            return
        # As many digits as it likes, and sometimes the very moment of the response before.
        new = format_time(running.now)[:-8] + f".{'123456789'[: next(moments)]}".rstrip(".") + "Z"
        time = time if step == "again" and time else new
        name = f"r{next(made)}" if step == "again" else step
        running.respond(name, time)
        expected[name] = time

    for found in live(steps, running, connection, change):
        told = [
            (each.data["response"]["response_id"], each.data["response"]["last_submitted_time"])
            if each.event_type == "responses"
            else ("schema", each.data["form"]["revision_id"])
            for each in found
        ]
        assert len(told) == len(expected)
        assert dict(told) == expected
        expected.clear()
