"""start, outcome, http_outcome and get_webhook_url."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

import autokitteh
from autokitteh import Event, testing


@pytest.fixture
def runtime() -> Iterator[testing.MemoryRuntime]:
    with testing.session() as installed:
        yield installed


def test_start_returns_ids_and_keeps_what_was_given(runtime: testing.MemoryRuntime) -> None:
    """Each start is a session of its own, with a copy of its data."""
    data = {"sound": "meow", "list": (1, 2)}
    ids = [autokitteh.start("main.py:say", data, {"k": "v"}), autokitteh.start("sub/b.py:f", project="other")]
    data["sound"] = "woof"
    assert runtime.started == [
        testing.Started(ids[0], "main.py:say", {"sound": "meow", "list": [1, 2]}, {"k": "v"}, ""),
        testing.Started(ids[1], "sub/b.py:f", None, None, "other"),
    ]
    assert ids[0] != ids[1]


def test_start_takes_the_data_of_an_event(runtime: testing.MemoryRuntime) -> None:
    """An event's data can be handed on as it is."""
    autokitteh.start("main.py:say", Event({"a": {"b": 1}}).data)
    assert runtime.started[0].data == {"a": {"b": 1}}


@pytest.mark.parametrize("loc", ["main.py", "main:say", ":say", ".py:say", "main.py:", "main.py:1say", "main.py:a.b"])
def test_start_refuses_places_of_another_form(runtime: testing.MemoryRuntime, loc: str) -> None:
    """The message shows the form, and the place that was given."""
    with pytest.raises(ValueError, match=r'loc must be "file\.py:function".*and is ') as raised:
        autokitteh.start(loc)
    assert repr(loc) in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loc": 1}, "loc must be a string"),
        ({"data": [1]}, "data must be a dict, not list"),
        ({"data": {"x": object()}}, r'data\["x"\]: object is not JSON'),
        ({"data": {1: 2}}, "the key 1 is int"),
        ({"memo": {"n": 1}}, r"memo must map strings to strings, and has 'n': 1; use str\(\)"),
        ({"memo": "note"}, "memo must be a dict of strings, not str"),
        ({"project": None}, 'project must be a string, "" for this one'),
    ],
)
def test_start_refuses(runtime: testing.MemoryRuntime, arguments: dict[str, Any], message: str) -> None:
    """Nothing is started with arguments of the wrong type."""
    with pytest.raises(TypeError, match=message):
        autokitteh.start(**{"loc": "main.py:say", **arguments})
    assert runtime.started == []


def test_outcomes_are_json_values(runtime: testing.MemoryRuntime) -> None:
    """Any JSON value or bytes can be reported, repeatedly."""
    for value in (None, {"a": (1,)}, b"\0"):
        autokitteh.outcome(value)
    autokitteh.outcome(1, event_id="evt_1")
    assert runtime.outcomes == [
        testing.Outcome(None),
        testing.Outcome({"a": [1]}),
        testing.Outcome(b"\0"),
        testing.Outcome(1, "evt_1"),
    ]
    with pytest.raises(TypeError, match="value: object is not JSON"):
        autokitteh.outcome(object())
    with pytest.raises(TypeError, match="event_id must be a string"):
        autokitteh.outcome(1, event_id=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, testing.HttpOutcome(200)),
        ({"status_code": 0}, testing.HttpOutcome(200)),
        ({"status_code": HTTPStatus.CREATED}, testing.HttpOutcome(201)),
        ({"body": "text"}, testing.HttpOutcome(body="text")),
        ({"body": b"raw"}, testing.HttpOutcome(body=b"raw")),
        ({"body": ""}, testing.HttpOutcome(body="")),
        ({"body": None}, testing.HttpOutcome()),
        ({"body": {"ok": True}}, testing.HttpOutcome(json={"ok": True})),
        ({"json": [1, None]}, testing.HttpOutcome(json=[1, None])),
        ({"json": "text"}, testing.HttpOutcome(json="text")),
        ({"json": 0}, testing.HttpOutcome(json=0)),
        ({"headers": {"X-A": "b"}, "more": True}, testing.HttpOutcome(headers={"X-A": "b"}, more=True)),
        ({"event_id": "evt_1"}, testing.HttpOutcome(event_id="evt_1")),
    ],
)
def test_http_outcome(runtime: testing.MemoryRuntime, arguments: dict[str, Any], expected: testing.HttpOutcome) -> None:
    """Every part of a reply arrives as it was meant."""
    autokitteh.http_outcome(**arguments)
    assert runtime.http_outcomes == [expected]
    assert type(runtime.http_outcomes[0].status_code) is int


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"body": "", "json": {}}, ValueError, "body or json, not both"),
        ({"status_code": 99}, ValueError, "from 100 to 599, or 0 for 200, and is 99"),
        ({"status_code": 600}, ValueError, "and is 600"),
        ({"status_code": -1}, ValueError, "and is -1"),
        ({"status_code": "200"}, TypeError, "status_code must be an int, not str"),
        ({"status_code": True}, TypeError, "status_code must be an int, not bool"),
        ({"headers": {"Content-Length": 3}}, TypeError, "headers must map strings to strings"),
        ({"headers": [("a", "b")]}, TypeError, "headers must be a dict of strings, not list"),
        ({"headers": {"A": "b\r\nSet-Cookie: c"}}, ValueError, "no line breaks"),
        ({"headers": {"A: b": "c"}}, ValueError, "no space or colon in names"),
        ({"headers": {"": "c"}}, ValueError, "is not valid"),
        ({"json": {"a": object()}}, TypeError, r'json\["a"\]: object is not JSON'),
        ({"event_id": ""}, ValueError, "event_id must not be empty"),
    ],
)
def test_http_outcome_refuses(
    runtime: testing.MemoryRuntime, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    """A reply that could not be sent is refused where it is written."""
    with pytest.raises(error, match=message):
        autokitteh.http_outcome(**arguments)
    assert runtime.http_outcomes == []


def test_webhook_urls_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named after the trigger; without it the name is wrong."""
    monkeypatch.setenv("hook__webhook_url", "https://x/webhooks/s")
    monkeypatch.setenv("empty__webhook_url", "")
    assert autokitteh.get_webhook_url("hook") == "https://x/webhooks/s"
    for name in ("other", "empty"):
        with pytest.raises(ValueError, match=f"no webhook URL for trigger '{name}'"):
            autokitteh.get_webhook_url(name)
    with pytest.raises(TypeError, match="the name of a trigger must be a string"):
        autokitteh.get_webhook_url(None)  # type: ignore[arg-type]
