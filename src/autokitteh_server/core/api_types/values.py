"""What the types of the HTTP API are made of: pages, moments, and JSON values that may hold bytes.

A value of the user's (an event's data, a session's result) is JSON in which bytes stand as `{"$bytes": base64}`, whole
numbers of more than 600 digits as `{"$int": hexadecimal}`, and an object whose only key begins with "$" as
`{"$dict": ...}`.
"""

import re
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Raw, Struct

from autokitteh_runner.protocol import dump_json, load_json
from autokitteh_server.core.errors import InvalidArgument

T = TypeVar("T")

#: A moment by RFC 3339, in UTC.
Moment = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]

_VALUE = 'Any JSON value; bytes are {"$bytes": base64}'

#: A value of the user's, as text.
Value = Annotated[Raw, Meta(description=_VALUE)]

MAX_PAGE = 500

#: Levels of a value. Somewhat more could be read, but perhaps not where the stack is fuller than here.
MAX_NESTING = 200

_CURSOR = "`next` of the page before; it says nothing to anybody but the server"


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Some of a list's items, and how to ask for those that follow."""

    items: list[T]
    next: str | None = None  # a cursor; None: there are no more


class PageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list is wanted."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="How many at most")] = 50
    cursor: Annotated[str, Meta(max_length=1000, description=_CURSOR)] = ""


class Mistake(Struct, frozen=True, kw_only=True):
    """What went wrong."""

    code: Annotated[str, Meta(description="For programs; it stays the same")]
    message: Annotated[str, Meta(description="What happened, and where")]
    remedy: Annotated[str, Meta(description="How to mend it; may be empty")]


class Failure(Struct, frozen=True, kw_only=True):
    """The one shape of errors."""

    error: Mistake


def raw(value: Any) -> Raw:
    """A user's value made ready to be sent. What UTF-8 cannot carry in it is as in `readable`."""
    text = dump_json(value)
    if "\\ud" in text:
        text = _ESCAPE.sub(lambda found: f"\\\\{found[1]}" if found[1] else found[0], text)
    return Raw(text.encode())


def value_of(sent: Raw, name: str) -> Any:
    """The user's value that was sent in the field of this name. Raises InvalidArgument."""
    try:
        value = load_json(bytes(sent))
        dump_json(value)  # not all that can be read can be kept: 1e999 is infinite
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidArgument(f"{name}: it cannot be read: {reason}", "Send JSON, with bytes as base64.") from error
    if _is_deep(value):
        raise InvalidArgument(f"{name}: it has more than {MAX_NESTING} levels", "Send it as text, or flatter.")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_NESTING):
        lists = [item for each in level if isinstance(each, list) for item in each]
        level = lists + [item for each in level if isinstance(each, dict) for item in each.values()]
    return any(isinstance(each, list | dict) for each in level)


#: An escape in JSON text; of half a character by itself, with its code.
_ESCAPE = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)")


def readable(text: str) -> str:
    """Text that UTF-8 can carry: lone surrogates, which users' code may have made, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
