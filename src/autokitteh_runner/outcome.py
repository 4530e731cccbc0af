"""What came of an activity, as it is recorded, and the same again as the code sees it.

Codecs: "pickle" a result; "argument" one that is that argument; "shared" one that has objects in common with the
arguments, and is recorded along with what the activity changed in them; "error" an exception. "+state" after it: the
payload begins with such changes. "json" and "json-error" are the server's answers.
"""

import pickle
import struct
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import autokitteh.errors
from autokitteh.errors import NonDeterminismError, ResultTooLargeError, UnpicklableResultError
from autokitteh_runner.mutation import Recorded, Snapshot
from autokitteh_runner.preview import error_line, preview
from autokitteh_runner.protocol import load_json
from autokitteh_runner.values import PLAIN_TYPES, dump_error, dump_result, load_error, load_result

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An activity's end: what is recorded, and what the code gets."""

    codec: str
    payload: bytes
    value: Any  # what the code gets, where there is no error
    error: BaseException | None
    shown: str  # preview of the result
    error_text: str  # "Type: message", or ""

    def get(self) -> Any:
        """What the code gets. Raises the exception, where it is one."""
        if self.error is not None:
            raise self.error
        return self.value


Arguments = Sequence[tuple[str, Any]]

_BOUND = (types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)
_CODE = (type, types.MethodDescriptorType, types.WrapperDescriptorType)


def arguments_of(fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """What a call may change: the object it is a method of, and its arguments, each with a label."""
    # By type, for some objects answer to any name; one that can be called has itself to change.
    own = [] if isinstance(fn, _CODE) else [("self", fn.__self__ if isinstance(fn, _BOUND) else fn)]
    return [*own, *((f"argument {n}", arg) for n, arg in enumerate(args, 1)), *kwargs.items()]


def succeeded(
    result: Any,
    name: str,
    arguments: Arguments,
    snapshot: Snapshot,
    limit_bytes: int,
    *,
    alone: bool = True,
    marked: bool = False,
) -> Outcome:
    """The outcome of an activity that returned. One that can't be recorded becomes an error.

    `alone`: no other activity is under way, see `Snapshot.record`. `marked`: the author has marked it as an activity.
    """
    place = next((n for n, (_, argument) in enumerate(arguments) if result is argument), None)
    recorded = snapshot.record(result if place is None else None, alone=alone)
    try:
        if recorded is not None and recorded.has_result:
            codec, payload, value = "shared", recorded.payload, recorded.result
        elif place is not None and type(result) not in PLAIN_TYPES:
            codec, payload, value = "argument", str(place).encode(), result
        else:
            codec, payload = "pickle", dump_result(result, name, marked=marked)
            value = result if type(result) in PLAIN_TYPES else load_result(payload, name, marked=marked)
    except UnpicklableResultError as err:
        return _raised(err, name, recorded)
    if limit_bytes and len(payload) > limit_bytes:
        size = f"{len(payload):,} bytes, the limit is {limit_bytes:,}"
        too_large = ResultTooLargeError(f"The result of {name} has {size}. Return less, or store it and return its key")
        return _raised(too_large, name, snapshot.record(alone=alone) if codec == "shared" else recorded)
    return Outcome(*_with_state(codec, payload, recorded), value, None, preview(result), "")


def raised(error: BaseException, name: str, snapshot: Snapshot, *, alone: bool = True) -> Outcome:
    """The outcome of an activity that raised. The code gets the exception as replay will: rebuilt."""
    return _raised(error, name, snapshot.record(alone=alone))


def _raised(error: BaseException, name: str, recorded: Recorded | None) -> Outcome:
    try:
        payload = dump_error(error)
    except UnpicklableResultError as err:
        payload = dump_error(err)
    copy = load_error(payload).with_traceback(error.__traceback__)
    return Outcome(*_with_state("error", payload, recorded), None, copy, "", error_line(copy))


def replayed(codec: str, payload: bytes, name: str, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Do again what a recorded outcome says: change the arguments, then return the result or raise the exception.

    Raises NonDeterminismError where the arguments are such that it can't be done.
    """
    if codec == "pickle":
        return load_result(payload, name)
    arguments = arguments_of(fn, args, kwargs)
    try:
        if codec == "shared":
            return Snapshot(arguments).restore(payload)
        if codec.endswith("+state"):
            codec = codec.removesuffix("+state")
            (size,) = _LENGTH.unpack_from(payload)
            changes, payload = payload[_LENGTH.size : _LENGTH.size + size], payload[_LENGTH.size + size :]
            Snapshot(arguments).restore(changes)
        if codec == "argument":
            return arguments[int(payload)][1]
    except (pickle.UnpicklingError, LookupError) as err:
        raise NonDeterminismError(
            f"{name} is called with arguments of another make than when it ran first, so that what it did to them "
            f"can't be done again: {err}"
        ) from err
    if codec == "error":
        raise load_error(payload)
    return load_result(payload, name)


def answered(codec: str, payload: bytes) -> Any:
    """A server's answer: its value. Raises the error that it says."""
    value = load_json(payload)
    if codec == "json":
        return value
    name, message = value
    cls: type[Exception] = _PLAIN_ERRORS.get(name) or getattr(autokitteh.errors, name)
    raise cls(message)


_PLAIN_ERRORS = {cls.__name__: cls for cls in (ValueError, TypeError, KeyError, LookupError, TimeoutError)}


def _with_state(codec: str, payload: bytes, recorded: Recorded | None) -> tuple[str, bytes]:
    if recorded is None or codec == "shared":
        return codec, payload
    return codec + "+state", _LENGTH.pack(len(recorded.payload)) + recorded.payload + payload
