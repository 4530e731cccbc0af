"""Events as Confluence posts them: one webhook for each category of what happens.

Data Center signs the body. Cloud does not: there the secret is the last part of the address that Confluence is told.
"""

from collections.abc import Sequence
from typing import Any, Final

from autokitteh_server.integrations._families.atlassian import site_of
from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import body_key, event_type_of, key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.payload import json_object, objects_in
from autokitteh_server.integrations.signatures import verify_hex, verify_secret
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Request, Secret, Webhook, fitting

#: What an event is about: the first of these that is there.
_ENTITIES: Final = (
    *("attachment", "blog", "blueprint_page", "comment", "content"),
    *("group", "label", "page", "relation", "space_logo", "space"),
)
_OTHER_NAMES: Final = (("attachments", "attachment"), ("relationData", "relation"))


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body, or the secret in the address; without either, none fits."""
    own = [secret for secret in secrets if secret.owner]
    if signature := request.header("x-hub-signature"):
        return fitting(own, lambda secret: verify_hex(secret, request.body, signature, prefix="sha256="), 401)
    if told := _told_secret(request):
        return fitting(own, lambda secret: verify_secret(secret, told), 401)
    return ()


def parse(request: Request) -> Parsed:
    """One event, as Confluence sends it."""
    payload = json_object(request)
    category = request.path.split("/")[1]
    found = Found(
        event_type=event_type_of(f"{_entity(payload)}_{category}"),
        data=payload,
        key=key_of(category, body_key(request)),
        match=(match_of(BaseURL=_site(payload)),),
    )
    return Parsed(events=(found,))


def _told_secret(request: Request) -> str:
    return "/".join(request.path.split("/")[2:])


def _entity(payload: dict[str, Any]) -> str:
    """Raises Refused if it is about nothing that we know."""
    for name, entity in (*((name, name) for name in _ENTITIES), *_OTHER_NAMES):
        if name in payload:
            return entity
    if "content" in text_at(payload, "type").lower():
        return "content"
    if "user" in payload:
        return "user"
    raise Refused(400, "it does not say what it is about")


def _site(payload: dict[str, Any]) -> str:
    """Where it happened: what an entity's address begins with."""
    named = [payload.get(name) for name in (*_ENTITIES, *(name for name, _ in _OTHER_NAMES))]
    for each in (*named, *objects_in(payload.get("attachments")), *payload.values()):
        try:
            return site_of(text_at(each, "self"))
        except ValueError:
            continue
    return ""


WEBHOOK = Webhook(
    paths=("webhook/{category}", "webhook/{category}/{secret}"),
    verify=verify,
    parse=parse,
    secret_variables=("WebhookSecret_{category}",),
    may_be_unsigned=True,
)
