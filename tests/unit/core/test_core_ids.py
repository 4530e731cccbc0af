"""Typed ids."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autokitteh_server.core.ids import ALPHABET, PREFIXES, is_id, new_id

TIMES_US = st.integers(0, ((1 << 48) - 1) * 1000)
RANDOM = st.integers(0, (1 << 64) - 1)


@given(st.sampled_from(sorted(PREFIXES)), TIMES_US, RANDOM)
def test_ids_have_their_form(prefix: str, now_us: int, random_bits: int) -> None:
    """An id is its prefix and 26 letters, and is recognised as an id of that prefix only."""
    made = new_id(prefix, now_us=now_us, random_bits=random_bits)
    assert is_id(made, prefix)
    assert len(made) == 30
    assert not any(is_id(made, other) for other in PREFIXES - {prefix})


@given(TIMES_US, RANDOM)
def test_ids_are_version_7_uuids(now_us: int, random_bits: int) -> None:
    """The letters encode a UUID of version 7 with the time in milliseconds, its microseconds, and all random bits."""
    letters = new_id("ses", now_us=now_us, random_bits=random_bits)[4:]
    number = 0
    for letter in letters:
        number = number * 32 + ALPHABET.index(letter)
    assert number >> 80 == now_us // 1000
    assert number >> 76 & 0xF == 7
    assert number >> 62 & 0b11 == 0b10
    assert number >> 66 & 0x3FF == now_us % 1000
    assert (number >> 64 & 0b11) << 62 | number & (1 << 62) - 1 == random_bits


@given(TIMES_US, TIMES_US, RANDOM, RANDOM)
@example(1000, 1001, (1 << 64) - 1, 0)
def test_ids_sort_by_time(first_us: int, second_us: int, one: int, other: int) -> None:
    """Of two ids, the one made in an earlier microsecond sorts first."""
    early, late = sorted((first_us, second_us))
    if early < late:
        assert new_id("evt", now_us=early, random_bits=one) < new_id("evt", now_us=late, random_bits=other)


def test_unknown_prefix() -> None:
    """Ids are made for known kinds of things only."""
    with pytest.raises(ValueError, match="'xyz'"):
        new_id("xyz", now_us=0, random_bits=0)


@pytest.mark.parametrize("text", ["", "ses_", "ses_" + "u" * 26, "ses_" + "0" * 25, "ses_" + "0" * 27, "a name"])
def test_what_is_no_id(text: str) -> None:
    """Other texts, names among them, are not taken for ids."""
    assert not is_id(text, "ses")
