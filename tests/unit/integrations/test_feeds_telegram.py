"""Telegram is told, or asked: against a stand-in that keeps updates until they are posted or confirmed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.telegram.feed import FEED, poll
from autokitteh_server.integrations.telegram.spec import SPEC
from autokitteh_server.integrations.telegram.webhook import UPDATES
from autokitteh_server.integrations.webhook import Found
from unit.integrations.feeds import PUBLIC_URL, Connection, serving
from unit.integrations.telegram_service import TOKEN, Telegram

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow


@contextmanager
def bot(**variables: str) -> Iterator[tuple[Telegram, Connection]]:
    """A bot, and a connection to it."""
    service = Telegram()
    with serving(service.answer) as url:
        yield service, Connection(url, SPEC.api, {"BotToken": TOKEN, **variables})


@pytest.fixture
def telegram() -> Iterator[tuple[Telegram, Connection]]:
    with bot() as both:
        yield both


def polled(connection: Connection) -> tuple[tuple[Found, ...], bool]:
    """Ask, and keep what comes."""
    news = poll(connection.line(), 0)
    connection.keep(news.variables)
    return news.events, news.has_more


def test_what_is_told_fits_what_comes(telegram: tuple[Telegram, Connection]) -> None:
    """With what it was told, Telegram posts updates that are taken, and are the connection's."""
    service, connection = telegram
    told = connection.tell(FEED)
    connection.keep(told.variables)
    service.happens()
    service.happens("chat_member")

    assert [each.event_type for each in service.post(connection)] == ["message", "chat_member"]
    assert told.renew_at is None
    assert service.webhook == {
        "url": f"{PUBLIC_URL}/telegram/webhook/7000",
        "secret_token": "con1secret1",
        "allowed_updates": list(UPDATES),
    }
    assert connection.variables["BotID"] == "7000"
    assert connection.variables["WebhookURL"] == service.webhook["url"]
    assert set(told.variables) <= set(SPEC.learns)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("kept-As_it-1s", "kept-As_it-1s"),
        ("", "con1secret1"),
        ("not for Telegram", "con1secret1"),
        ("x" * 257, "con1secret1"),
    ],
)
def test_a_secret_is_kept(there: str, expected: str) -> None:
    """If it is one that Telegram takes: requests that are on their way still fit."""
    with bot(SecretToken=there) as (_, connection):
        connection.tell(FEED)
        assert connection.variables["SecretToken"] == expected


def test_polls_take_over(telegram: tuple[Telegram, Connection]) -> None:
    """Without an address, the webhook goes and nothing that is pending is dropped."""
    service, connection = telegram
    connection.keep(connection.tell(FEED).variables)
    service.happens()

    events, has_more = polled(connection)

    assert ([each.key for each in events], has_more) == (["7000:1"], False)
    assert "WebhookURL" not in connection.variables
    assert connection.variables["UpdatesOffset"] == "2"
    assert service.updates  # until what came is stored, and confirmed

    assert polled(connection) == ((), False)
    assert service.updates == []
    assert "UpdatesOffset" not in connection.variables


def test_the_keys_are_the_same(telegram: tuple[Telegram, Connection]) -> None:
    """What was polled, and is posted before that was confirmed, is known to be the same."""
    service, connection = telegram
    service.happens()
    events, _ = polled(connection)
    connection.keep(connection.tell(FEED).variables)

    assert service.post(connection) == list(events)
    assert "UpdatesOffset" not in connection.variables


def test_pages(telegram: tuple[Telegram, Connection]) -> None:
    """A hundred at a time; the next hundred is asked for at once."""
    service, connection = telegram
    for _ in range(150):
        service.happens()

    first, has_more = polled(connection)
    second, has_yet_more = polled(connection)

    assert (len(first), has_more, len(second), has_yet_more) == (100, True, 50, False)
    assert len({each.key for each in first + second}) == 150


def test_what_is_no_update_is_passed_over(telegram: tuple[Telegram, Connection]) -> None:
    """Or it would come again for ever, and nothing after it."""
    service, connection = telegram
    service.updates = [{"update_id": 5}, {"update_id": 6, "message": {}}, {"update_id": 7, "odd kind": {}}]

    assert [each.key for each in polled(connection)[0]] == ["7000:6"]
    assert connection.variables["UpdatesOffset"] == "8"


def test_a_quiet_week(telegram: tuple[Telegram, Connection]) -> None:
    """Numbers go on from anywhere after it; lower ones are not lost."""
    service, connection = telegram
    service.next_id = 900
    service.happens()
    polled(connection)
    polled(connection)
    service.next_id = 17
    service.happens()

    assert [each.key for each in polled(connection)[0]] == ["7000:17"]


def test_a_webhook_that_others_have_set(telegram: tuple[Telegram, Connection]) -> None:
    """It is taken away once."""
    service, connection = telegram
    service.webhook = {"url": "https://elsewhere.example.com"}
    service.happens()

    assert len(polled(connection)[0]) == 1
    assert service.calls == ["getUpdates", "getWebhookInfo", "deleteWebhook", "getUpdates"]


def test_somebody_else_asks(telegram: tuple[Telegram, Connection]) -> None:
    """Only one of both can have the updates. It may be an older server that is about to stop."""
    service, connection = telegram
    service.is_asked_by_others = True

    for service.webhook in (None, {"url": "https://elsewhere.example.com"}):
        with pytest.raises(ServiceError, match="somebody else, who asks with the same token") as failure:
            poll(connection.line(), 0)
        assert failure.value.intent is Intent.RETRY
        assert failure.value.__context__ is None


def test_waiting_for_news(telegram: tuple[Telegram, Connection]) -> None:
    """Telegram waits; so do we, for longer than for other answers."""
    service, connection = telegram
    poll(connection.line(), 0)

    assert service.asked[-1].json["timeout"] == 5
    assert FEED.poll_every_s == 0
    assert FEED.poll_anyway_s is None


def test_the_token_is_not_shown() -> None:
    """It is in the address, which is in no error."""
    wrong = "7000:wrong-and-secret"
    with bot() as (service, connection):
        connection.variables["BotToken"] = wrong
        for does in (lambda: connection.tell(FEED), lambda: poll(connection.line(), 0)):
            with pytest.raises(ServiceError) as failure:
                does()
            assert wrong not in repr(failure.value)
        connection.url = "http://127.0.0.1:1"
        with pytest.raises(ServiceError, match="refused") as failure:
            poll(connection.line(), 0)
        assert wrong not in repr(failure.value)
        assert wrong not in repr(connection.line())
        assert service.updates == []


def test_addresses_that_telegram_does_not_take(telegram: tuple[Telegram, Connection]) -> None:
    """It says why."""
    _, connection = telegram
    connection.public_url = "http://ak.example.com"

    with pytest.raises(ServiceError, match="HTTPS URL must be provided"):
        connection.tell(FEED)


def test_an_answer_that_is_none(telegram: tuple[Telegram, Connection]) -> None:
    """A proxy's, say: nothing is confirmed by it."""
    service, connection = telegram
    for updates in ([{"message": {}}], [7], [{"update_id": True}]):
        service.on_getUpdates = lambda options, updates=updates: updates  # type: ignore[method-assign, misc]
        with pytest.raises(ServiceError, match="not what its API answers"):
            poll(connection.line(), 0)


def test_without_a_token() -> None:
    """There are no events, and it is said why."""
    assert "ak connection init" in FEED.why_not({})
    assert FEED.why_not({"BotToken": TOKEN}) == ""


STEPS = st.lists(
    st.sampled_from(["happens", "poll", "poll", "register", "post", "lose an answer", "crash"]), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_every_update_comes_once(steps: list[str]) -> None:
    """Whatever is lost, and in whatever order things happen: by its key, each update is there exactly once."""
    with bot() as (service, connection):
        happened: set[str] = set()
        stored: list[str] = []

        def store(events: tuple[Found, ...] | list[Found]) -> None:
            stored.extend(each.key for each in events if each.key not in stored)

        for step in steps:
            match step:
                case "happens":
                    happened.add(f"7000:{service.happens()}")
                case "lose an answer":
                    service.loses += 1
                case "poll":
                    try:
                        store(polled(connection)[0])
                    except ServiceError as error:
                        assert error.intent is Intent.RETRY
                case "crash":  # after it was asked, before anything is stored
                    try:
                        poll(connection.line(), 0)
                    except ServiceError as error:
                        assert error.intent is Intent.RETRY
                case "register":
                    try:
                        connection.keep(connection.tell(FEED).variables)
                    except ServiceError as error:
                        assert error.intent is Intent.RETRY
                case "post" if service.webhook is not None:
                    store(service.post(connection))
        service.loses = 0
        for _ in range(2):
            store(polled(connection)[0])

        assert sorted(stored) == sorted(happened)
        assert service.updates == []
