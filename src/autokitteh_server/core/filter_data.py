"""What filters see of one event: its type and its data, checked and converted once for all filters.

CEL's library would cut texts at a NUL, refuse a whole event for one odd character, and end the process on data that
is nested too deep. So everything is looked at before it gets there.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autokitteh_server.core.filter_language import bind_variables
from autokitteh_server.core.filter_text import readable

#: Bounds of an event that filters can read. The library recurses in C: 990 levels end the process.
MAX_NESTING = 200
MAX_WEIGHT = 16_000_000
MAX_VALUES = 1_000_000

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Activation:
    """An event as filters see it. One serves any number of filters.

    The library converts the data when the first filter needs it, so the data must stay as it is until then.
    """

    variables: object  # the library's, or None if there is a failure
    data: Any  # for saying what is missing
    weight: int = 0  # bytes of text and values in it
    longest: int = 0  # members of its longest list or map
    failure: str = ""  # why no filter can read this event


def activate(event_type: str | None, data: object) -> Activation:
    """An event for filters. Never raises: what cannot be read gives an activation on which every filter fails.

    Takes JSON with bytes. Texts get U+FFFD in place of NUL and lone surrogates; whole numbers of more than 64 bits
    become floats, as in other implementations of JSON.
    """
    data = {} if data is None else data
    kind = readable(event_type or "")
    try:
        if not isinstance(data, dict):
            raise _Unreadable(f"data: is {_noun(data)}, and must be a map")
        size = _survey(data)
        plain = data if size.is_plain else _plain(data, ())
        weight = size.weight + len(kind.encode())
        return Activation(bind_variables(kind, plain), plain, weight, size.longest)
    except _Unreadable as error:
        return Activation(None, data, failure=str(error))
    except Exception as error:  # the library has more ways to fail than it tells
        return Activation(None, data, failure=f"filters cannot read this event: {error}")


class _Unreadable(Exception):
    """Says why no filter can read the event."""


@dataclass(slots=True)
class _Size:
    weight: int = 0
    longest: int = 0
    values: int = 0
    is_plain: bool = True  # nothing in it has to be replaced


def _survey(data: object) -> _Size:
    """How large the data is, by levels, so that neither depth nor data that holds itself can hurt."""
    size = _Size()
    level = [data]
    for _ in range(MAX_NESTING):
        level = _survey_level(level, size)
        if size.weight > MAX_WEIGHT:
            raise _Unreadable(f"data: more than {MAX_WEIGHT:,} bytes, which is too much for filters")
        if not level:
            return size
    raise _Unreadable(f"data: nested more than {MAX_NESTING} deep")


def _survey_level(level: list[Any], size: _Size) -> list[Any]:
    below: list[Any] = []
    weight = len(level)
    for value in level:
        kind = type(value)
        if kind is str:
            weight += _weigh_text(value, size)
        elif kind is int:
            if not _SMALLEST <= value <= _LARGEST:
                size.is_plain = False
        elif kind is dict:
            size.longest = max(size.longest, len(value))
            for key in value:
                weight += _weigh_text(key, size) if type(key) is str else _reject_plain(size)
            below.extend(value.values())
        elif kind is list:
            size.longest = max(size.longest, len(value))
            below.extend(value)
        elif kind is bytes:
            weight += len(value)
            size.is_plain = size.is_plain and 0 not in value
        elif value is not None and kind is not bool and kind is not float:
            _reject_plain(size)
            below.extend(_members(value, size))
        if size.values + len(below) > MAX_VALUES:  # lists that hold one another double with each level
            raise _Unreadable(f"data: more than {MAX_VALUES:,} values, which is too much for filters")
    size.weight += weight
    size.values += len(below)
    return below


def _weigh_text(text: str, size: _Size) -> int:
    if text.isascii():
        size.is_plain = size.is_plain and "\0" not in text
        return len(text)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        size.is_plain = False
        return len(text) * 3
    size.is_plain = size.is_plain and 0 not in raw
    return len(raw)


def _reject_plain(size: _Size) -> int:
    size.is_plain = False
    return 0


def _members(value: object, size: _Size) -> list[Any]:
    """Of a value that is not of the plain types: a subclass of them, or another kind of row."""
    if isinstance(value, Mapping):
        size.longest = max(size.longest, len(value))
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        size.longest = max(size.longest, len(value))
        return list(value)
    if isinstance(value, (str, bytes, bytearray)):
        size.weight += 4 * len(value)
    return []


def _plain(value: object, path: tuple[str | int, ...]) -> Any:
    """The value in the types that CEL knows. Recurses no deeper than MAX_NESTING."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, str):
        return readable(str(value))
    if isinstance(value, int):
        return int(value) if _SMALLEST <= value <= _LARGEST else _as_float(value)
    if isinstance(value, Mapping):
        return {_plain_key(key, path): _plain(each, (*path, str(key))) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, (*path, at)) for at, each in enumerate(value)]
    if isinstance(value, (bytes, bytearray)):
        return bytearray(value)  # which the library takes whole; `bytes` it cuts at a NUL
    raise _Unreadable(f"{render_path(path)}: is {_noun(value)}, which filters cannot read")


def _plain_key(key: object, path: tuple[str | int, ...]) -> str:
    if isinstance(key, str):
        return readable(str(key))
    raise _Unreadable(f"{render_path(path)}: has a key that is {_noun(key)}, and must be a text")


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf


def render_path(path: tuple[str | int, ...], root: str = "data") -> str:
    """A path into an event's data as a filter has it: `data.commits[0].author`."""
    steps = (f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{_quoted(step)}]" for step in path)
    return root + "".join(steps)


def _quoted(step: str | int) -> str:
    return str(step) if isinstance(step, int) else '"' + step[:100].replace('"', '\\"') + '"'


def _noun(value: object) -> str:
    return f"of type {type(value).__name__}"
