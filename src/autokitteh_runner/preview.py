"""Short texts and digests of values, for people and for diagnosis. Never raises, never runs for long."""

import hashlib
import marshal
import pickle
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from copyreg import _slotnames  # type: ignore[attr-defined]  # as pickle does it, which has no other way either
from itertools import chain, islice
from typing import Any, Final

#: Characters of one preview.
LIMIT: Final = 200

_PLAIN: Final = (int, float, complex, bool, type(None))


def preview(value: Any, limit: int = LIMIT) -> str:
    """A value as a person would want to see it, in at most `limit` characters."""
    try:
        text = _show(value, limit, 4)
    except Exception:  # a user's class may do anything, even when asked for its attributes
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def preview_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Arguments, without the brackets around them."""
    if not args and not kwargs:
        return ""
    parts = [preview(arg, 80) for arg in args[:8]]
    parts += [f"{name}={preview(arg, 80)}" for name, arg in islice(kwargs.items(), 8)]
    text = ", ".join(parts)
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def shorten(text: str, limit: int) -> str:
    """A text in about `limit` characters: of a longer one its beginning and its end."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…\n…{text[-limit // 2 :]}"


def error_line(error: BaseException) -> str:
    """An exception's type and message."""
    return f"{type_name(error)}: {error_text(error)}"


def error_text(error: BaseException) -> str:
    """An exception's message."""
    try:
        return str(error)[:2000]
    except Exception:  # a user's __str__ may do anything
        return ""


def _show(value: Any, limit: int, depth: int) -> str:
    cls = type(value)
    if cls in (str, bytes, bytearray):
        return repr(value[: limit + 1])
    if cls in _PLAIN:
        # Very large integers are slow to turn into decimal digits, and Python may refuse to.
        return f"<int of {value.bit_length()} bits>" if cls is int and value.bit_length() > 1000 else repr(value)
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        items = (f"{_show(k, limit, depth - 1)}: {_show(v, limit, depth - 1)}" for k, v in islice(value.items(), 20))
        return "{" + _join(items, len(value) > 20, limit) + "}"
    if cls in (list, tuple, set, frozenset, deque):
        opening, closing = "()" if cls is tuple else "{}" if cls in (set, frozenset) else "[]"
        text = _join((_show(item, limit, depth - 1) for item in islice(value, 20)), len(value) > 20, limit)
        comma = "," if cls is tuple and len(value) == 1 else ""
        return opening + text + comma + closing
    return _show_object(value, limit)


def _join(parts: Any, more: bool, limit: int) -> str:
    texts: list[str] = []
    size = 0
    for part in parts:
        texts.append(part)
        size += len(part)
        if size > limit:
            more = True
            break
    return ", ".join(texts) + (", …" if more else "")


def _show_object(value: Any, limit: int) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return f"<{getattr(value, '__module__', None) or 'builtins'}.{value.__qualname__}>"
    text = repr(value)
    # An address says nothing to a person and differs in each run.
    return text if " at 0x" not in text[: limit + 40] else f"<{type(value).__qualname__}>"


def digest(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that are equal for equal plain arguments; "" where that can't be said cheaply."""
    if not (_is_small(args) and _is_small(kwargs.values())):
        return ""
    # Version 2 of marshal's format writes no references: what is equal is written equally, wherever it lives.
    try:
        data = marshal.dumps((tuple(args), tuple(kwargs.items())), 2)
    except ValueError:
        return ""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


#: What `digest` looks at, at most: characters, and items that count as many characters each.
_DIGEST_LIMIT: Final = 1 << 26
_DIGEST_ITEM: Final = 512
_CONTAINERS: Final = frozenset({tuple, list, dict, set, frozenset})


def _is_small(values: Iterable[Any]) -> bool:
    """Whether values can be written without references in short time; a few that share parts may have no end."""
    left = _DIGEST_LIMIT
    todo = [value for value in values if type(value) in _CONTAINERS]
    while todo:
        part = todo.pop()
        left -= len(part) * _DIGEST_ITEM
        if left < 0:
            return False
        for item in chain(part, part.values()) if type(part) is dict else part:
            cls = type(item)
            if cls in _CONTAINERS:
                todo.append(item)
            elif cls is str or cls is bytes:
                left -= len(item)
    return left >= 0


def explain_unpicklable(value: Any) -> str:
    """Which part of a value can't be pickled, as a path such as `.session.lock`, and why."""
    try:
        path, (part, why) = _find_unpicklable(value, "", 6)
    except Exception:  # a user's class may do anything when it is looked into
        path, part, why = "", value, "its parts can't be looked at"
    return f"{path or 'the value itself'} ({type_name(part)}): {why}"


def type_name(value: Any) -> str:
    """A value's type with its module."""
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _find_unpicklable(value: Any, path: str, depth: int) -> tuple[str, tuple[Any, str]]:
    error = _pickle_error(value)
    for name, part in _parts(value) if depth else ():
        if _pickle_error(part):
            return _find_unpicklable(part, path + name, depth - 1)
    return path, (value, error)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{preview(key, 30)}]", item) for key, item in islice(value.items(), 1000)]
    if isinstance(value, list | tuple):
        return [(f"[{i}]", item) for i, item in enumerate(value[:1000])]
    slots = [(name, getattr(value, name)) for name in _slotnames(type(value)) if hasattr(value, name)]
    attributes = [*getattr(value, "__dict__", {}).items(), *slots]
    return [(f".{name}", item) for name, item in attributes[:1000]]


def _pickle_error(value: Any) -> str:
    try:
        pickle.loads(pickle.dumps(value, 5))
    except Exception as err:  # whatever a user's __reduce__ raises
        return error_text(err) or type_name(err)
    return ""
