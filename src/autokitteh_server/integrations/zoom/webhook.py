"""Events as Zoom posts them: https://developers.zoom.us/docs/api/webhooks."""

import json
from collections.abc import Sequence
from typing import Final

from autokitteh_server.integrations.asking import dig, text_at
from autokitteh_server.integrations.keys import body_key, event_type_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.payload import JSON, json_object, read_json
from autokitteh_server.integrations.signatures import answer_challenge, verify_versioned
from autokitteh_server.integrations.webhook import Found, Parsed, Reply, Request, Secret, Webhook, fitting

_VALIDATION: Final = "endpoint.url_validation"


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """`v0=` and an HMAC over the time and the body."""
    signature = request.require("x-zm-signature", 400)
    timestamp = request.require("x-zm-request-timestamp", 400)
    return fitting(
        secrets, lambda secret: verify_versioned(secret, request.body, signature, timestamp, now_s=now_s), 401
    )


def answer_handshake(request: Request, proof: Sequence[Secret]) -> Reply | None:
    """Zoom asks, when the address is entered and every three days, whether we know the secret."""
    if not request.is_of(JSON) or _VALIDATION.encode() not in request.body:
        return None
    payload = read_json(request.body)
    if dig(payload, "event") != _VALIDATION:
        return None
    plain = text_at(payload, "payload", "plainToken")
    answer = {"plainToken": plain, "encryptedToken": answer_challenge(proof[0].value, plain)}
    return Reply(headers={"content-type": JSON}, body=json.dumps(answer).encode())


def parse(request: Request) -> Parsed:
    """One event, as Zoom sends it. A repeat has the same bytes: the time of the event is in them."""
    payload = json_object(request)
    found = Found(
        event_type=event_type_of(payload.get("event")),
        data=payload,
        key=body_key(request),
        match=(match_of(account_id=dig(payload, "payload", "account_id")),),
    )
    return Parsed(events=(found,))


WEBHOOK = Webhook(
    paths=("event",),
    verify=verify,
    parse=parse,
    answer_handshake=answer_handshake,
    secret_variables=("private_secret_token",),
    server_secrets=("ZOOM_SECRET_TOKEN",),
)
