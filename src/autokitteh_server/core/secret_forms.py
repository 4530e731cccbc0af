"""Masks the secrets of one session in what people will read of it, in all the forms that a secret takes on its way."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from autokitteh_runner.protocol import dump_json, load_json
from autokitteh_server.core.masking import MASK

#: Shorter values are no secrets that could be masked: they stand in most texts by chance.
SHORTEST = 6


def mask_of(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that puts `***` in the place of each secret in a text.

    As it is, as a part of a URL, of a JSON text, of a Python literal, and of something in base64, alone or with more
    around it.
    """
    forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    if not forms:
        return _as_it_is
    # The longest first: of two forms one of which begins with the other, no end may stay.
    pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
    return lambda text: pattern.sub(MASK, text)


def mask_value(value: Any, mask: Callable[[str], str]) -> Any:
    """A JSON value, in which bytes may occur, with `mask` applied to all of it.

    Where that leaves no JSON, as where a number was secret, the value is what is left, as a text.
    """
    text = dump_json(value)
    masked = mask(text)
    if masked == text:
        return value
    try:
        return load_json(masked)
    except ValueError:
        return masked


def _as_it_is(text: str) -> str:
    return text


def _forms(secret: str) -> Iterator[str]:
    for part in {secret, *(line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST)}:
        yield part
        yield quote(part, safe="")
        yield quote(part)
        yield quote_plus(part)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield repr(part)[1:-1]
        yield from _encoded(part.encode("utf-8", "surrogatepass"))


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
