"""Events as Notion posts them: https://developers.notion.com/reference/webhooks.

Notion makes the secret, and tells it once, in the first request to a new address. Whoever has made the webhook enters
it there again, and so needs to see it.
"""

from collections.abc import Sequence

from autokitteh_server.integrations.keys import body_key, event_type_of, key_of
from autokitteh_server.integrations.matching import CONNECTION_ID, Match, match_of, plain
from autokitteh_server.integrations.payload import json_object
from autokitteh_server.integrations.signatures import verify_hex
from autokitteh_server.integrations.webhook import (
    MAX_UNSIGNED_BYTES,
    OK,
    Found,
    Greeting,
    Parsed,
    Refused,
    Request,
    Secret,
    Webhook,
    fitting,
)

_SECRET = "verification_token"
_SIGNATURE = "x-notion-signature"


def greet(request: Request) -> Greeting | None:
    """The first request, which is not signed."""
    if request.header(_SIGNATURE) or len(request.body) > MAX_UNSIGNED_BYTES or _SECRET.encode() not in request.body:
        return None
    given = plain(json_object(request).get(_SECRET))
    if not given:
        raise Refused(400, "the secret is none")
    return Greeting(reply=OK, match=whose(request), variables={_SECRET: given})


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body."""
    signature = request.require(_SIGNATURE, 401)
    return fitting(secrets, lambda secret: verify_hex(secret, request.body, signature, prefix="sha256="), 401)


def whose(request: Request) -> Match:
    """The connection that has the address."""
    return match_of(**{CONNECTION_ID: request.path.partition("/")[2]})


def parse(request: Request) -> Parsed:
    """One event, as Notion sends it. It has no content: that is to be asked for."""
    payload = json_object(request)
    given = plain(payload.get("id"))
    found = Found(
        event_type=event_type_of(payload.get("type")),
        data=payload,
        key=key_of(given) if given else body_key(request),
        match=(whose(request),),
    )
    return Parsed(events=(found,))


WEBHOOK = Webhook(
    paths=("webhook/{id}",),
    verify=verify,
    parse=parse,
    whose=whose,
    greet=greet,
    secret_variables=(_SECRET,),
)
