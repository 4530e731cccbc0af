"""Requests to values: a body, a query, parts of a path. What cannot be used is named, with its place in the request."""

import re
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from autokitteh_server.api.refusals import JSON, TooLarge, WrongMediaType
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.core.names import is_plain_text

T = TypeVar("T", bound=Struct)

_WHERE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<place>.*)`", re.DOTALL)
_LONGEST_PART = 300
_FORM = "The document /api/v1/openapi.json says what it must be."


def check_media_type(given: str, *, is_empty: bool) -> None:
    """Raises WrongMediaType for a body that is not said to be JSON."""
    media_type = given.partition(";")[0].strip().lower()
    if not is_empty and media_type != JSON and not media_type.endswith("+json"):
        said = f"not {media_type}" if media_type else "and does not say what it is"
        raise WrongMediaType(f"the body must be JSON, {said}", f"Send the header `Content-Type: {JSON}`.")


async def read_body(stream: AsyncIterable[bytes], announced: str, limit: int) -> bytes:
    """A body of at most so many bytes. Raises TooLarge, before reading it where its length is announced."""
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def decode_body(body: bytes, kind: type[T]) -> T:
    """The value of a body; an empty one is an object without fields. Raises InvalidArgument."""
    try:
        found = msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _invalid("body", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"the body is not JSON: {error}", _FORM) from error
    except RecursionError as error:
        raise InvalidArgument("the body is nested too deep", _FORM) from error
    _check_texts(found, "body")
    return found


def decode_query(items: Iterable[tuple[str, str]], kind: type[T]) -> T:
    """The value of a query. Raises InvalidArgument."""
    given: dict[str, str] = {}
    for name, text in items:
        if name in given:
            raise InvalidArgument(f"query: {name!r} is given twice", "Give it once.")
        given[name] = text
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid("query", str(error)) from error
    _check_texts(found, "query")
    return found


def check_path(parts: Mapping[str, str]) -> None:
    """Raises NotFound for names that nothing can have."""
    for name, text in parts.items():
        if len(text) > _LONGEST_PART or not is_plain_text(text):
            raise NotFound(f"there is no {name} {text[:50]!r}")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body has more than {limit:,} bytes", "Send less at a time.")


def _invalid(part: str, problem: str) -> InvalidArgument:
    found = _WHERE.fullmatch(problem)
    what, place = (found["what"], found["place"]) if found else (problem, "")
    return InvalidArgument(f"{place or part}: {what[:1].lower()}{what[1:]}", _FORM)


def _check_texts(value: Any, place: str) -> None:
    """Raises InvalidArgument for text that no database takes."""
    if isinstance(value, str):
        if not is_plain_text(value):
            raise InvalidArgument(f"{place}: it has a character that cannot be stored", "Use ordinary text.")
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            _check_texts(getattr(value, name), name)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name, f"{place}: {name!r:.50}")
            _check_texts(inner, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _check_texts(inner, f"{place}[{number}]")
