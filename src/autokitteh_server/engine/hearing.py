"""What a runner may say. Its code may have got hold of the socket and say anything; then it is no message.

Everything in a message that has been heard is of its type and within its bounds, so that nothing behind this module
has to ask. What cannot be seen here, such as a record that is there already, the turn finds out.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from autokitteh_runner.protocol import (
    Append,
    End,
    Idle,
    Message,
    ProtocolError,
    Request,
    Unwait,
    Wait,
    WireRecord,
    load_json,
)
from autokitteh_server.core.journal import EFFECTS, WAITS
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.requests import ARGUMENTS

#: What the log shows besides effects, and a runner may say. States are the server's affair.
_LINES: Final = frozenset({"print", "log", "warning"})

#: The end of the year 9999: later moments cannot be shown.
LAST_MOMENT: Final = 253_402_300_799_999_999

#: Numbers of effects, prints and answers.
_LAST_INDEX: Final = 2**53
_LAST_ATTEMPT: Final = 2**31 - 1

#: Characters of a task's path. PostgreSQL's indexes take no more than 2,700 bytes in an entry.
_TASK = re.compile(r"@?[0-9a-z.]{1,1900}")
_CODEC = re.compile(r"[a-z +-]{0,40}")
_DIGEST = re.compile(r"[0-9a-f]{0,64}")

_HEADER_NAME = re.compile(r"[^\s:\x00-\x1f]+")
_HEADER_VALUE = re.compile(r"[^\r\n\x00]*")

#: Characters: of a preview or name; of a line of the log; of the error that ended a session. Runners cut them.
_LONGEST_TEXT: Final = 10_000
_LONGEST_LINE: Final = 200_000
_LONGEST_ERROR: Final = 1_000_000

#: Names that one wait has. Databases take no more in one statement.
_MOST_NAMES: Final = 10_000

#: Seconds of a wait; longer ones would end after the last moment.
_LONGEST_WAIT_S: Final = 1e11

#: Levels of a JSON value. The SDK allows 100, and there are some around what it checks.
_DEEPEST: Final = 120


def check_message(message: Message) -> None:
    """Raises ProtocolError for what no runner says."""
    check = _CHECKS.get(type(message))
    if check is None:
        raise ProtocolError(f"a {type(message).__name__}, which only the server sends")
    check(message)


def load_sent(body: bytes) -> Any:
    """A JSON value that a runner sent. Raises ProtocolError for what `dump_json` would not have written."""
    try:
        value = load_json(body)
        _demand(_is_plain(value), "a value that is not JSON")
    except (ValueError, TypeError, AttributeError, RecursionError) as err:
        raise ProtocolError(f"a value that is not JSON ({type(err).__name__})") from err
    return value


def load_arguments(message: Request) -> dict[str, Any]:
    """The arguments of a request, each of its type. Raises ProtocolError."""
    arguments: dict[str, Any] = load_sent(message.body)
    _demand(type(arguments) is dict, "arguments without names")
    types = _types_of(message.kind, arguments)
    _demand(arguments.keys() <= types.keys(), "arguments that the request does not have")
    for name, kind in types.items():
        _demand(name in arguments and isinstance(arguments[name], kind), f"no {name}, or one of another type")
    if message.kind == "start":
        _check_text(*arguments["memo"].values(), most=_LONGEST_LINE)
    if "http" in arguments:
        _check_http(**arguments["http"])
    return arguments


def _types_of(kind: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = ARGUMENTS[kind]
    return next((types for types in choices if types.keys() == arguments.keys()), choices[0])


def _check_http(
    status_code: Any = 200, headers: Any = None, body: Any = "", more: Any = False, json: Any = None, **others: Any
) -> None:
    _demand(not others and _is_int(status_code, 100, 599) and type(more) is bool, "a reply that is none")
    _demand(headers is None or isinstance(headers, dict), "headers that are none")
    for name, value in (headers or {}).items():
        # As the SDK checks them, so that nobody can write into a reply what is not the session's to say.
        is_fine = type(value) is str and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        _demand(is_fine, "headers that are none")
    _demand(type(body) in (str, bytes), "a body that is none")


def _check_append(message: Append) -> None:
    _demand(type(message.records) is list and type(message.sync) is bool, "records that are none")
    size = 0
    every: list[Any] = message.records  # as JSON has them, that is
    for fields in every:
        _demand(type(fields) is list and len(fields) == _FIELDS, "a record with other fields")
        size += _check_record(WireRecord._make(fields))
    _demand(size == len(message.body), "records that are larger or smaller than they say")


def _check_record(record: WireRecord) -> int:
    """The size of its payload."""
    _check_text(record.kind, record.phase, record.name, record.site, record.args, record.error)
    _demand(record.kind in EFFECTS or record.kind in _LINES, "a record of an unknown kind")
    _check_text(record.result, most=_LONGEST_LINE if record.kind in _LINES else _LONGEST_TEXT)
    _demand(record.phase in ("start", "failed", "done"), "a record of an unknown phase")
    _check_place(record.task, record.index)
    _demand(_fits(_DIGEST, record.digest) and _fits(_CODEC, record.codec), "a record in an unknown code")
    _demand(_is_int(record.attempt, 0, _LAST_ATTEMPT), "an attempt without a number")
    _demand(_is_int(record.started_at, 0, LAST_MOMENT) and _is_int(record.finished_at, 0, LAST_MOMENT), "no moment")
    _demand(_is_int(record.size, 0, 2**32), "a size that is none")
    return record.size


def _check_request(message: Request) -> None:
    _check_place(message.task, message.index)
    _check_text(message.kind, message.name, message.site, message.args)
    _demand(_fits(_DIGEST, message.digest), "a digest that is none")
    _demand(message.kind in ARGUMENTS, "an unknown request")


def _check_wait(message: Wait) -> None:
    _check_place(message.task, message.index)
    _check_text(message.kind, message.name, message.site, message.args)
    _demand(message.kind in WAITS, "an unknown wait")
    names = message.names
    _demand(type(names) is list and len(names) <= _MOST_NAMES, "a wait without names")
    _check_text(*names)
    _demand(message.seconds is None or _is_duration(message.seconds), "a wait of no seconds")
    _demand(type(message.opened) is bool, "a wait that has begun or not")
    _demand(message.deadline_at is None or _is_int(message.deadline_at, 0, LAST_MOMENT), "a deadline that is none")


def _check_unwait(message: Unwait) -> None:
    _check_place(message.task, message.index)


def _check_idle(message: Idle) -> None:
    _demand(_is_int(message.seen, 0, _LAST_INDEX), "a number of answers that is none")


def _check_end(message: End) -> None:
    _demand(message.state in (SessionState.COMPLETED.value, SessionState.ERROR.value), "an unknown end")
    _check_text(message.error, most=_LONGEST_ERROR)


def _check_place(task: object, index: object) -> None:
    _demand(_fits(_TASK, task) and _is_int(index, -1, _LAST_INDEX), "a place that is none")


def _check_text(*texts: object, most: int = _LONGEST_TEXT) -> None:
    _demand(all(type(text) is str and len(text) <= most for text in texts), "a text that is none, or too long")


def _is_int(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_duration(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= _LONGEST_WAIT_S  # type: ignore[arg-type]  # nor is it NaN


def _fits(pattern: re.Pattern[str], text: object) -> bool:
    return type(text) is str and pattern.fullmatch(text) is not None


def _is_plain(value: Any) -> bool:
    """Whether a value can be written again: no infinities, not too deep."""
    level = [value]
    for _ in range(_DEEPEST):
        if any(type(each) is float and not math.isfinite(each) for each in level):
            return False
        inner = [each for each in level if type(each) in (dict, list)]
        level = [item for each in inner for item in (each.values() if type(each) is dict else each)]
        if not level:
            return True
    return False


def _demand(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise ProtocolError(otherwise)


_FIELDS: Final = len(WireRecord._fields)
_CHECKS: Final[dict[type[Any], Callable[[Any], None]]] = {
    Append: _check_append,
    Request: _check_request,
    Wait: _check_wait,
    Unwait: _check_unwait,
    Idle: _check_idle,
    End: _check_end,
}
