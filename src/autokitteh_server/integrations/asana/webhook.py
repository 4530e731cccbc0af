"""Events as Asana posts them, several at a time: https://developers.asana.com/docs/webhooks-guide.

Asana makes the secret, and tells it once, in the handshake of a new webhook.
"""

from collections.abc import Sequence
from typing import Any

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import content_key, event_type_of
from autokitteh_server.integrations.matching import CONNECTION_ID, Match, match_of, plain
from autokitteh_server.integrations.payload import json_object, objects_in
from autokitteh_server.integrations.signatures import verify_hex
from autokitteh_server.integrations.webhook import (
    Found,
    Greeting,
    Parsed,
    Refused,
    Reply,
    Request,
    Secret,
    Webhook,
    fitting,
)

_SECRET = "WebhookSecret"


def greet(request: Request) -> Greeting | None:
    """The handshake: the secret goes back in the same header."""
    if not (given := request.header("x-hook-secret")):
        return None
    if not plain(given) or not given.isascii():
        raise Refused(400, "the secret is none")
    reply = Reply(headers={"x-hook-secret": given})
    return Greeting(reply=reply, match=whose(request), variables={_SECRET: given})


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body."""
    signature = request.require("x-hook-signature", 401)
    return fitting(secrets, lambda secret: verify_hex(secret, request.body, signature), 401)


def whose(request: Request) -> Match:
    """The connection that has the address."""
    return match_of(**{CONNECTION_ID: request.path.partition("/")[2]})


def parse(request: Request) -> Parsed:
    """As many events as there are in it; none, in a sign of life."""
    return Parsed(events=tuple(_found(item, request) for item in objects_in(json_object(request).get("events"))))


def _found(item: dict[str, Any], request: Request) -> Found:
    kind = text_at(item, "resource", "resource_type") or text_at(item, "type")
    return Found(
        event_type=event_type_of(f"{kind}_{text_at(item, 'action')}"),
        data=item,
        key=content_key(item),
        match=(whose(request),),
    )


WEBHOOK = Webhook(
    paths=("webhook/{id}",),
    verify=verify,
    parse=parse,
    whose=whose,
    greet=greet,
    secret_variables=(_SECRET,),
)
