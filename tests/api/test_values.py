"""Users' values over HTTP: what cannot be kept is refused where it is sent, and all else comes back as it was."""

import httpx
import msgspec
import pytest

from api.stage import Stage
from api.test_errors import error_of
from autokitteh_server.core.api_types.connections import OfProject
from autokitteh_server.core.api_types.events import EventQuery

ODD = {
    "infinite": "1e999",
    "many digits": "1" * 5000,
    "not base64": '{"$bytes": "abc"}',
    "bytes that are no text": '{"$bytes": 3}',
    "no hexadecimal": '{"$int": "x"}',
    "no object": '{"$dict": 3}',
    "201 levels": "[" * 202 + "]" * 202,
    "deep": "[" * 5_000 + "]" * 5_000,
    "very deep": "[" * 200_000 + "]" * 200_000,
}

FINE = {
    "null": "null",
    "large": "1" * 1000,
    "float": "1.5e300",
    "text": '"\\u0000 \\ud83d\\ude00"',
    "half a character": '"\\ud800"',
    "bytes": '{"$bytes": "/w=="}',
    "like bytes": '{"$dict": {"$bytes": "/w=="}}',
    "dollar": '{"$x": 1, "y": 2}',
    "nested": "[" * 150 + "]" * 150,
}


@pytest.fixture(scope="module")
def project(stage: Stage) -> str:
    """A project with a webhook."""
    triggers = "    - {name: hook, type: webhook, call: 'program.py:main'}\n"
    return stage.deploy(triggers=triggers).project.name


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_cannot_be_kept(stage: Stage, project: str, value: str) -> None:
    """Refused by every route that takes a value, with the field."""
    for path, params, body in (
        ("/sessions", {}, f'{{"project": "{project}", "entry": "program.py:main", "data": {value}}}'),
        ("/events", {}, f'{{"source": "{project}/hook", "data": {{"x": {value}}}}}'),
        ("/events/verify-filter", {}, f'{{"filter": "true", "data": {{"x": {value}}}}}'),
    ):
        answer = stage.http.post(path, params=params, content=body, headers={"content-type": "application/json"})
        error_of(answer, 400)
    answer = _put(stage, project, value)
    error_of(answer, 400)


@pytest.mark.parametrize("value", FINE.values(), ids=FINE)
def test_what_comes_back(stage: Stage, project: str, value: str) -> None:
    """The same value, from the store and from an event."""
    if value == FINE["half a character"]:
        error_of(_put(stage, project, value), 400)  # JSON of UTF-8 has none
        return
    stored = _put(stage, project, value)
    assert stored.status_code == 200, stored.text
    read = stage.http.get(f"/projects/{project}/store/value", params={"key": "k"})

    assert read.content == stored.content
    sent = stage.http.post("/events", content=f'{{"source": "{project}/hook", "data": {{"x": {value}}}}}',
                           headers={"content-type": "application/json"})  # fmt: skip
    assert sent.status_code == 201, sent.text
    assert sent.json()["data"]["x"] == read.json()["value"]


def test_an_event_with_half_a_character(stage: Stage, project: str) -> None:
    """A sender whom nobody knows cannot make the list of events, or the event, be unreadable to those who look."""
    triggers = stage.client.triggers.list(OfProject(project=project), 10)
    url = next(each.webhook_url for each in triggers)
    assert url is not None
    assert httpx.post(url, content=b'{"a": "\\ud800 \\\\ud800"}', trust_env=False).status_code == 202

    event = next(iter(stage.client.events.list(EventQuery(project=project), 1)))

    assert msgspec.json.decode(stage.client.events.get(event.id).data)["body"]["json"] == {"a": "\\ud800 \\ud800"}


def _put(stage: Stage, project: str, value: str) -> httpx.Response:
    return stage.http.put(
        f"/projects/{project}/store/value",
        params={"key": "k"},
        content=f'{{"value": {value}}}',
        headers={"content-type": "application/json"},
    )
