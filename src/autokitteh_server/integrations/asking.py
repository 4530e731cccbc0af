"""What checks are made of: ask a service for JSON, tell refusals from mishaps, say as whom one is connected."""

import json as json_text
import math
from collections.abc import Mapping
from typing import Any

from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.spec import Answer, Code, Http, Status

_MAX_DETAIL = 200

#: Where services say what is wrong, in JSON.
_PLACES = (
    ("error", "message"),
    ("error", "type"),
    ("error_description",),
    ("error",),
    ("message",),
    ("errors", 0, "message"),
    ("errors", 0, "detail"),
    ("errorMessages", 0),
    ("detail",),
    ("description",),
    ("Error", "Message"),
)

#: What refusals mean, and how to mend them, by their status.
_REFUSALS = {
    401: ("does not accept the credentials", "Enter them anew: `ak connection init`."),
    403: (
        "knows the credentials, but does not permit what was asked",
        "Give them the permissions that the integration's page lists.",
    ),
    404: ("does not know what was asked for", "Is the address right, and are the names?"),
}


def ask(
    http: Http,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: object = None,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    timeout_s: float | None = None,
) -> Any:
    """The JSON object or list that a service answers. Raises ServiceError for anything else."""
    answer = http(method, url, headers=headers, params=params, json=json, form=form, auth=auth, timeout_s=timeout_s)
    verify_answer(answer)
    found = parse_json(answer.body)
    if not isinstance(found, dict | list):
        raise not_its_api()
    return found


def ask_object(http: Http, method: str, url: str, **options: Any) -> Mapping[str, Any]:
    """As `ask`, for answers that must be objects."""
    found = ask(http, method, url, **options)
    if not isinstance(found, dict):
        raise not_its_api()
    return found


def not_its_api() -> ServiceError:
    """The service's answer is not one that it would give."""
    return ServiceError(
        "answered something that is not what its API answers",
        "Is the address right? It may be a proxy's page.",
        intent=Intent.OURS,
    )


def list_at(value: Any, *place: str | int) -> list[Any]:
    """The list at a place in JSON. Raises ServiceError if there is none."""
    found = dig(value, *place)
    if not isinstance(found, list):
        raise not_its_api()
    return found


def verify_answer(answer: Answer) -> None:
    """Raises ServiceError unless the service has done what it was asked."""
    detail = detail_of(answer.body)
    told = f" ({answer.status}: {detail})" if detail else f" ({answer.status})"
    if answer.status < 300:
        return
    if answer.status < 400:
        raise ServiceError("wants to send us to another address", "Is the address right?", intent=Intent.OURS)
    if answer.status == 429 or answer.status >= 500:
        raise ServiceError(
            f"has {'had too many requests' if answer.status == 429 else 'a problem of its own'}{told}",
            "Try again later.",
            intent=Intent.RETRY,
            retry_after_s=_seconds(answer.headers.get("retry-after", "")),
            status=answer.status,
        )
    message, remedy = _REFUSALS.get(answer.status, ("refuses the request", "Look at the values that were entered."))
    raise ServiceError(f"{message}{told}", remedy, status=answer.status)


def parse_json(body: bytes) -> Any:
    """What JSON says; None if it is none. A number that nobody could store, such as 1e999, is null in it.

    One such event would otherwise be asked for again and again, and be in the way of all others.
    """
    try:
        return json_text.loads(body, parse_float=_finite, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def detail_of(body: bytes) -> str:
    """What a service says is wrong, on one line; "" if it does not say. It may repeat what it was sent."""
    found = parse_json(body) if len(body) <= 1 << 16 else None
    for place in _PLACES:
        text = dig(found, *place)
        if isinstance(text, str) and text.strip():
            return " ".join(text.split())[:_MAX_DETAIL]
    return ""


def dig(value: Any, *place: str | int) -> Any:
    """What is at a place in JSON; None if nothing is."""
    for step in place:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *place: str | int) -> str:
    """The text or number at a place in JSON, as text; "" if there is none."""
    found = dig(value, *place)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def connected(name: str, **learnt: str) -> Status:
    """It works. `learnt`: variables to be kept; those that are "" are not. Raises ServiceError if nobody is named."""
    if not name:
        raise not_its_api()
    return Status(
        code=Code.OK, message=f"connected as {name}", variables={key: value for key, value in learnt.items() if value}
    )


def bearer(token: str) -> dict[str, str]:
    """The header of OAuth's tokens, and of many others."""
    return {"authorization": f"Bearer {token}"}


def token_of(variables: Mapping[str, str]) -> str:
    """The connection's access token; "" if it has none."""
    return variables.get("oauth_access_token", "") or variables.get("oauth_AccessToken", "")


def _seconds(header: str) -> float | None:
    return float(header) if header.strip().isdigit() else None
