"""The check of data that leaves a session: JSON values, and bytes.

What leaves a session is read by others (the server, filters, another session, people), so that it cannot be pickled.
"""

import math
from typing import Any

#: Deeper data is a mistake, or made to exhaust the stack of whoever reads it.
MAX_DEPTH = 100

#: What to write instead, by the name of the type or of one it inherits.
_REMEDIES = {
    "date": "use .isoformat()",
    "time": "use .isoformat()",
    "timedelta": "use .total_seconds()",
    "Decimal": "use str() or float()",
    "Fraction": "use str() or float()",
    "UUID": "use str()",
    "PurePath": "use str()",
    "Enum": "use .value",
    "set": "use sorted() or list()",
    "frozenset": "use sorted() or list()",
    "generator": "use list()",
    "Mapping": "use dict()",
    "memoryview": "use bytes()",
    "BaseException": "use str()",
}


def check_json(value: Any, what: str) -> Any:
    """A deep copy of `value` made of None, bool, int, float, str, bytes, list and dict with string keys, exactly.

    Tuples become lists, bytearrays bytes, and subclasses (AttrDict, OrderedDict, IntEnum, numpy.float64) what they
    are subclasses of. Integers have no bounds; strings may hold lone surrogates.

    Raises TypeError, which names the place inside `what` (`data["when"][0]`) and the remedy, for anything else: other
    types, keys that are no strings, NaN and infinities, data that contains itself, and over `MAX_DEPTH` levels.
    """
    return _normalise(value, what, {})


def _normalise(value: Any, what: str, parents: dict[int, object]) -> Any:
    """`parents` are the containers being visited, by id and outermost first, each with the key that is visited."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, int):
        return value if type(value) is int else int.__int__(value)
    if isinstance(value, float):
        return _finite(value, what, parents)
    if isinstance(value, dict):
        return _dict(value, what, parents)
    if isinstance(value, list | tuple):
        return _list(value, what, parents)
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise _refusal(what, parents, f"{type(value).__name__} is not JSON; {_remedy(value)}")


def _finite(value: float, what: str, parents: dict[int, object]) -> float:
    if not math.isfinite(value):
        raise _refusal(what, parents, f"{value} is not JSON; use None or a string")
    return value if type(value) is float else float.__float__(value)


def _dict(value: dict[Any, Any], what: str, parents: dict[int, object]) -> dict[str, Any]:
    _check_entry(value, what, parents)
    copied = {}
    for key, element in value.items():
        parents[id(value)] = key
        copied[_key(key, what, parents)] = _normalise(element, what, parents)
    parents.pop(id(value), None)
    return copied


def _list(value: list[Any] | tuple[Any, ...], what: str, parents: dict[int, object]) -> list[Any]:
    _check_entry(value, what, parents)
    copied = []
    for index, element in enumerate(value):
        parents[id(value)] = index
        copied.append(_normalise(element, what, parents))
    parents.pop(id(value), None)
    return copied


def _check_entry(value: object, what: str, parents: dict[int, object]) -> None:
    if id(value) in parents:
        raise _refusal(what, parents, f"this {type(value).__name__} contains itself; JSON cannot say that")
    if len(parents) >= MAX_DEPTH:
        raise _refusal(what, parents, f"nested deeper than {MAX_DEPTH} levels; make it flatter")


def _key(key: object, what: str, parents: dict[int, object]) -> str:
    if isinstance(key, str):
        return key if type(key) is str else str.__str__(key)
    parents.popitem()  # the fault is the container's, not that of the element under this key
    raise _refusal(what, parents, f"the key {key!r} is {type(key).__name__}, not str; use strings as keys")


def _remedy(value: object) -> str:
    names = (base.__name__ for base in type(value).__mro__)
    found = next((_REMEDIES[name] for name in names if name in _REMEDIES), "")
    if not found and hasattr(value, "keys"):
        found = _REMEDIES["Mapping"]
    return found or "pass the parts of it that are plain data"


def _refusal(what: str, parents: dict[int, object], reason: str) -> TypeError:
    # A long way down, the beginning and the end of the path say enough.
    steps = [f"[{_quoted(key)}]" for key in parents.values()]
    shown = steps if len(steps) <= 12 else [*steps[:6], " ... ", *steps[-3:]]
    return TypeError(f"{what}{''.join(shown)}: {reason}")


def _quoted(key: object) -> str:
    """A key as a person writes it, in double quotes and escaped; indexes as they are."""
    text = repr(key if not isinstance(key, str) or len(key) <= 60 else key[:60] + "...")
    if isinstance(key, str) and text.startswith("'") and '"' not in text:
        return f'"{text[1:-1]}"'
    return text
