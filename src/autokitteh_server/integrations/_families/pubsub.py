"""How Google's Pub/Sub pushes messages: https://cloud.google.com/pubsub/docs/push.

A message comes in an envelope, or as it is with what else is known of it in headers, as its subscription has it.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import body_key, key_of
from autokitteh_server.integrations.oidc import key_id_of, verify_google
from autokitteh_server.integrations.payload import json_object, read_object
from autokitteh_server.integrations.signatures import BadSignature
from autokitteh_server.integrations.webhook import Refused, Request, Secret, fitting

#: The account that pushes (several: separated by commas), and for whom its tokens are; the address, if it is not set.
EMAIL: Final = "GOOGLE_PUBSUB_EMAIL"
AUDIENCE: Final = "GOOGLE_PUBSUB_AUDIENCE"

_PREFIX: Final = "x-goog-pubsub-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of a subscription."""

    data: Mapping[str, Any]
    attributes: Mapping[str, str]  # names in lower case: as headers they have no other
    key: str
    published: str  # RFC 3339; "": it does not say


def verify_push(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """A token of Google's, for this address, from the account that is ours."""
    kind, _, token = request.require("authorization", 401).partition(" ")
    if kind.lower() != "bearer":
        raise Refused(401, "the authorization is of another kind")
    settings = {secret.name: secret.value for secret in secrets if secret.name in (EMAIL, AUDIENCE)}
    emails = [each.strip() for each in settings.get(EMAIL, "").split(",") if each.strip()]
    if not emails:
        raise Refused(401, f"the server's {EMAIL} is not set: nobody is believed")
    try:
        key_id = key_id_of(token)
    except BadSignature as error:
        raise Refused(401, str(error)) from None
    keys = [secret for secret in secrets if secret.name == key_id and secret.name not in (EMAIL, AUDIENCE)]
    audience = settings.get(AUDIENCE, "")
    if not audience and not request.is_url_known:  # a token for somebody else would do, sent with his address
        raise Refused(401, f"for whom its token has to be is not known: set {AUDIENCE}, or `http.service_url`")
    audience = audience or request.url
    return fitting(keys, lambda key: verify_google(token, key, audience=audience, emails=emails, now_s=now_s), 401)


def read_message(request: Request) -> Message:
    """Raises Refused."""
    payload = json_object(request)
    wrapped = payload.get("message")
    if not isinstance(wrapped, dict):
        return Message(
            data=payload,
            attributes=request.headers,
            key=_key(request, request.header(_PREFIX + "message-id")),
            published=request.header(_PREFIX + "publish-time"),
        )
    given = wrapped.get("attributes")
    attributes = {name.lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return Message(
        data=_decoded(text_at(wrapped, "data")),
        attributes=attributes,
        key=_key(request, text_at(wrapped, "messageId") or text_at(wrapped, "message_id")),
        published=text_at(wrapped, "publishTime") or text_at(wrapped, "publish_time"),
    )


def _decoded(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(400, "the message's data is not base64") from None
    return read_object(raw)


def _key(request: Request, message_id: str) -> str:
    return key_of(message_id) if message_id else body_key(request)
