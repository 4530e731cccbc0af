"""Users' values on their way into answers: whatever they hold, any client can read the answer."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_runner.protocol import load_json
from autokitteh_server.core.api_types.values import raw, readable

TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from('\\ud8"$'))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def without_halves(value: Any) -> Any:
    """The value with escapes in place of characters that UTF-8 does not have."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, list):
        return [without_halves(each) for each in value]
    if isinstance(value, dict):
        return {readable(key): without_halves(each) for key, each in value.items()}
    return value


@given(VALUES)
def test_any_value_can_be_read(value: Any) -> None:
    """With a strict reader too, and it is what it was, but for half characters."""
    sent = bytes(raw(value))

    msgspec.json.decode(sent)
    # Pairs of halves are one character to JSON.
    assert load_json(sent) == without_halves(joined(value))


def joined(value: Any) -> Any:
    """The value with each pair of half characters as the one that it stands for."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, list):
        return [joined(each) for each in value]
    if isinstance(value, dict):
        return {joined(key): joined(each) for key, each in value.items()}
    return value
