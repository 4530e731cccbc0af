"""What a session answers: its outcomes, and the replies to synchronous webhooks."""

from collections.abc import Mapping
from typing import Any

from autokitteh._names import check_name
from autokitteh._runtime import current

# Any of these in a header would let its value write further headers, or the body.
_UNSAFE_IN_HEADERS = frozenset("\r\n\0")


def outcome(value: Any, *, event_id: str | None = None) -> None:
    """Report a result of this session: a JSON value or bytes, for whoever started it and for its log.

    `event_id` says which event it answers; None is the one that started the session. It can be called repeatedly.

    Raises TypeError for a value that is not JSON, and for an event id that is no string.

    Mode: durable and non-durable.
    """
    current().outcome(value, _check_event_id(event_id))


def http_outcome(
    status_code: int = 200,
    *,
    body: Any = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    more: bool = False,
    event_id: str | None = None,
) -> None:
    """Reply to the HTTP request that a synchronous webhook received. The session goes on afterwards.

    - `status_code`: 100 to 599; 0 stands for 200.
    - `body`: a string (sent as UTF-8) or bytes, sent as they are; any other JSON value is taken as `json`.
    - `json`: a JSON value, sent as such. None is no body; an explicit null is `body="null"`.
    - `headers`: strings by name; the content type follows from `json` unless it is among them.
    - `more`: keep the response open. Later calls add their bodies to it, up to one without `more`; status and
      headers are those of the first call.
    - `event_id`: the event whose request is answered; None is the one that started the session.

    Raises ValueError for body and json together, a status code out of range, and a header that holds a line break;
    TypeError for arguments of the wrong type and a body that is not JSON.

    Mode: durable and non-durable.
    """
    if body is not None and json is not None:
        raise ValueError("http_outcome takes body or json, not both")
    reply: dict[str, Any] = {
        "status_code": _check_status_code(status_code),
        "headers": _check_headers(headers),
        "more": bool(more),
    }
    if isinstance(body, str | bytes | bytearray):
        reply["body"] = body
    elif body is not None or json is not None:
        reply["json"] = json if body is None else body
    current().http_outcome(reply, _check_event_id(event_id))


def _check_event_id(event_id: str | None) -> str | None:
    return None if event_id is None else check_name(event_id, "event_id")


def _check_status_code(status_code: int) -> int:
    if not isinstance(status_code, int) or isinstance(status_code, bool):
        raise TypeError(f"status_code must be an int, not {type(status_code).__name__}")
    if status_code != 0 and not 100 <= status_code <= 599:
        raise ValueError(f"status_code must be from 100 to 599, or 0 for 200, and is {status_code}")
    # An HTTPStatus becomes the number that it is.
    return int(status_code) or 200


def _check_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a dict of strings, not {type(headers).__name__}")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"headers must map strings to strings, and have {name!r}: {value!r}; use str()")
        if not name or any(char.isspace() or char == ":" for char in name) or _UNSAFE_IN_HEADERS & {*name, *value}:
            raise ValueError(f"the header {name!r}: {value!r} is not valid: no line breaks, no space or colon in names")
    return dict(headers)
