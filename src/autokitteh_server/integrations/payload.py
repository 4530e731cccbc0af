"""Bodies of requests as data. What cannot be read is refused with 400, and nothing takes longer than its length."""

import json
import math
from collections.abc import Iterable
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from autokitteh_server.integrations.webhook import Refused, Request

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"

#: Deeper than anything that a service sends; neither filters nor journals could do anything with it.
MAX_DEPTH: Final = 200
_MAX_FIELDS: Final = 1000
_TOO_DEEP: Final = "the body is nested too deep"


def read_json(body: bytes | str) -> Any:
    """The JSON value of a body. Raises Refused."""
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    try:
        found = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    except RecursionError:
        raise Refused(400, _TOO_DEEP) from None
    if _is_too_deep(found):
        raise Refused(400, _TOO_DEEP)
    # Halves of characters, which services make when they cut texts, could not be stored.
    return _whole(found) if b"\\ud" in raw.lower() else found


def read_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object of a body. Raises Refused."""
    found = read_json(body)
    if not isinstance(found, dict):
        raise Refused(400, "the body is not a JSON object")
    return found


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request, which says that it is one. Raises Refused."""
    if not request.is_of(JSON):
        raise Refused(400, f"the content type is not {JSON}")
    return read_object(request.body)


def read_form(text: bytes | str) -> dict[str, list[str]]:
    """The fields of a form, each with all its values. Raises Refused."""
    raw = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Refused(400, "the form has too many fields") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def form_of(request: Request) -> dict[str, str]:
    """The fields of a request's form, of which the first value counts. Raises Refused."""
    if not request.is_of(FORM):
        raise Refused(400, f"the content type is not {FORM}")
    return {name: values[0] for name, values in read_form(request.body).items()}


def objects_in(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none if it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _inner(each) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
