"""Events as HubSpot posts them, up to a hundred at a time: https://developers.hubspot.com/docs/api/webhooks."""

from collections.abc import Sequence
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import content_key, event_type_of, key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.payload import JSON, objects_in, read_json
from autokitteh_server.integrations.signatures import verify_hubspot as verify_one
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Request, Secret, Webhook, fitting

_MAX_EVENTS: Final = 100


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """In any of HubSpot's three versions, of which the last counts if it is there."""
    if not request.header("x-hubspot-signature-v3"):
        request.require("x-hubspot-signature", 400)
    return fitting(
        secrets,
        lambda secret: verify_one(secret, request.method, request.url, request.body, request.headers, now_s=now_s),
        401,
    )


def parse(request: Request) -> Parsed:
    """As many events as there are in it."""
    if not request.is_of(JSON):
        raise Refused(400, f"the content type is not {JSON}")
    items = read_json(request.body)
    if not isinstance(items, list) or len(items) > _MAX_EVENTS or len(objects_in(items)) != len(items):
        raise Refused(400, f"the body is not a list of at most {_MAX_EVENTS} objects")
    return Parsed(events=tuple(_found(item) for item in items))


def _found(item: dict[str, Any]) -> Found:
    ids = [text_at(item, name) for name in ("eventId", "subscriptionId", "occurredAt")]
    return Found(
        event_type=event_type_of(item.get("subscriptionType")),
        data=item,
        key=key_of(*ids) if ids[0] else content_key(item),
        match=(match_of(portal_id=item.get("portalId")),),
    )


WEBHOOK = Webhook(
    paths=("webhook",),
    verify=verify,
    parse=parse,
    secret_variables=("private_client_secret",),
    server_secrets=("HUBSPOT_CLIENT_SECRET",),
)
