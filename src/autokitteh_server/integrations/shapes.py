"""Structs that have all their fields, always: what a service leaves out is there, and empty.

Filters and code rest on it: `data.thread_ts == ''`, `if not event.data.subtype`. A shape is a table of the fields and
what each is when it is not there. Fields that a shape does not know are kept as they came.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autokitteh_server.integrations.snake import snake

_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")

#: What a field is when it is not there ("", 0, False, None, or () for an empty list), or what it is made of.
Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A struct that may be missing: None."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Each:
    """A list of structs."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class ByKey:
    """Structs by keys that are somebody's, and are kept as they are. None: values are, too."""

    shape: Shape | None = None


def texts(names: str) -> dict[str, str]:
    """Fields that are texts, named in one text."""
    return dict.fromkeys(names.split(), "")


def shaped(value: object, shape: Shape, *, name_of: Callable[[str], str] = str) -> dict[str, Any]:
    """A struct of this shape. `name_of`: what a field of the service's is called."""
    given = {name_of(name): each for name, each in value.items()} if isinstance(value, Mapping) else {}
    found = {name: _field(given.get(name), kind, name_of) for name, kind in shape.items()}
    return {**found, **{name: _unknown(each, name_of) for name, each in given.items() if name not in shape}}


def shaped_snake(value: object, shape: Shape) -> dict[str, Any]:
    """A struct of this shape, of one whose names are in camel case."""
    return shaped(value, shape, name_of=snake)


def _field(value: Any, kind: Any, name_of: Callable[[str], str]) -> Any:
    match kind:
        case Maybe(shape):
            return shaped(value, shape, name_of=name_of) if isinstance(value, Mapping) else None
        case Each(shape):
            items = value if isinstance(value, list) else []
            return [shaped(each, shape, name_of=name_of) for each in items if isinstance(each, Mapping)]
        case ByKey(shape):
            by_key = value if isinstance(value, Mapping) else {}
            if shape is None:
                return dict(by_key)
            return {key: shaped(each, shape, name_of=name_of) for key, each in by_key.items()}
        case Mapping():
            return shaped(value, kind, name_of=name_of)
    if value is None:
        return list(kind) if isinstance(kind, tuple) else kind
    if type(kind) is int and isinstance(value, str) and _NUMBER.fullmatch(value):  # as Google sends long numbers
        return int(value)
    return _unknown(value, name_of)


def _unknown(value: Any, name_of: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {name_of(name): _unknown(each, name_of) for name, each in value.items()}
    if isinstance(value, list):
        return [_unknown(each, name_of) for each in value]
    return value
