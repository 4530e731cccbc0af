"""Events as Linear posts them: https://linear.app/developers/webhooks."""

from collections.abc import Sequence
from typing import Any, Final

from autokitteh_server.integrations.keys import delivery_key, event_type_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.payload import json_object
from autokitteh_server.integrations.signatures import verify_hex
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Request, Secret, Webhook, fitting

_MAX_AGE_S: Final = 60
_CLOCKS_DIFFER_S: Final = 5  # what is from the future is from a clock that is fast


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body, in which the time is."""
    signature = request.require("linear-signature", 400)
    proof = fitting(secrets, lambda secret: verify_hex(secret, request.body, signature), 401)
    _check_age(json_object(request), now_s)
    return proof


def parse(request: Request) -> Parsed:
    """One event, as Linear sends it."""
    payload = json_object(request)
    found = Found(
        event_type=event_type_of(request.require("linear-event", 400)).lower(),
        data=payload,
        key=delivery_key(request, "linear-delivery"),
        match=(match_of(org_id=payload.get("organizationId")),),
    )
    return Parsed(events=(found,))


def _check_age(payload: dict[str, Any], now_s: float) -> None:
    sent = payload.get("webhookTimestamp")
    if isinstance(sent, bool) or not isinstance(sent, int) or sent.bit_length() > 64:
        raise Refused(400, "the time stamp is missing or is none")
    if not -_CLOCKS_DIFFER_S <= now_s - sent / 1000 <= _MAX_AGE_S:
        raise Refused(400, "the time stamp is too far from now")


WEBHOOK = Webhook(
    paths=("event",),
    verify=verify,
    parse=parse,
    secret_variables=("private_webhook_secret",),
    server_secrets=("LINEAR_WEBHOOK_SECRET",),
)
