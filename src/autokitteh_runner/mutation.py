"""What an activity changes in the objects it was given, recorded and put back in place.

Before an activity its mutable arguments are pickled; all objects reachable from them are numbered in the order in
which the pickler met them. If afterwards they pickle differently, or other objects are in their places, the new state
of each numbered object is recorded, in which other numbered objects stand as their numbers. In replay the same
objects get the same numbers, and states that differ are put back in place. So every reference the code holds to one
of them, however deep, goes on being right. That includes what a function among the arguments can reach. A result that
has objects in common with the arguments is recorded with them, so that it has in replay, too.
"""

import functools
import io
import pickle
import re
from collections.abc import Callable, Container, Sequence
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from autokitteh_runner.closures import Closure, reached_by
from autokitteh_runner.object_state import State, forced, is_same, put_back, state_of
from autokitteh_runner.preview import error_text, type_name
from autokitteh_runner.values import PLAIN_TYPES, PROTOCOL

_NEVER_CHANGE: Final = PLAIN_TYPES | {range, slice, type(...), type(NotImplemented), re.Pattern, Decimal, UUID}
_NEVER_CHANGE_BASES: Final = (
    *(date, time, timedelta, tzinfo, Enum, PurePath),
    *(type, ModuleType, FunctionType, BuiltinFunctionType, MethodType),
)

#: Arguments that pickle to more are not searched for equal objects that have changed places.
_TELL_EQUALS_BYTES: Final = 1 << 20

#: States of all numbered objects, or None if nothing has changed; then the result.
Content = tuple[list[State | None] | None, Any]


class Recorded(NamedTuple):
    """What there is to record of the arguments after a call."""

    payload: bytes
    has_result: bool  # the payload holds the result, too
    result: Any  # ... as replay will give it


class Snapshot:
    """The mutable arguments of one call, as they were when it was taken.

    `uncaptured` names those whose changes can't be followed, because they can't be pickled.
    """

    def __init__(self, arguments: Sequence[tuple[str, Any]]) -> None:
        closures: dict[int, Closure] = {}
        reached = ((label, value, reached_by(value, closures)) for label, value in arguments)
        self._roots = [(f"{label} ({type_name(value)})", what) for label, value, what in reached if _may_change(what)]
        self.uncaptured: list[str] = []
        self._before = self._dump_before() if self._roots else None

    def _dump_before(self) -> "_Graph | None":
        try:
            return self._dump()
        except Exception:  # whatever a user's __reduce__ raises
            self._drop_unpicklable()
        return self._dump() if self._roots else None

    def _dump(self) -> "_Graph":
        return _Graph([value for _, value in self._roots])

    def _drop_unpicklable(self) -> None:
        kept = []
        for label, value in self._roots:
            try:
                _Graph([value])
                kept.append((label, value))
            except Exception as err:
                self.uncaptured.append(f"{label}: {error_text(err)}")
        self._roots = kept

    def record(self, result: Any = None, *, alone: bool = True) -> Recorded | None:
        """What is to be recorded after the call; None if nothing has changed, or if that can't be recorded.

        New objects in the arguments are replaced by copies, as replay will have them; not so where other activities
        that may go on changing them are under way, and this one is not `alone`.
        """
        if self._before is None:
            return None
        try:
            return self._record(self._before, result, alone)
        except Exception as err:  # an activity may have put in what can't be pickled, or not unpickled
            self._give_up(err)
            return None

    def _record(self, before: "_Graph", result: Any, alone: bool) -> Recorded | None:
        after = self._dump()
        changed = not before.is_same_as(after, self._dump)
        has_result = _may_change(result) and _have_common_parts(result, before, after)
        if not changed and not has_result:
            return None
        objects = before.objects()
        states = before.states_to_record() if changed else None
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, objects)
        pickler.dump((len(objects), (states, result if has_result else None)))
        payload = buffer.getvalue()
        new_states, copy = _load_content(objects, payload)
        if not alone:
            return Recorded(payload, has_result, result)
        _put_all_back(objects, new_states, before.memo.keys() | cast("Any", pickler).memo.copy().keys())
        return Recorded(payload, has_result, copy)

    def _give_up(self, error: Exception) -> None:
        told = len(self.uncaptured)
        self._drop_unpicklable()
        cause = "" if len(self.uncaptured) > told else f": {error_text(error)}"
        self.uncaptured += [f"{label}, along with the rest{cause}" for label, _ in self._roots]

    def restore(self, payload: bytes) -> Any:
        """Put what was recorded in place, and give the result that was recorded with it.

        Raises UnpicklingError unless the snapshot is of the same arguments as when it was recorded.
        """
        before = self._before or _Graph([])
        states, result = _load_content(before.objects(), payload)
        _put_all_back(before.objects(), states, before.memo)
        return result


def _may_change(value: Any) -> bool:
    cls = type(value)
    if cls in _NEVER_CHANGE or issubclass(cls, _NEVER_CHANGE_BASES):
        return False
    return not (cls in (tuple, frozenset) and all(type(item) in _NEVER_CHANGE for item in value))


class _Graph:
    """Values as they are at one moment: how they pickle, and the objects they consist of."""

    def __init__(self, values: list[Any]) -> None:
        buffer = io.BytesIO()
        # Also keeps temporary objects alive, such as a __getstate__'s dict: their ids can't be taken again.
        self._pickler = pickle.Pickler(buffer, PROTOCOL)
        for value in values:
            self._pickler.dump(value)
        self.payload = buffer.getvalue()
        self._objects: list[Any] | None = None
        has_sets = pickle.EMPTY_SET in self.payload
        self._sets = {id(obj): list(obj) for _, obj in self.memo.values() if type(obj) is set} if has_sets else {}

    @functools.cached_property
    def memo(self) -> dict[int, tuple[int, Any]]:
        """The objects in the order in which the pickler met them, by id. To make this takes longer than to pickle."""
        return cast("dict[int, tuple[int, Any]]", cast("Any", self._pickler).memo.copy())

    def objects(self) -> list[Any]:
        """All objects that can change, in the pickler's order. Plain ones are left out: two may be one another time."""
        if self._objects is None:
            in_order = sorted(self.memo.values(), key=lambda entry: entry[0])
            self._objects = [obj for _, obj in in_order if _has_identity(obj)]
        return self._objects

    def is_same_as(self, other: "_Graph", again: Callable[[], "_Graph"]) -> bool:
        """Whether nothing has changed from this moment to the other: equal values, and the same objects.

        `again` dumps the values of the other moment once more.
        """
        if self.payload != other.payload:
            return False
        # The second compares numbers only: it is the same ids, or not.
        if len(self.payload) > _TELL_EQUALS_BYTES or self.memo == other.memo:
            return True
        mine, others = self.objects(), other.objects()
        if len(mine) != len(others):
            return False
        if all(a is b for a, b in zip(mine, others, strict=True)):
            return True
        # Objects that are made for pickling, a __getstate__'s dict for one, differ each time.
        third = again().objects()
        return all(a is b or b is not c for a, b, c in zip(mine, others, third, strict=True))

    def states_to_record(self) -> list[State | None]:
        """The states that the objects of this moment have by now."""
        return [forced(state_of(obj)) if self._is_changed_set(obj) else state_of(obj) for obj in self.objects()]

    def _is_changed_set(self, obj: Any) -> bool:
        # The order of a set depends on all that ever was in it, so that one which replay fills anew may have another
        # order than the one which an activity has changed. It is filled anew in the first run, too.
        return isinstance(obj, set) and not is_same(self._sets.get(id(obj)), list(obj), ())


def _has_identity(obj: Any) -> bool:
    return type(obj) is not tuple and _may_change(obj)


def _have_common_parts(result: Any, before: _Graph, after: _Graph) -> bool:
    try:
        memo = _Graph([result]).memo
    except Exception:  # whatever a user's __reduce__ raises; who records the result will see to that
        return False
    common = (memo.keys() & before.memo.keys()) | (memo.keys() & after.memo.keys())
    return any(_has_identity(memo[key][1]) for key in common)


class _Pickler(pickle.Pickler):
    """Writes numbered objects as their numbers."""

    def __init__(self, buffer: io.BytesIO, objects: list[Any]) -> None:
        super().__init__(buffer, PROTOCOL)
        self._numbers = {id(obj): number for number, obj in enumerate(objects)}

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj))


class _Unpickler(pickle.Unpickler):
    """Reads numbers as the objects that have them."""

    def __init__(self, buffer: io.BytesIO, objects: list[Any]) -> None:
        super().__init__(buffer)
        self._objects = objects

    def persistent_load(self, pid: int) -> Any:
        if pid >= len(self._objects):
            raise pickle.UnpicklingError("these are fewer objects than those it was recorded with")
        return self._objects[pid]


def _load_content(objects: list[Any], payload: bytes) -> Content:
    count, content = _Unpickler(io.BytesIO(payload), objects).load()
    if count != len(objects):
        raise pickle.UnpicklingError("these are other objects than those it was recorded with")
    return cast("Content", content)


def _put_all_back(objects: list[Any], states: list[State | None] | None, lasting: Container[int]) -> None:
    if states is None:
        return
    # What is as recorded already is left alone: it may be being iterated over, and a __setstate__ may make new
    # objects. To be told before anything is touched, for states may be computed.
    different = [
        (target, old, new)
        for target, old, new in zip(objects, map(state_of, objects), states, strict=True)
        if not is_same(old, new, lasting)
    ]
    for target, old, new in different:
        put_back(target, old, new, lasting)
