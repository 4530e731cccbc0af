"""A secret is masked in every form in which it could show, and nothing else is."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.secret_forms import mask_of, mask_value

SECRETS = st.text(min_size=6).filter(lambda text: len(text.strip()) >= 6 and "*" not in text)
PADS = st.binary(max_size=7)


@given(SECRETS, st.text(alphabet="xyz", max_size=5))
def test_texts(secret: str, around: str) -> None:
    """As it is, in a URL, in JSON, in Python's own spelling."""
    mask = mask_of([secret])
    encodable = secret.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for form in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        shown = mask(f"{around}{form}{around}")
        assert secret not in shown
        assert "***" in shown
    if encodable == secret:
        for form in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
            assert mask(f"a={form}&b") == "a=***&b"


@given(st.binary(min_size=9, max_size=40), PADS, PADS)
def test_base64(secret: bytes, before: bytes, after: bytes) -> None:
    """In base64, alone or between other bytes, nothing is left from which it could be had."""
    text = secret.hex()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = mask_of([text])(encode(before + text.encode() + after).decode())
        assert "***" in shown
        assert len(shown.replace("***", "")) <= len(encode(before + after)) + 8


@pytest.mark.parametrize("secret", ["", "a", "12345"])
def test_short_values_are_left_alone(secret: str) -> None:
    """What stands in most texts by chance is no secret that could be masked."""
    assert mask_of([secret])("12345 a 12345") == "12345 a 12345"


def test_lines_of_a_secret_are_secrets() -> None:
    """A traceback shows a private key line by line."""
    mask = mask_of(["-----BEGIN-----\nabcdefgh\n-----END-----"])
    assert mask("  abcdefgh") == "  ***"


def test_the_longer_secret_first() -> None:
    """Of two secrets one of which begins with the other, no end stays."""
    assert mask_of(["secret", "secret-long"])("a secret-long b secret c") == "a *** b *** c"


def test_values_stay_json_where_they_can() -> None:
    """Texts in them are masked; a value that would be no JSON any more becomes a text."""
    mask = mask_of(["123456"])

    assert mask_value({"a": ["x123456y", b"\x00"], "b": 1}, mask) == {"a": ["x***y", b"\x00"], "b": 1}
    assert mask_value([123456], mask) == "[***]"
    assert mask_value(None, mask) is None
