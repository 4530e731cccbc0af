"""Subscriptions at Microsoft Graph, one for each resource that is listened to. Graph forgets them after three days.

- https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
- https://learn.microsoft.com/graph/change-notifications-lifecycle-events
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.timestamps import format_time, parse_time
from autokitteh_server.integrations.asking import (
    ask_object,
    bearer,
    list_at,
    not_its_api,
    parse_json,
    text_at,
    token_of,
    verify_answer,
)
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.feed import Feed, Line, Registration, missing_secrets
from autokitteh_server.integrations.microsoft_teams.subscriptions import (
    CLIENT_STATE,
    RESOURCE,
    changes_of,
    paths_for,
    resources_of,
)

_API: Final = "https://graph.microsoft.com/v1.0/subscriptions"
_IDS: Final = "SubscriptionIDs"  # by resource, as JSON
_URL: Final = "SubscriptionURL"
_EXPIRATION: Final = "SubscriptionExpiration"  # of the one that expires first

_MINUTE_US: Final = 60 * 1_000_000

#: The longest that Graph grants is 4320 minutes. Its clock may not be ours.
_LIFE_US: Final = 4300 * _MINUTE_US

#: Graph wants to see a token that is good, again and again, and says so. Should that get lost, this is soon enough.
_RENEWED_AFTER_US: Final = 60 * _MINUTE_US
_SOONEST_US: Final = 5 * _MINUTE_US

#: Before it answers, Graph calls both of the addresses that it is told, and waits up to 10 s for each.
_PATIENCE_S: Final = 25.0
_MAX_PAGES: Final = 20

#: What there is not, or not for the app and the user that the connection has now.
_NOT_OURS: Final = (403, 404)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subscription:
    id: str
    expires_at: int  # microseconds since 1970


def register(line: Line) -> Registration:
    """Have a subscription for each resource, and no other: renew those there are, make those that are missing."""
    url = line.public_url + paths_for(line.connection_id)[0]
    state = line.variables[CLIENT_STATE]
    wanted = resources_of(line.variables.get(RESOURCE, ""))
    kept: dict[str, _Subscription] = {}  # by resource
    for resource, subscription in _known(line.variables).items():
        # Where a subscription calls cannot be changed.
        if resource not in wanted or line.variables.get(_URL) != url:
            _remove(line, subscription)
        elif renewed := _renew(line, subscription):
            kept[resource] = renewed
    if missing := [each for each in wanted if each not in kept]:
        _remove_lost(line, [each.id for each in kept.values()])
        kept |= _make_all(line, missing, state)
    expires_at = min(each.expires_at for each in kept.values())
    variables = {
        _IDS: json.dumps({resource: each.id for resource, each in kept.items()}),
        _URL: url,
        _EXPIRATION: format_time(expires_at),
    }
    half = (expires_at - line.now) // 2
    return Registration(variables=variables, renew_at=line.now + max(_SOONEST_US, min(_RENEWED_AFTER_US, half)))


def _renew(line: Line, subscription: str) -> _Subscription | None:
    """The subscription, which lives on; None if a new one has to be tried. To Graph this is a proof of permission."""
    answer = line.http("PATCH", _url_of(subscription), headers=_head(line), json={"expirationDateTime": _until(line)})
    if answer.status in _NOT_OURS:
        return None
    verify_answer(answer)
    return _read(parse_json(answer.body))


def _make_all(line: Line, resources: Sequence[str], state: str) -> dict[str, _Subscription]:
    """Make subscriptions, by resource, or none of them."""
    made: dict[str, _Subscription] = {}
    try:
        for resource in resources:
            made[resource] = _make(line, resource, state)
    except ServiceError:
        for each in made.values():  # nobody would know them, nor believe what they send
            with suppress(ServiceError):
                _remove(line, each.id)
        raise
    return made


def _make(line: Line, resource: str, state: str) -> _Subscription:
    changes, lifecycle = (line.public_url + path for path in paths_for(line.connection_id))
    wanted = {
        "changeType": changes_of(resource),
        "notificationUrl": changes,
        "lifecycleNotificationUrl": lifecycle,
        "resource": resource,
        "expirationDateTime": _until(line),
        "clientState": state,
    }
    try:
        return _read(ask_object(line.http, "POST", _API, headers=_head(line), json=wanted, timeout_s=_PATIENCE_S))
    except ServiceError as error:
        if error.status != 409:
            raise
        raise ServiceError(
            "has a subscription of this app to the same already (409)",
            "An app can have one: give the other connection another app, or listen in one place only.",
            status=409,
        ) from None


def _remove(line: Line, subscription: str) -> None:
    answer = line.http("DELETE", _url_of(subscription), headers=_head(line))
    if answer.status not in _NOT_OURS:
        verify_answer(answer)


def _remove_lost(line: Line, known: Sequence[str]) -> None:
    """Remove what calls this connection and is not known to it: a server died before it had stored the id."""
    path = paths_for(line.connection_id)[0]
    # They expire by themselves. Whoever may not look may still make new ones.
    with suppress(ServiceError):
        lost = [each for each in _all_of_app(line) if text_at(each, "notificationUrl").endswith(path)]
        for each in lost:
            if (subscription := text_at(each, "id")) and subscription not in known:
                _remove(line, subscription)


def _all_of_app(line: Line) -> Iterator[Any]:
    url = _API
    for _ in range(_MAX_PAGES):
        page = ask_object(line.http, "GET", url, headers=_head(line))
        yield from list_at(page, "value")
        url = text_at(page, "@odata.nextLink")
        if not url.startswith(_API):  # the token goes nowhere else
            return


def _known(variables: Mapping[str, str]) -> dict[str, str]:
    """The ids of subscriptions by resource."""
    found = parse_json(variables.get(_IDS, "").encode())
    return {resource: str(each) for resource, each in found.items()} if isinstance(found, dict) else {}


def _read(subscription: Any) -> _Subscription:
    try:
        expires_at = parse_time(text_at(subscription, "expirationDateTime"))
    except InvalidArgument:
        raise not_its_api() from None
    if not (found := text_at(subscription, "id")):
        raise not_its_api()
    return _Subscription(id=found, expires_at=expires_at)


def _until(line: Line) -> str:
    return format_time(line.now + _LIFE_US)


def _url_of(subscription: str) -> str:
    return f"{_API}/{quote(subscription, safe='')}"


def _head(line: Line) -> dict[str, str]:
    return bearer(token_of(line.variables))


def why_not(variables: Mapping[str, str]) -> str:
    """There is much that one may listen to."""
    if not token_of(variables):
        return "it has no credentials: run `ak connection init`"
    if resources_of(variables.get(RESOURCE, "")):
        return ""
    return "it does not say what to listen to: set the field resource, such as /teams/TEAM/channels/CHANNEL/messages"


FEED = Feed(prepare=lambda line: missing_secrets(line, CLIENT_STATE), register=register, why_not=why_not)
