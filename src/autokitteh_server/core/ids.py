"""Typed ids: a three-letter prefix, `_`, and 26 base-32 characters of a UUIDv7."""

import re
from collections.abc import Callable

#: Crockford's alphabet in lower case: sorts like the number it encodes, and has no letter that looks like a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

PREFIXES = frozenset({"prj", "con", "trg", "evt", "ses", "bld", "dep", "sub", "tok", "usr", "org"})

_ID = re.compile(rf"({'|'.join(sorted(PREFIXES))})_[{ALPHABET}]{{26}}")

#: Makes a new id for a prefix. Passed in wherever ids are made, so that tests can foresee them.
IdSource = Callable[[str], str]

#: Makes the unguessable part of a public URL: 26 characters, each of five random bits.
SlugSource = Callable[[], str]


def new_id(prefix: str, *, now_us: int, random_bits: int) -> str:
    """An id made of a prefix, the time in microseconds since 1970 and 64 random bits (RFC 9562, UUIDv7, method 3).

    Ids sort by time to the microsecond: what comes in one batch is listed, and begun anew, in its order.
    """
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}")
    unix_ms = (now_us // 1000) & (1 << 48) - 1
    rand_a, rand_b = now_us % 1000 << 2 | random_bits >> 62 & 0b11, random_bits & (1 << 62) - 1
    return f"{prefix}_{_base32(unix_ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)}"


def new_slug(*, random_bits: int) -> str:
    """A slug of 130 random bits: lower-case letters and digits, so that it survives being read out."""
    return _base32(random_bits & (1 << 130) - 1)


def is_id(text: str, prefix: str) -> bool:
    """Whether a text has the form of an id with this prefix."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == prefix


def _base32(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))
