"""What all services' webhooks share: paths, matches, keys, bodies, names and shapes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.integrations.keys import event_type_of, key_of
from autokitteh_server.integrations.matching import Match, match_of
from autokitteh_server.integrations.payload import MAX_DEPTH, read_form, read_json
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.shapes import ByKey, Each, Maybe, Shape, shaped, shaped_snake, texts
from autokitteh_server.integrations.snake import snake
from autokitteh_server.integrations.webhook import Refused, path_values


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("event", "event", {}),
        ("event", "event/x", None),
        ("event", "Event", None),
        ("webhook/{id}", "webhook/4f", {"id": "4f"}),
        ("webhook/{id}", "webhook/", None),
        ("webhook/{id}", "webhook/4f/x", None),
        ("webhook/{a}/{b}", "webhook/1/2", {"a": "1", "b": "2"}),
    ],
)
def test_paths(template: str, path: str, values: dict[str, str] | None) -> None:
    """Names stand for one part each, which is there."""
    assert path_values(template, path) == values


@pytest.mark.parametrize(
    ("match", "variables", "holds"),
    [
        (match_of(app="1", team=2), {"app": "1", "team": "2"}, True),
        (match_of(app="1", team=2), {"app": "1"}, False),
        (match_of(app=None), {}, False),
        (match_of(app=None), {"app": ""}, False),
        (match_of(app=None), {"app": "None"}, False),
        (match_of(app=True), {"app": "True"}, False),
        (match_of(app=["1"]), {"app": "['1']"}, False),
        (match_of(app="\x00"), {"app": "\x00"}, False),
        (match_of(app=10**5000), {}, False),
        (Match(present=("key",)), {"key": "x"}, True),
        (Match(present=("key",)), {"key": ""}, False),
        (Match(), {}, False),
    ],
)
def test_matches(match: Match, variables: dict[str, str], holds: bool) -> None:
    """What a service does not say matches nobody: never those who have no such variable."""
    assert match.holds(variables) is holds


def test_keys() -> None:
    """Short ones are as they are; all others have a digest in their place."""
    assert key_of("a", 1) == "a:1"
    assert len(key_of("a" * 1000)) == len(key_of("\x00")) == len(key_of("\ud800")) == 64
    assert key_of("a" * 1000) != key_of("a" * 1001)


@pytest.mark.parametrize("text", ["", "a b", "é", "x" * 129, None, 1, ["a"], "a\n", "\ud800"])
def test_types_that_are_none(text: object) -> None:
    """They are refused: a trigger could not name them."""
    with pytest.raises(Refused) as refused:
        event_type_of(text)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[1e999]",
        b"\xff",
        b"[" * 1_000_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"1" * 9999,
    ],
)
def test_bodies_that_are_no_json(body: bytes) -> None:
    """They are refused with 400."""
    with pytest.raises(Refused) as refused:
        read_json(body)
    assert refused.value.status == 400


def test_halves_of_characters() -> None:
    """They are replaced, for nothing could store them; whole ones are kept."""
    assert read_json(rb'{"a\ud800": ["\udc00x", "\ud83d\ude00"]}') == {"a\ufffd": ["\ufffdx", "😀"]}


def test_brackets_in_texts_do_not_count() -> None:
    """A deep text is flat."""
    text = '["\\' * 1000
    assert read_json(json.dumps([text])) == [text]


def test_forms_with_too_many_fields() -> None:
    """They are refused."""
    assert read_form(b"a=1&a=2&b=") == {"a": ["1", "2"], "b": [""]}
    with pytest.raises(Refused):
        read_form(b"a=1&" * 2000)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HtmlLink", "html_link"),
        ("ICalUID", "i_cal_uid"),
        ("iCalUID", "i_cal_uid"),
        ("MediaUrl0", "media_url_0"),
        ("MessageSid", "message_sid"),
        ("SharedTeamIDs", "shared_team_ids"),
        ("ResponseURLs", "response_urls"),
        ("HTTPServer", "http_server"),
        ("snake_case_1", "snake_case_1"),
        ("ID", "id"),
        ("", ""),
    ],
)
def test_names(name: str, expected: str) -> None:
    """As the sheet has them, without the oddities of earlier systems."""
    assert snake(name) == expected


@given(st.text())
def test_names_are_made_once(name: str) -> None:
    """A name that was made is a name already."""
    assert snake(snake(name)) == snake(name)


INNER: Shape = {**texts("a b"), "n": 0}
SHAPE: Shape = {
    "text": "",
    "list": (),
    "flag": False,
    "inner": INNER,
    "maybe": Maybe(INNER),
    "each": Each(INNER),
    "by_key": ByKey(INNER),
}
EMPTY: dict[str, Any] = {
    "text": "", "list": [], "flag": False, "inner": {"a": "", "b": "", "n": 0}, "maybe": None, "each": [],
    "by_key": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "value", [{}, None, [], "x", {"text": None, "inner": None, "each": {}, "by_key": 1, "maybe": 2}]
)
def test_all_fields_are_there(value: object) -> None:
    """Whatever the service leaves out, or has put in their place."""
    assert shaped(value, SHAPE) == EMPTY


def test_fields_that_are_there() -> None:
    """They are kept, and so are those that nobody knows."""
    value = {
        "text": "x", "innerMost": {"someKey": 1}, "each": [{"a": "1"}, 2], "byKey": {"KeyOf": {"n": "12"}},
        "maybe": {},
    }  # fmt: skip

    assert shaped_snake(value, SHAPE) == {
        **EMPTY,
        "text": "x",
        "inner_most": {"some_key": 1},
        "each": [{"a": "1", "b": "", "n": 0}],
        "by_key": {"KeyOf": {"a": "", "b": "", "n": 12}},
        "maybe": {"a": "", "b": "", "n": 0},
    }


def test_defaults_are_not_shared() -> None:
    """Whoever changes one event's data changes no other's."""
    shaped({}, SHAPE)["list"].append(1)
    assert shaped({}, SHAPE)["list"] == []


def test_samples_that_are_not_there() -> None:
    """The error says which there are."""
    with pytest.raises(LookupError, match=r"gmail has no sample of x; there are: mailbox_change"):
        load_sample("gmail", "x")
    with pytest.raises(LookupError, match="there is no integration nobody"):
        sample_types("nobody")
    with pytest.raises(LookupError):
        load_sample("gmail", "../../slack/samples/message")
    assert sample_types("aws") == ()
