"""What the server's log looks like, and what never gets into it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from autokitteh_server.core.masking import Masker
from autokitteh_server.telemetry.logging import configure_logging

_log = logging.getLogger("autokitteh_server.some.part")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """The process's loggers are the tests', and other tests want theirs."""
    root, ours = logging.getLogger(), logging.getLogger("autokitteh_server")
    before = root.handlers, root.level, ours.level
    yield
    root.handlers, root.level, ours.level = before


def one_object(stream: io.StringIO) -> dict[str, object]:
    """The one line of a log as JSON."""
    (line,) = stream.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("format", "stream", "is_json"),
    [
        ("auto", Terminal(), False),
        ("auto", io.StringIO(), True),
        ("text", io.StringIO(), False),
        ("json", Terminal(), True),
    ],
)
def test_format_is_chosen(format: str, stream: io.StringIO, is_json: bool) -> None:
    """People at a terminal get text, programs JSON, unless somebody says otherwise."""
    configure_logging("info", format, stream, secrets=Masker())

    _log.info("hello")

    assert stream.getvalue().startswith("{") is is_json


def test_json_line_has_the_sentence_and_the_fields() -> None:
    """Numbers stay numbers; what is no JSON is text."""
    stream = io.StringIO()
    configure_logging("info", "json", stream, secrets=Masker())

    _log.info("swept %d events", 5, extra={"action": "sweep", "events": 5, "odd": {1}, "level": "mine"})

    found = one_object(stream)
    assert str(found.pop("t")).endswith("Z")
    assert found == {
        "level": "info", "logger": "autokitteh_server.some.part", "message": "swept 5 events",
        "action": "sweep", "events": 5, "odd": "{1}",
    }  # fmt: skip


def test_text_line_has_the_fields_behind_the_sentence() -> None:
    """Values with blanks are in quotes, so that they can be told apart."""
    stream = Terminal()
    configure_logging("info", "auto", stream, secrets=Masker())

    _log.warning("no luck", extra={"project": "a b", "session_id": "ses_1"})

    assert stream.getvalue()[8:] == ' warning  no luck  project="a b" session_id=ses_1\n'


@pytest.mark.parametrize("format", ["text", "json"])
def test_nobody_can_forge_a_line(format: str) -> None:
    """Line ends and escapes from outside stay within their line, and never reach a terminal as such."""
    stream = io.StringIO()
    configure_logging("info", format, stream, secrets=Masker())

    _log.info("got %s", "x\n12:00:00 error forged\x1b[2J", extra={"name_given": "y\nz"})

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_secrets_are_masked_wherever_they_stand(format: str) -> None:
    """In the sentence, its arguments, a field, and the text of an exception with all its lines."""
    secrets = Masker()
    secrets.add('very "secret" value', "two-line\nprivate key", "tiny")
    stream = io.StringIO()
    configure_logging("info", format, stream, secrets=secrets)

    try:
        raise ValueError('bad: very "secret" value and two-line\nprivate key')
    except ValueError:
        _log.exception('very "secret" value %s', ["private key"], extra={"field": 'very "secret" value'})

    text = stream.getvalue().replace("\\", "")
    assert 'very "secret" value' not in text and "private key" not in text and "two-line" not in text
    assert "ValueError: bad: ***" in text


@pytest.mark.parametrize(
    "said",
    [
        "Authorization: Bearer hunter2hunter2",
        "{'authorization': 'Basic aHVudGVyMg=='}",
        '("authorization", "hunter2")',
        "[(b'authorization', b'Bearer hunter2')]",
        "postgresql://me:hunter2@there/db",
        "token sent: bearer hunter2hunter2",
    ],
)
def test_credentials_are_masked_although_nobody_told_of_them(said: str) -> None:
    """Headers and URLs are known by their looks."""
    masked = Masker().mask(said)

    assert "hunter2" not in masked and "aHVudGVyMg" not in masked and "***" in masked


def test_ordinary_text_is_left_alone() -> None:
    """Neither short secrets nor words that look a little like credentials make the log unreadable."""
    secrets = Masker()
    secrets.add("yes", "")
    text = "yes: the basic idea of http://host:9980/authorization is fine, says a@b.c"

    assert secrets.mask(text) == text


def test_a_secret_that_begins_another_leaves_no_end() -> None:
    """The longest is masked first."""
    secrets = Masker()
    secrets.add("abcdef", "abcdefghi")

    assert secrets.mask("abcdefghi abcdef") == "*** ***"


def test_levels() -> None:
    """Ours as chosen; other libraries only warn."""
    stream = io.StringIO()
    configure_logging("debug", "text", stream, secrets=Masker())

    _log.debug("ours")
    logging.getLogger("other").info("theirs")
    logging.getLogger("other").warning("theirs, important")

    assert [line.split()[1:3] for line in stream.getvalue().splitlines()] == [["debug", "ours"], ["warning", "theirs,"]]


def test_configured_twice_says_once() -> None:
    """The second configuration replaces the first."""
    first, second = io.StringIO(), io.StringIO()
    configure_logging("info", "json", first, secrets=Masker())
    configure_logging("info", "json", second, secrets=Masker())

    _log.info("hello")

    assert first.getvalue() == ""
    assert one_object(second)["message"] == "hello"
