"""Results and exceptions as bytes and back.

An activity's result is what the code gets as an unpickled copy, the first time as in replay. An exception is
rebuilt without its `__init__`, whose parameters need not be what `args` holds, from its type, its `args` and those of
its attributes that can be pickled.
"""

import contextlib
import io
import pickle
import types
from collections.abc import Callable
from typing import Any, Final

from autokitteh.errors import UnpicklableResultError
from autokitteh_runner.preview import explain_unpicklable, type_name

PROTOCOL: Final = 5  # of pickle; the highest that all supported versions of Python share

#: Types whose values can't change and whose identity nobody asks for: they need no copy.
PLAIN_TYPES: Final = frozenset({type(None), bool, int, float, complex, str, bytes})


def dump_result(result: Any, name: str) -> bytes:
    """A result, pickled. Raises UnpicklableResultError, which says which part can't be, and what to do."""
    try:
        return pickle.dumps(result, PROTOCOL)
    except Exception as err:  # whatever a user's __reduce__ raises
        raise unpicklable_result(result, name) from err


def load_result(payload: bytes, name: str) -> Any:
    """The copy of a result. Raises UnpicklableResultError for one that can be pickled and not unpickled."""
    try:
        return pickle.loads(payload)
    except Exception as err:  # whatever a user's __setstate__ raises
        raise UnpicklableResultError(
            f"The result of {name} was pickled and can't be unpickled: {type(err).__name__}: {err}. Call it in a "
            "function of yours that is marked @autokitteh.activity and returns plain data"
        ) from err


def unpicklable_result(result: Any, name: str) -> UnpicklableResultError:
    """The error for a result that can't be recorded."""
    return UnpicklableResultError(
        f"{name} returned a {type_name(result)}, which can't be recorded: {explain_unpicklable(result)}. Call it in a "
        "function of yours that is marked @autokitteh.activity and returns plain data"
    )


def dump_error(error: BaseException) -> bytes:
    """An exception, pickled such that `load_error` gives one of the same type. Raises UnpicklableResultError."""
    try:
        payload = _dump_error(error)
        copy = load_error(payload)
    except Exception as err:  # whatever a user's class raises
        raise UnpicklableResultError(
            f"{type_name(error)} was raised in an activity and can't be recorded ({err}). An exception that leaves an "
            "activity must be of a class at the top level of a module"
        ) from err
    if type(copy) is not type(error):
        raise UnpicklableResultError(f"{type_name(error)} was raised in an activity and comes back as another type")
    return payload


def load_error(payload: bytes) -> BaseException:
    """The exception that `dump_error` was given, rebuilt."""
    error = pickle.loads(payload)
    assert isinstance(error, BaseException)
    return error


def _dump_error(error: BaseException) -> bytes:
    buffer = io.BytesIO()
    _ErrorPickler(buffer, PROTOCOL).dump(error)
    return buffer.getvalue()


class _ErrorPickler(pickle.Pickler):
    """Pickles exceptions, at any depth, as what `_rebuild` needs."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, BaseException):
            return NotImplemented
        args = tuple(arg if _picklable(arg) else repr(arg) for arg in obj.args)
        if isinstance(obj, BaseExceptionGroup):
            args = (obj.message, list(obj.exceptions))
        state = {name: value for name, value in _attributes(obj).items() if _picklable(value)}
        return _rebuild, (type(obj), args, state, _link(obj.__cause__), obj.__suppress_context__)


def _link(error: BaseException | None) -> BaseException | None:
    """A cause, if it can be recorded itself."""
    return error if error is not None and _picklable(error) else None


def _rebuild(
    cls: type[BaseException],
    args: tuple[Any, ...],
    state: dict[str, Any],
    cause: BaseException | None,
    suppress_context: bool,
) -> BaseException:
    try:
        error = cls.__new__(cls, *args)
    except Exception:  # a __new__ of its own, with other parameters
        error = BaseException.__new__(cls)
    if not isinstance(error, BaseExceptionGroup):
        error.args = args
    for name, value in state.items():
        # A property without a setter, say, is made anew from what it is made of.
        with contextlib.suppress(Exception):
            setattr(error, name, value)
    error.__cause__ = cause
    error.__suppress_context__ = suppress_context
    return error


def _attributes(error: BaseException) -> dict[str, Any]:
    """What an exception carries besides `args`: its __dict__, slots, and fields of the built-in classes in C."""
    found: dict[str, Any] = {}
    for cls in type(error).__mro__:
        for name, member in vars(cls).items() if cls not in (BaseException, object) else ():
            if isinstance(member, types.MemberDescriptorType | types.GetSetDescriptorType) and name[:2] != "__":
                # None and "not set" differ for OSError.filename2, say; not set is what a new exception has.
                with contextlib.suppress(Exception):
                    if (value := getattr(error, name)) is not None:
                        found[name] = value
    if isinstance(error, BaseExceptionGroup):
        found.pop("message", None)
        found.pop("exceptions", None)
    return found | error.__dict__


def _picklable(value: Any) -> bool:
    if type(value) in PLAIN_TYPES:
        return True
    dump: Callable[[Any], bytes] = _dump_error  # it may hold exceptions in turn
    try:
        pickle.loads(dump(value))
    except Exception:  # whatever a user's class raises
        return False
    return True
