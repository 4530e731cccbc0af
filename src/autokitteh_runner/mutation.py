"""What an activity changes in the objects it was given, recorded and put back in place.

Before an activity its mutable arguments are pickled; all objects reachable from them are numbered in the order in
which the pickler met them. If they pickle differently afterwards, the new state of each numbered object is recorded,
in which other numbered objects stand as their numbers. In replay the same objects get the same numbers, and their
states are put back in place. So every reference the code holds to one of them, however deep, goes on being right.
"""

import contextlib
import io
import pickle
from collections import deque
from collections.abc import Callable, Sequence
from copyreg import dispatch_table
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final, cast
from uuid import UUID

from autokitteh_runner.preview import type_name
from autokitteh_runner.values import PLAIN_TYPES, PROTOCOL

_NEVER_CHANGE: Final = PLAIN_TYPES | {range, slice, type(...), Decimal, UUID, timedelta, type(NotImplemented)}
_NEVER_CHANGE_BASES: Final = (date, time, tzinfo, Enum, type, ModuleType)
_CODE: Final = (FunctionType, BuiltinFunctionType, MethodType)

State = tuple[str, Any]


class Snapshot:
    """The mutable arguments of one call, as they were when it was taken.

    `uncaptured` names those whose changes can't be followed, because they can't be pickled.
    """

    def __init__(self, arguments: Sequence[tuple[str, Any]]) -> None:
        self._roots = [(label, value) for label, value in arguments if _may_change(value)]
        self.uncaptured: list[str] = []
        self._before: tuple[bytes, pickle.Pickler] | None = None
        self._after: tuple[bytes, pickle.Pickler] | None = None
        if self._roots:
            self._before = self._dump_before()

    def _dump_before(self) -> tuple[bytes, pickle.Pickler] | None:
        try:
            return _dump([value for _, value in self._roots])
        except Exception:  # whatever a user's __reduce__ raises
            self._drop_unpicklable()
        return _dump([value for _, value in self._roots]) if self._roots else None

    def _drop_unpicklable(self) -> None:
        kept = []
        for label, value in self._roots:
            try:
                _dump([value])
                kept.append((label, value))
            except Exception as err:
                self.uncaptured.append(f"{label} ({type_name(value)}): {err}")
        self._roots = kept

    def changes(self) -> bytes | None:
        """The new states, if anything has changed since the snapshot; None if not, or if that can't be recorded."""
        if self._before is None:
            return None
        before, pickler = self._before
        try:
            self._after = _dump([value for _, value in self._roots])
            return None if self._after[0] == before else _dump_states(_numbered(pickler))
        except Exception as err:  # an activity may have put in what can't be pickled
            self.uncaptured.append(f"{self._roots[0][0]} ({type_name(self._roots[0][1])}): {err}")
            return None

    def restore(self, changes: bytes) -> None:
        """Put recorded states in place. The snapshot must be of the same arguments as when they were recorded."""
        if self._before is None:
            raise pickle.UnpicklingError("the arguments can't be followed any more")
        objects = _numbered(self._before[1])
        unpickler = pickle.Unpickler(io.BytesIO(changes))
        unpickler.persistent_load = objects.__getitem__  # type: ignore[method-assign]
        for target, state in zip(objects, unpickler.load(), strict=True):
            if state is not None:
                _put_back(target, state)

    def find(self, result: Any) -> int | None:
        """The number of a result that is part of the arguments, as they are after the call."""
        if self._before is None or not _may_change(result):
            return None
        return next((n for n, obj in enumerate(self._numbered_after()) if obj is result), None)

    def part(self, number: int) -> Any:
        """The object that `find` numbered."""
        return self._numbered_after()[number]

    def _numbered_after(self) -> list[Any]:
        if self._after is None:
            try:
                self._after = _dump([value for _, value in self._roots])
            except Exception:  # what can't be pickled any more has no numbered parts
                return []
        return _numbered(self._after[1])


def _may_change(value: Any) -> bool:
    cls = type(value)
    if cls in _NEVER_CHANGE or isinstance(value, (_NEVER_CHANGE_BASES, _CODE)):
        return False
    return any(map(_may_change, value)) if cls in (tuple, frozenset) else True


def _dump(values: list[Any]) -> tuple[bytes, pickle.Pickler]:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, PROTOCOL)
    pickler.dump(values)
    return buffer.getvalue(), pickler


def _numbered(pickler: pickle.Pickler) -> list[Any]:
    """The objects a pickler has met, in its order. Plain ones are left out: equal strings may be one object or two."""
    # The memo also keeps temporary objects alive, such as a __getstate__'s dict: their ids can't be taken again.
    memo = cast("dict[int, tuple[int, Any]]", cast("Any", pickler).memo.copy())
    in_order = sorted(memo.values(), key=lambda entry: entry[0])
    return [obj for _, obj in in_order if type(obj) is not tuple and _may_change(obj)]


def _dump_states(objects: list[Any]) -> bytes:
    numbers = {id(obj): number for number, obj in enumerate(objects)}
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, PROTOCOL)
    # Own subclasses would do as well; an attribute is honoured by the C pickler just the same, and is shorter.
    pickler.persistent_id = lambda obj: numbers.get(id(obj))  # type: ignore[method-assign]
    pickler.dump([_state(obj) for obj in objects])
    return buffer.getvalue()


_CONTAINERS: Final[dict[type, Callable[[Any], Any]]] = {
    list: list,
    dict: lambda value: list(value.items()),
    set: list,
    bytearray: bytes,
    deque: list,
}


def _state(obj: Any) -> State | None:
    """The state of one object, without that of the objects in it; None for one that has none."""
    shallow = _CONTAINERS.get(type(obj))
    if shallow is not None:
        return ("container", shallow(obj))
    reduce = dispatch_table.get(type(obj))
    reduced = reduce(obj) if reduce else obj.__reduce_ex__(PROTOCOL)
    if isinstance(reduced, str):
        return None
    state, items, pairs = (tuple(reduced) + (None,) * 3)[2:5]
    if state is None and items is None and pairs is None and not hasattr(obj, "__dict__"):
        return None
    return (
        "object",
        (_detach(state), None if items is None else list(items), None if pairs is None else list(pairs)),
    )


def _detach(state: Any) -> Any:
    # The state may be the very __dict__ that has a number of its own: in place of it only the copy must be emptied.
    if type(state) is dict:
        return dict(state)
    if type(state) is tuple and len(state) == 2:
        return (_detach(state[0]), _detach(state[1]))
    return state


def _put_back(target: Any, state: State) -> None:
    form, value = state
    if form == "container":
        _refill(target, value)
    else:
        _set_state(target, *value)


def _refill(target: Any, items: Any) -> None:
    if isinstance(target, list | bytearray):
        target[:] = items
        return
    target.clear()
    if isinstance(target, deque):
        target.extend(items)
    else:
        target.update(items)


def _set_state(target: Any, state: Any, items: list[Any] | None, pairs: list[Any] | None) -> None:
    if state is not None and hasattr(target, "__setstate__"):
        target.__setstate__(state)
    else:
        attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
        if hasattr(target, "__dict__"):
            target.__dict__.clear()
            target.__dict__.update(attributes or {})
        for name, value in (slots or {}).items():
            object.__setattr__(target, name, value)
    if items is not None or isinstance(target, list | deque):
        _clear(target)
        target.extend(items or ())
    if pairs is not None or isinstance(target, dict):
        _clear(target)
        for key, value in pairs or ():
            target[key] = value


def _clear(target: Any) -> None:
    # A class of the user's that reduces to items it appends, and has no way to be emptied, keeps what it has.
    with contextlib.suppress(AttributeError):
        target.clear()
