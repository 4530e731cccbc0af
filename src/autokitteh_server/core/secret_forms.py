"""Masks secrets in what people will read, in all the forms that a secret takes on its way."""

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from autokitteh_runner.protocol import dump_json, load_json

#: What stands in a secret's place.
MASK = "***"

#: Shorter values are no secrets that could be masked: they stand in most texts by chance.
SHORTEST = 6

#: So often a literal may be within another: a JSON text in a JSON text of which the log shows the repr.
_NESTED = 3

#: What previews that were cut have at their ends.
_CUT = "…"

#: Up to so many beginnings are looked for one by one; for more, each place in the text is looked up.
_FEW = 64


class Finder:
    """Finds forms of secrets in texts. As long as nothing is added, threads may share it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._beginnings: dict[str, set[str]] = {}  # forms by their first letters
        self._ends: dict[str, set[str]] = {}  # ... and by their last
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """From now on find this one, too, if it is long enough."""
        if len(secret) >= SHORTEST:
            for form in forms_of(secret):
                self._beginnings.setdefault(form[:SHORTEST], set()).add(form)
                self._ends.setdefault(form[-SHORTEST:], set()).add(form)

    def mask(self, text: str) -> str:
        """The text with `***` in the place of each secret.

        Also of what is left of one where the text was cut: a secret's beginning at the text's end or before a `…`, and
        its end at the text's beginning or behind one.
        """
        if len(text) < SHORTEST:
            return text
        beginnings, ends = _those_in(text, self._beginnings), _those_in(text, self._ends)
        if not beginnings and not ends:
            return text
        found = [form for start in beginnings for form in self._beginnings[start] if form in text]
        if found:
            # The longest first: of two forms one of which begins with the other, no end may stay.
            pattern = "|".join(map(re.escape, sorted(found, key=len, reverse=True)))
            text = re.sub(pattern, MASK, text)
        parts = text.split(_CUT)
        for start in beginnings:
            parts = [_without_beginning(part, start, self._beginnings[start]) for part in parts]
        for end in ends:
            parts = [_without_end(part, end, self._ends[end]) for part in parts]
        return _CUT.join(parts)


def _those_in(text: str, short: Collection[str]) -> list[str]:
    """Which of these texts of SHORTEST letters are in the text."""
    if len(short) <= _FEW:
        return [each for each in short if each in text]
    return [each for each in {text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)} if each in short]


def _without_beginning(text: str, start: str, forms: Collection[str]) -> str:
    """The text without the beginning of one of the forms, which all have the same first letters, at its end."""
    at = text.find(start, max(0, len(text) - max(map(len, forms))))
    while at >= 0:
        rest = text[at:]
        if any(form.startswith(rest) for form in forms):
            return text[:at] + MASK
        at = text.find(start, at + 1)
    return text


def _without_end(text: str, end: str, forms: Collection[str]) -> str:
    """The text without the end of one of the forms, which all have the same last letters, at its beginning."""
    at = text.rfind(end, 0, max(map(len, forms)))
    while at >= 0:
        rest = text[: at + SHORTEST]
        if any(form.endswith(rest) for form in forms):
            return MASK + text[len(rest) :]
        at = text.rfind(end, 0, at + SHORTEST - 1)
    return text


def mask_of(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that puts `***` in the place of each secret in a text.

    As it is, as a part of a URL, of a JSON text, of a Python literal, and of something in base64, alone or with more
    around it.
    """
    return Finder(secrets).mask


def mask_value(value: Any, mask: Callable[[str], str]) -> Any:
    """A JSON value, in which bytes may occur, with `mask` applied to all of it.

    Where that leaves no JSON, as where a number was secret, the value is what is left, as a text.
    """
    value = _masked_inside(value, mask)
    text = dump_json(value)
    masked = mask(text)
    if masked == text:
        return value
    try:
        return load_json(masked)
    except ValueError:
        return masked


def _masked_inside(value: Any, mask: Callable[[str], str]) -> Any:
    """A value with `mask` applied to each text in it."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked_inside(item, mask) for item in value]
    if isinstance(value, dict):
        return {mask(name): _masked_inside(item, mask) for name, item in value.items()}
    return value


def forms_of(secret: str) -> Iterator[str]:
    """A secret as it is and in other forms, and each of its lines likewise, as a traceback shows them."""
    for part in {secret, *(line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST)}:
        yield part
        yield from _in_url(part)
        literals = {part}
        for _ in range(_NESTED):
            literals = {form for literal in literals for form in _literals(literal)}
            yield from literals
        yield from _encoded(part.encode("utf-8", "surrogatepass"))


def _in_url(text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    for form in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield form
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form)


def _literals(text: str) -> Iterator[str]:
    """A text between quotes, in JSON and in Python."""
    escaped = json.dumps(text)[1:-1]
    yield escaped
    yield escaped.replace("/", "\\/")  # as JavaScript and PHP may write it
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield from (repr(text)[1:-1], ascii(text)[1:-1], repr(text.encode("utf-8", "surrogatepass"))[2:-1])
    # Of a text that has quotes of both kinds, if only around this one, the single ones are escaped.
    yield repr(f"{text}'\"")[1:-4]


def _encoded(secret: bytes) -> Iterator[str]:
    """What of base64 depends on the secret alone, wherever in the encoded bytes it begins: `user:password`, say."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret).decode().rstrip("=")
        # Letters that are made of neighbours' bits as well are left out: they differ.
        begin = (0, 2, 3)[offset]
        end = len(encoded) - (0 if (offset + len(secret)) % 3 == 0 else 1)
        form = encoded[begin:end]
        if len(form) >= SHORTEST:
            yield form
            yield form.translate(str.maketrans("+/", "-_"))
            yield quote_plus(form)
            yield form.replace("/", "\\/")
