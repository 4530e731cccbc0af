"""Short texts and digests of values, for people and for diagnosis. Never raises, never runs for long."""

import hashlib
import marshal
import pickle
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

#: Characters of one preview.
LIMIT: Final = 200

_PLAIN: Final = (int, float, complex, bool, type(None))


def preview(value: Any, limit: int = LIMIT) -> str:
    """A value as a person would want to see it, in at most `limit` characters."""
    text = _show(value, limit, 4)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def preview_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Arguments, without the brackets around them."""
    if not args and not kwargs:
        return ""
    parts = [preview(arg, 80) for arg in args[:8]]
    parts += [f"{name}={preview(arg, 80)}" for name, arg in islice(kwargs.items(), 8)]
    text = ", ".join(parts)
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def error_line(error: BaseException) -> str:
    """An exception's type and message."""
    try:
        text = str(error)
    except Exception:  # a user's __str__ may do anything
        text = ""
    return f"{type_name(error)}: {text[:2000]}"


def _show(value: Any, limit: int, depth: int) -> str:
    cls = type(value)
    if cls is str or cls is bytes:
        return repr(value[: limit + 1])
    if cls in _PLAIN:
        # Very large integers are slow to turn into decimal digits, and Python may refuse to.
        return f"<int of {value.bit_length()} bits>" if cls is int and value.bit_length() > 1000 else repr(value)
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        items = (f"{_show(k, limit, depth - 1)}: {_show(v, limit, depth - 1)}" for k, v in islice(value.items(), 20))
        return "{" + _join(items, len(value) > 20, limit) + "}"
    if cls in (list, tuple, set, frozenset):
        opening, closing = "[]" if cls is list else "()" if cls is tuple else "{}"
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
    try:
        text = repr(value)
    except Exception:  # a user's __repr__ may do anything
        return f"<{type(value).__qualname__}>"
    # An address says nothing to a person and differs in each run.
    return text if " at 0x" not in text[: limit + 40] else f"<{type(value).__qualname__}>"


def digest(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that are equal for equal plain arguments; "" where that can't be said cheaply."""
    # Version 2 of marshal's format writes no references: what is equal is written equally, wherever it lives.
    try:
        data = marshal.dumps((tuple(args), tuple(kwargs.items())), 2)
    except ValueError:
        return ""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def explain_unpicklable(value: Any) -> str:
    """Which part of a value can't be pickled, as a path such as `.session.lock`, and why."""
    path, why = _find_unpicklable(value, "", 6)
    return f"{path or 'the value itself'} ({type_name(why[0])}): {why[1]}"


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
    return [(f".{name}", item) for name, item in islice(getattr(value, "__dict__", {}).items(), 1000)]


def _pickle_error(value: Any) -> str:
    try:
        pickle.loads(pickle.dumps(value, 5))
    except Exception as err:  # whatever a user's __reduce__ raises
        return f"{err}"
    return ""
