"""The state of one object by itself: read, compared, and put back into that very object.

It follows pickle's protocol, so that a class which says how it is pickled is understood, but treats an object as a
place that others refer to: its state is replaced and the object stays.
"""

import copyreg
import pickle
from array import array
from collections import deque
from collections.abc import Callable, Container
from typing import Any, Final

from autokitteh_runner.preview import type_name
from autokitteh_runner.values import PROTOCOL

#: What an object holds, with the objects in it as they are. The forms:
#: ("list", items)   and likewise of a dict, set, deque, bytearray or array
#: ("attributes", dict, slots, items, pairs)   an object as pickle sees it unless its class says otherwise
#: ("reduced", made, state, items, pairs)   an object whose class does say otherwise
State = tuple[Any, ...]

_CONTENTS: Final[dict[type, Callable[[Any], Any]]] = {
    list: list,
    dict: lambda value: [*value, *value.values()],
    set: list,
    deque: list,
    bytearray: bytes,
    array: array.tobytes,
}

# As Any, for these are compared with methods of other types.
_DEFAULT_GETSTATE: Final[Any] = object.__getstate__
_REDUCE_OF_SET: Final[Any] = set.__reduce__


def state_of(obj: Any) -> State | None:
    """An object's state, without those of the objects in it; None for one that has none."""
    content = _CONTENTS.get(type(obj))
    if content is not None:
        return (type(obj).__name__, content(obj))
    reduce = copyreg.dispatch_table.get(type(obj))
    reduced = reduce(obj) if reduce else obj.__reduce_ex__(PROTOCOL)
    if isinstance(reduced, str):  # the name of a global
        return None
    make, args, state, items, pairs = (*reduced, None, None, None)[:5]
    items, pairs = (None if part is None else list(part) for part in (items, pairs))
    if type(obj).__reduce__ is _REDUCE_OF_SET:
        make, items = copyreg.__newobj__, list(obj)  # type: ignore[attr-defined]
    if make in (copyreg.__newobj__, copyreg.__newobj_ex__):  # type: ignore[attr-defined]
        if type(obj).__getstate__ is _DEFAULT_GETSTATE:
            # The very __dict__ and not a copy: it may have a number of its own, as code may hold vars(obj).
            return ("attributes", getattr(obj, "__dict__", None), _slots(obj), items, pairs)
        return ("reduced", None, state, items, pairs)
    return ("reduced", (make, args), state, items, pairs)


def forced(state: State | None) -> State | None:
    """The state of a set such that it is put back even if it seems to be the same: no other has a tuple."""
    return state and tuple(tuple(part) if type(part) is list else part for part in state)


def _slots(obj: Any) -> dict[str, Any]:
    names = copyreg._slotnames(type(obj))  # type: ignore[attr-defined]
    return {name: getattr(obj, name) for name in names if hasattr(obj, name)}


#: Equal values of these are the same for all purposes. Floats are not: there are 0.0 and -0.0.
_COMPARABLE: Final = frozenset({str, int, bool, bytes})


def is_same(old: Any, new: Any, lasting: Container[int], depth: int = 8) -> bool:
    """Whether two states hold the same objects, or plain and equal ones.

    `lasting` are ids of the objects that others may refer to, too. The other containers in `old` were made along with
    the state, and are compared by what is in them.
    """
    if old is new:
        return True
    cls = type(old)
    if cls is not type(new) or depth == 0:
        return False
    if cls in _COMPARABLE:
        return bool(old == new)
    if cls is float:
        return repr(old) == repr(new)
    if cls is dict and id(old) not in lasting:
        old, new = [*old, *old.values()], [*new, *new.values()]
    elif cls is not tuple and (cls is not list or id(old) in lasting):
        return False
    return len(old) == len(new) and all(is_same(a, b, lasting, depth - 1) for a, b in zip(old, new, strict=True))


def put_back(target: Any, old: State | None, new: State | None, lasting: Container[int]) -> None:
    """Give an object a new state in place; `old` is what it has. Raises UnpicklingError if it can't have that."""
    if old is None or new is None or old[0] != new[0]:
        raise pickle.UnpicklingError(f"a {type_name(target)} is now pickled in another way than then")
    if len(new) == 2:
        _refill(target, new[1])
        return
    form, first, second, items, pairs = new
    if form == "reduced" and not is_same(old[1], first, lasting):
        _become(target, first[0](*first[1]))
    # As unpickling does: what is in it first, its attributes last.
    if items is not None:
        _refill(target, items)
    if pairs is not None:
        target.clear()
        for key, value in pairs:
            target[key] = value
    if form == "attributes":
        _set_attributes(target, first, second)
    elif not is_same(old[2], second, lasting):
        _set_state(target, old[2], second)


def _refill(target: Any, items: Any) -> None:
    if isinstance(target, bytearray):
        target[:] = items
    elif isinstance(target, array):
        del target[:]
        target.frombytes(items)
    elif isinstance(target, dict):
        target.clear()
        half = len(items) // 2
        for key, value in zip(items[:half], items[half:], strict=True):
            target[key] = value
    else:
        target.clear()
        (target.update if isinstance(target, set) else target.extend)(items)


def _become(target: Any, fresh: Any) -> None:
    """Take over what an object is made from, where its class passes that to a function: a Counter does."""
    if type(fresh) is not type(target):  # an iterator that is at its end, say, for which there is nothing to be done
        return
    for base, content in _CONTENTS.items():
        if isinstance(target, base):
            _refill(target, content(fresh))
    if hasattr(target, "__dict__"):
        vars(target).update(vars(fresh))
    for name, value in _slots(fresh).items():
        object.__setattr__(target, name, value)


def _set_attributes(target: Any, attributes: dict[str, Any] | None, slots: dict[str, Any]) -> None:
    # Past the class's own __setattr__, as unpickling does it: the class may be frozen, or may do something more.
    if attributes is not None and vars(target) is not attributes:
        object.__setattr__(target, "__dict__", attributes)
    for name in _slots(target).keys() - slots.keys():
        object.__delattr__(target, name)
    for name, value in slots.items():
        object.__setattr__(target, name, value)


def _set_state(target: Any, old: Any, new: Any) -> None:
    # Only what the state speaks of may go. A __getstate__ leaves out what can't be pickled, and that must stay.
    own = getattr(target, "__dict__", {})
    attributes, slots = _state_parts(old)
    for name in [*attributes]:
        own.pop(name, None)
    if new is not None and hasattr(target, "__setstate__"):
        target.__setstate__(new)
        return
    attributes, new_slots = _state_parts(new)
    for name in slots.keys() - new_slots.keys():
        object.__delattr__(target, name)
    own.update(attributes)
    for name, value in new_slots.items():
        object.__setattr__(target, name, value)


def _state_parts(state: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes and slots in a state of the usual shapes."""
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    return attributes if type(attributes) is dict else {}, slots if type(slots) is dict else {}
