"""Change notifications as Microsoft Graph posts them: https://learn.microsoft.com/graph/change-notifications-overview.

They are not signed. Each has in it the text that Graph was given with the subscription, and that nobody else knows.
What happens to a subscription itself comes in the same way, at an address of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import content_key, event_type_of, key_of
from autokitteh_server.integrations.matching import CONNECTION_ID, Match, match_of, plain
from autokitteh_server.integrations.microsoft_teams.subscriptions import CLIENT_STATE, RESOURCE
from autokitteh_server.integrations.payload import json_object, objects_in, read_form
from autokitteh_server.integrations.signatures import verify_secret
from autokitteh_server.integrations.webhook import (
    Found,
    Greeting,
    Look,
    Parsed,
    Refused,
    Reply,
    Request,
    Secret,
    Webhook,
    fitting,
)

_QUESTION: Final = "validationToken"
_PLAIN: Final = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

#: What may come of a subscription, after which it has to be renewed, or made anew. Of what was missed there is no list.
_ENDS: Final = ("reauthorizationRequired", "subscriptionRemoved")

#: Types that have several names, of which one is enough.
_SAME: Final = {"teams": "team", "aaduserconversationmember": "conversationmember"}

_MINUTE_US: Final = 60 * 1_000_000


def greet(request: Request) -> Greeting | None:
    """While a subscription is made, Graph asks whether there is somebody who wants it: what it sends goes back."""
    query = request.url.partition("?")[2].partition("#")[0]
    if request.method != "POST" or _QUESTION not in query:
        return None
    given = read_form(query).get(_QUESTION)
    if given is None:
        return None
    # Graph never sends HTML, and whoever reads the answer as such, in spite of its type, is to find none.
    if not plain(given[0]) or any(each in given[0] for each in "<>"):
        raise Refused(400, "the question is none of Graph's")
    return Greeting(reply=Reply(headers=_PLAIN, body=given[0].encode()), match=whose(request))


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """Each of the notifications has the text that belongs to the connection."""
    states = {text_at(each, "clientState") for each in _notifications(request)}
    if len(states) != 1:
        raise Refused(401, "the notifications are from different senders")
    (given,) = states
    return fitting(secrets, lambda secret: verify_secret(secret, given), 401)


def whose(request: Request) -> Match:
    """The connection that has the address."""
    return match_of(**{CONNECTION_ID: request.path.partition("/")[2]})


def parse(request: Request) -> Parsed:
    """An event for each change. What is to be done about the subscription itself is not the code's business."""
    # One that listens to nothing any more may still be sent something for a while.
    match = (Match(values=whose(request).values, present=(RESOURCE,)),)
    items = _notifications(request)
    changes = [each for each in items if "lifecycleEvent" not in each]
    is_over = any(text_at(each, "lifecycleEvent") in _ENDS for each in items)
    look = Look(match=match, must_tell=True)
    return Parsed(
        events=tuple(_change(request, each, match) for each in changes),
        looks=(look,) if is_over else (),
    )


def _notifications(request: Request) -> list[dict[str, Any]]:
    items = objects_in(json_object(request).get("value"))
    if not items:
        raise Refused(400, "there are no notifications")
    return items


def _change(request: Request, item: Mapping[str, Any], match: tuple[Match, ...]) -> Found:
    kind, change = _kind(item), text_at(item, "changeType").lower()
    if not change:
        raise Refused(400, "a notification does not say what has changed")
    data = {name: value for name, value in item.items() if name != "clientState"}
    return Found(
        event_type=event_type_of(f"{kind}_{change}"),
        data=data,
        key=_key(request, data, kind, change),
        match=match,
    )


def _kind(item: Mapping[str, Any]) -> str:
    """`#Microsoft.Graph.chatMessage` is a chatmessage: Graph does not always spell it the same."""
    kind = text_at(item, "resourceData", "@odata.type").rpartition(".")[2].lower()
    return _SAME.get(kind, kind) or "resource"


def _key(request: Request, data: Mapping[str, Any], kind: str, change: str) -> str:
    """A repeat has the same. So has what two subscriptions tell of the same thing, of which one event is enough.

    Most of Graph's notifications say only that something has changed, and the next change looks the same. They are
    told apart by the minute in which they come: two changes within one are one event, and code that asks for the thing
    finds the later state. A repeat is sent when we have not answered in time, mostly within that minute.
    """
    if given := text_at(data, "id"):
        return key_of(given)
    thing = text_at(data, "resource")
    if not thing:
        return content_key(data)
    parts = (thing, text_at(data, "resourceData", "id"), change)
    if etag := text_at(data, "resourceData", "@odata.etag"):
        return key_of(*parts, etag)
    if kind == "chatmessage" and change == "created":  # which happens once
        return key_of(*parts)
    return key_of(*parts, request.received_at // _MINUTE_US)


WEBHOOK = Webhook(
    paths=("event/{id}", "lifecycle/{id}"),
    verify=verify,
    parse=parse,
    whose=whose,
    secret_variables=(CLIENT_STATE,),
    greet=greet,
    is_deaf=True,  # subscriptions of connections that were removed go on until they expire
)
