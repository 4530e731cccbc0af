"""What came of an activity, as it is recorded, and the same again as the code sees it.

Codecs: "pickle" a result; "ref" one that is part of the arguments; "error" an exception. "+state" after it: the
payload begins with what the activity changed in its arguments. "json" and "json-error" are the server's answers.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import autokitteh.errors
from autokitteh.errors import ResultTooLargeError
from autokitteh_runner.mutation import Snapshot
from autokitteh_runner.preview import preview, type_name
from autokitteh_runner.protocol import dump_json, load_json
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


Arguments = Sequence[tuple[str, Any]]


def arguments_of(fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """What a call may change: the object it is a method of, and its arguments, each with a label."""
    owner = getattr(fn, "__self__", None)
    own = [] if owner is None else [("self", owner)]
    return [*own, *((f"argument {n}", arg) for n, arg in enumerate(args, 1)), *kwargs.items()]


def succeeded(result: Any, name: str, arguments: Arguments, snapshot: Snapshot, limit_bytes: int) -> Outcome:
    """The outcome of an activity that returned. One that can't be recorded becomes an error."""
    changes = snapshot.changes()
    if type(result) in PLAIN_TYPES:
        codec, payload, value = "pickle", dump_result(result, name), result
    elif (place := _place(result, arguments, snapshot)) is not None:
        codec, payload, value = "ref", dump_json(place).encode(), result
    else:
        try:
            codec, payload = "pickle", dump_result(result, name)
            value = load_result(payload, name)
        except autokitteh.errors.UnpicklableResultError as err:
            return raised(err, name, snapshot)
    if limit_bytes and len(payload) > limit_bytes:
        size = f"{len(payload):,} bytes, the limit is {limit_bytes:,}"
        too_large = ResultTooLargeError(f"The result of {name} has {size}. Return less, or store it and return its key")
        return raised(too_large, name, snapshot)
    return Outcome(*_with_state(codec, payload, changes), value, None, preview(result), "")


def raised(error: BaseException, name: str, snapshot: Snapshot) -> Outcome:
    """The outcome of an activity that raised. The code gets the exception as replay will: rebuilt."""
    changes = snapshot.changes()
    try:
        payload = dump_error(error)
    except autokitteh.errors.UnpicklableResultError as err:
        error = err.with_traceback(error.__traceback__)
        payload = dump_error(err)
    copy = load_error(payload).with_traceback(error.__traceback__)
    return Outcome(*_with_state("error", payload, changes), None, copy, "", f"{type_name(error)}: {error}"[:2000])


def replayed(codec: str, payload: bytes, name: str, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Do again what a recorded outcome says: change the arguments, then return the result or raise the exception."""
    if codec == "pickle":
        return load_result(payload, name)
    arguments = arguments_of(fn, args, kwargs)
    snapshot = Snapshot(arguments)
    if codec.endswith("+state"):
        codec = codec.removesuffix("+state")
        (size,) = _LENGTH.unpack_from(payload)
        changes, payload = payload[_LENGTH.size : _LENGTH.size + size], payload[_LENGTH.size + size :]
        snapshot.restore(changes)
    if codec == "error":
        raise load_error(payload)
    if codec == "ref":
        form, number = load_json(payload)
        return arguments[number][1] if form == "argument" else snapshot.part(number)
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


def _place(result: Any, arguments: Arguments, snapshot: Snapshot) -> list[Any] | None:
    for number, (_, argument) in enumerate(arguments):
        if result is argument:
            return ["argument", number]
    number_in = snapshot.find(result)
    return None if number_in is None else ["part", number_in]


def _with_state(codec: str, payload: bytes, changes: bytes | None) -> tuple[str, bytes]:
    if changes is None:
        return codec, payload
    return codec + "+state", _LENGTH.pack(len(changes)) + changes + payload
