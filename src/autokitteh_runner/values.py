"""Results and exceptions as bytes and back.

An activity's result is what the code gets as an unpickled copy, the first time as in replay. An exception is
rebuilt without its `__init__`, whose parameters need not be what `args` holds, from its type, its `args` and those of
its attributes that can be pickled.
"""

import contextlib
import io
import pickle
import types
from typing import Any, Final

from autokitteh.errors import UnpicklableResultError
from autokitteh_runner.preview import error_line, error_text, explain_unpicklable, preview, type_name

PROTOCOL: Final = 5  # of pickle; the highest that all supported versions of Python share

#: Types whose values can't change and whose identity nobody asks for: they need no copy.
PLAIN_TYPES: Final = frozenset({type(None), bool, int, float, complex, str, bytes})

#: What to do about a result that can't be recorded; by whether the author has marked the activity.
_REMEDY: Final = {
    False: "Call it in a function of yours that is marked @autokitteh.activity and returns plain data",
    True: "Use it inside the activity, and return plain data instead: numbers, text, lists and dicts of these, or "
    "objects of classes at the top level of a module",
}


def dump_result(result: Any, name: str, *, marked: bool = False) -> bytes:
    """A result, pickled. Raises UnpicklableResultError, which says which part can't be, and what to do.

    `marked`: the author has marked it as an activity.
    """
    try:
        return pickle.dumps(result, PROTOCOL)
    except Exception as err:  # whatever a user's __reduce__ raises
        raise UnpicklableResultError(
            f"{name} returned a {type_name(result)}, which can't be recorded: {explain_unpicklable(result)}. "
            + _REMEDY[marked]
        ) from err


def load_result(payload: bytes, name: str, *, marked: bool = False) -> Any:
    """The copy of a result. Raises UnpicklableResultError for one that can be pickled and not unpickled."""
    try:
        return pickle.loads(payload)
    except Exception as err:  # whatever a user's __setstate__ raises
        raise UnpicklableResultError(
            f"The result of {name} was pickled and can't be unpickled: {error_line(err)}. {_REMEDY[marked]}"
        ) from err


def dump_error(error: BaseException) -> bytes:
    """An exception, pickled such that `load_error` gives one of the same type. Raises UnpicklableResultError."""
    try:
        try:
            return _checked_error(error, None)
        except Exception:  # something in it can't be pickled: look what
            return _checked_error(error, {})
    except Exception as err:  # whatever a user's class raises
        raise UnpicklableResultError(
            f"{error_line(error)} (raised in an activity) can't be recorded: {error_text(err)}. An exception that "
            "leaves an activity must be of a class at the top level of a module"
        ) from err


def load_error(payload: bytes) -> BaseException:
    """The exception that `dump_error` was given, rebuilt."""
    error = pickle.loads(payload)
    assert isinstance(error, BaseException)
    return error


def _checked_error(error: BaseException, trials: "_Trials | None") -> bytes:
    buffer = io.BytesIO()
    _ErrorPickler(buffer, trials).dump(error)
    copy = load_error(buffer.getvalue())
    if type(copy) is not type(error):
        raise TypeError(f"it comes back as a {type_name(copy)}")
    return buffer.getvalue()


#: By id: values found to survive pickling or not, and kept so that no other takes the id; None while it is tried.
_Trials = dict[int, tuple[Any, bool | None]]


class _ErrorPickler(pickle.Pickler):
    """Pickles exceptions, at any depth, as what rebuilds them. With `trials` it leaves out what can't be pickled."""

    def __init__(self, buffer: io.BytesIO, trials: _Trials | None) -> None:
        super().__init__(buffer, PROTOCOL)
        self._trials = trials

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, BaseException):
            return NotImplemented
        if _new_of(type(obj)).__self__.__module__ != "builtins":
            # A class of another language's may keep what no attribute shows; such a one has a __reduce__ of its own.
            return NotImplemented
        args = tuple(arg if self._survives(arg) else preview(arg) for arg in obj.args)
        fields = {name: value for name, value in _fields(obj).items() if self._survives(value)}
        attributes = {name: value for name, value in vars(obj).items() if self._survives(value)}
        cause = obj.__cause__ if self._survives(obj.__cause__) else None
        # All but what a group can't be without goes into its state, in which exceptions may refer to one another.
        parts = (obj.message, list(obj.exceptions)) if isinstance(obj, BaseExceptionGroup) else ()
        state = (args, fields, attributes, cause, obj.__suppress_context__)
        return _rebuild, (type(obj), *parts), state, None, None, _set_state

    def _survives(self, value: Any) -> bool:
        trials = self._trials
        if trials is None or type(value) in PLAIN_TYPES:
            return True
        if id(value) not in trials:
            trials[id(value)] = (value, None)
            try:
                buffer = io.BytesIO()
                _ErrorPickler(buffer, trials).dump(value)
                pickle.loads(buffer.getvalue())
                trials[id(value)] = (value, True)
            except Exception:  # whatever a user's class raises
                trials[id(value)] = (value, False)
        return trials[id(value)][1] is not False


def _new_of(cls: type[BaseException]) -> Any:
    """The `__new__` of a class in C, without those that Python code has put before it."""
    news = (vars(base).get("__new__") for base in cls.__mro__)
    return next(new for new in news if isinstance(new, types.BuiltinFunctionType))


def _rebuild(cls: type[BaseException], *parts: Any) -> BaseException:
    made: BaseException = _new_of(cls)(cls, *parts)
    return made


def _set_state(error: BaseException, state: tuple[Any, ...]) -> None:
    """Past the class's own properties and `__setattr__`, which may refuse, or do something more."""
    args, fields, attributes, cause, suppress_context = state
    _ARGS.__set__(error, args)
    members = _members(type(error))
    for name, value in fields.items():
        # Fields that are made of others, and can't be set, are there.
        with contextlib.suppress(Exception):
            members[name].__set__(error, value)
    vars(error).update(attributes)
    object.__setattr__(error, "__cause__", cause)
    object.__setattr__(error, "__suppress_context__", suppress_context)


_ARGS: Final[Any] = BaseException.__dict__["args"]
_MEMBERS: Final = (types.MemberDescriptorType, types.GetSetDescriptorType)


def _members(cls: type) -> dict[str, Any]:
    """Slots, and fields of the built-in classes in C, by name."""
    return {
        name: member
        for base in reversed(cls.__mro__)
        if base not in (BaseException, object)
        for name, member in vars(base).items()
        # What an AttributeError's attribute was asked of may be anything, however large.
        if isinstance(member, _MEMBERS) and name[:2] != "__" and (base, name) != (AttributeError, "obj")
    }


def _fields(error: BaseException) -> dict[str, Any]:
    found = {}
    for name, member in _members(type(error)).items():
        with contextlib.suppress(AttributeError):
            value = member.__get__(error)
            # None and "not set" differ for OSError.filename2, say, but can't be told apart; not set is more likely.
            if value is not None or member.__objclass__.__module__ != "builtins":
                found[name] = value
    return found
