"""Programs as people write them, run on the stand-in."""

from datetime import timedelta

import pytest

import autokitteh
from autokitteh import Event, http_outcome, next_event, subscribe, testing


def wait_for_webhooks(_: Event) -> None:
    get_sub = autokitteh.subscribe("hook", "data.method == 'GET'")
    event_data = autokitteh.next_event(get_sub)
    print(event_data)
    post_sub = autokitteh.subscribe("hook", "data.method == 'POST'")
    event_data = autokitteh.next_event(get_sub, post_sub, timeout=timedelta(minutes=1))
    assert event_data is not None
    print(f"Got an HTTP {event_data.method} request: {event_data}")
    autokitteh.unsubscribe(get_sub)
    autokitteh.unsubscribe(post_sub)


def reply_when_the_second_comes(_: Event) -> None:
    s = subscribe("second")
    e = next_event(s)
    assert e is not None
    http_outcome(status_code=200, body=e.data.body.text)


def login(event: Event) -> str:
    return str(event["login"])


def test_waits_for_two_webhooks(capsys: pytest.CaptureFixture[str]) -> None:
    """Data prints as a dict, and reads as attributes."""
    with testing.session() as runtime:
        runtime.send_event("hook", {"method": "GET"})
        runtime.send_event("hook", {"method": "POST"}, after=30)
        wait_for_webhooks(Event())
    assert capsys.readouterr().out == "{'method': 'GET'}\nGot an HTTP POST request: {'method': 'POST'}\n"


def test_replies_with_the_body_of_another_webhook() -> None:
    """What next_event returned may be read as if it were the event."""
    with testing.session() as runtime:
        runtime.send_event("second", {"body": {"text": "hello"}})
        reply_when_the_second_comes(Event())
    assert runtime.http_outcomes == [testing.HttpOutcome(body="hello")]


def test_reads_the_event_by_key() -> None:
    """A handler of a manual run may take its data from the event itself."""
    assert login(Event({"login": "octocat"})) == "octocat"
