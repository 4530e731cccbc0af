"""What the feeds of Google's services share: asking with the user's token, pages of answers, channels, renewals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from autokitteh_server.integrations.asking import (
    bearer,
    list_at,
    not_its_api,
    parse_json,
    text_at,
    token_of,
    verify_answer,
)
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.feed import Line
from autokitteh_server.integrations.spec import Answer

#: What is watched is forgotten after a week. It is renewed while there are still days in which to mend what fails.
WEEK_S: Final = 604_800
_EARLIER_US: Final = 3 * 86_400 * 1_000_000
_SOONEST_US: Final = 600 * 1_000_000

_MAX_CHANNEL_ID: Final = 64
_TOO_FAST: Final = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded")


def ask_google(
    line: Line, method: str, url: str, *, params: Mapping[str, str] | None = None, json: object = None
) -> Mapping[str, Any]:
    """The object that Google answers. Raises ServiceError."""
    return read_answer(send(line, method, url, params=params, json=json))


def send(line: Line, method: str, url: str, *, params: Mapping[str, str] | None = None, json: object = None) -> Answer:
    """What Google answers, for those who know what some refusals mean. Raises ServiceError if there is no answer."""
    return line.http(method, url, headers=bearer(token_of(line.variables)), params=params, json=json)


def read_answer(answer: Answer) -> Mapping[str, Any]:
    """The object in an answer. Raises ServiceError for refusals."""
    found = parse_json(answer.body)
    # Google says 403 for this, too, which would look as if a permission were missing.
    if answer.status == 403 and text_at(found, "error", "errors", 0, "reason") in _TOO_FAST:
        raise ServiceError("has had too many requests (403)", "Try again later.", intent=Intent.RETRY)
    verify_answer(answer)
    if not isinstance(found, dict):
        raise not_its_api()
    return found


def pages(
    line: Line, url: str, params: Mapping[str, str], first: Mapping[str, Any], most: int
) -> Iterator[Mapping[str, Any]]:
    """All pages of an answer, of which the first is there already. Raises ServiceError if there are too many."""
    page = first
    for _ in range(most):
        yield page
        token = text_at(page, "nextPageToken")
        if not token:
            return
        page = ask_google(line, "GET", url, params={**params, "pageToken": token})
    raise ServiceError(f"has more than {most} pages of what was asked for", intent=Intent.OURS)


def items_of(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a list, which Google leaves out if it is empty. Raises ServiceError for what is none."""
    found = list_at(answer, name) if name in answer else []
    if not all(isinstance(each, dict) for each in found):
        raise not_its_api()
    return found


def text_in(answer: Mapping[str, Any], *place: str) -> str:
    """A text that has to be in an answer. Raises ServiceError if it is not."""
    if not (found := text_at(answer, *place)):
        raise not_its_api()
    return found


def number_in(answer: Mapping[str, Any], name: str) -> int:
    """A whole number that has to be in an answer; Google sends it as text. Raises ServiceError if it is not."""
    found = text_in(answer, name)
    if not (found.isascii() and found.isdigit() and len(found) < 20):
        raise not_its_api()
    return int(found)


def renewal(now: int, expires_at: int) -> int:
    """When to renew what expires, all in microseconds since 1970."""
    # What lives shorter than it was asked to, or has expired by a clock that is wrong, is not renewed all the time.
    return max(expires_at - _EARLIER_US, now + (expires_at - now) // 2, now + _SOONEST_US)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """By what Google calls when something changes."""

    id: str
    resource_id: str
    token: str = field(repr=False)  # which it sends along, so that it is believed
    expires_ms: int  # since 1970


def open_channel(
    line: Line, url: str, path: str, life: Mapping[str, object], params: Mapping[str, str] | None = None
) -> Channel:
    """Has Google call. Raises ServiceError.

    - `path`: where it calls, below the address of the server.
    - `life`: how long it is to last, in the service's words.
    """
    # Google refuses an id that was used before.
    channel, token = line.new_secret()[:_MAX_CHANNEL_ID], line.new_secret()
    address = f"{line.public_url}/{path}"
    asked = {"id": channel, "type": "web_hook", "address": address, "token": token, **life}
    answer = ask_google(line, "POST", url, params=params, json=asked)
    return Channel(
        id=channel,
        resource_id=text_in(answer, "resourceId"),
        token=token,
        expires_ms=number_in(answer, "expiration"),
    )


def close_channel(line: Line, url: str, channel: str, resource: str) -> None:
    """Stop a channel that another one has replaced, if there was one."""
    if not channel or not resource:
        return
    try:
        send(line, "POST", url, json={"id": channel, "resourceId": resource})
    except ServiceError:
        # It ends by itself within a week, and until then nobody believes it: its id and its token are forgotten.
        pass


def is_service_account(variables: Mapping[str, str]) -> bool:
    """Whether a connection has the key of a service account, rather than a user's consent."""
    return bool(variables.get("JSON")) and variables.get("auth_type") not in ("oauth", "oauthDefault")
