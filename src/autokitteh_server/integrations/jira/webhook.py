"""Events as Jira posts them: https://developer.atlassian.com/cloud/jira/platform/webhooks.

Webhooks that an app has made bear a token that is signed with the app's secret. Those that an administrator has made
sign the body; each connection has an address for them.
"""

from collections.abc import Sequence
from typing import Any

from autokitteh_server.integrations._families.atlassian import site_of
from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import delivery_key, event_type_of
from autokitteh_server.integrations.matching import CONNECTION_ID, Match, match_of
from autokitteh_server.integrations.payload import json_object
from autokitteh_server.integrations.signatures import verify_hex, verify_jwt_hs256
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Request, Secret, Webhook, fitting

_SIGNATURE = "x-hub-signature"


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body, or a token."""
    if signature := request.header(_SIGNATURE):
        own = [secret for secret in secrets if secret.owner]
        return fitting(own, lambda secret: verify_hex(secret, request.body, signature, prefix="sha256="), 401)
    kind, _, token = request.require("authorization", 401).partition(" ")
    if kind.lower() not in ("bearer", "jwt"):
        raise Refused(401, "the authorization is of another kind")
    return fitting(secrets, lambda secret: verify_jwt_hs256(secret, token.strip(), now_s=now_s), 401)


def whose(request: Request) -> Match | None:
    """The connection that has the address."""
    owner = request.path.partition("/")[2]
    return match_of(**{CONNECTION_ID: owner}) if owner else None


def parse(request: Request) -> Parsed:
    """One event, as Jira sends it."""
    payload = json_object(request)
    kind = event_type_of(payload.get("webhookEvent")).removeprefix("jira:")
    if kind.startswith("issue_property_"):
        return Parsed()
    found = Found(
        event_type=event_type_of(kind),
        data=payload,
        key=delivery_key(request, "x-atlassian-webhook-identifier"),
        match=_matches(request, payload),
    )
    return Parsed(events=(found,))


def webhook_key(site: str, webhook_id: str) -> str:
    """What an app's webhook is known by: ids are counted anew on each site. "" without the address of the site."""
    subdomain = site.partition("//")[2].partition(".")[0]
    return f"{subdomain}/{webhook_id}" if subdomain else ""


def _matches(request: Request, payload: dict[str, Any]) -> tuple[Match, ...]:
    if own := whose(request):
        return (own,)
    site = _site(payload)
    if request.header(_SIGNATURE):
        return (match_of(BaseURL=site),)
    ids = payload.get("matchedWebhookIds")
    if not isinstance(ids, list) or not ids:
        raise Refused(400, "it does not say by which webhooks it is sent")
    known = {text_at(ids, index) for index in range(min(len(ids), 1000))} - {""}
    return tuple(match_of(WebhookKey=webhook_key(site, each)) for each in sorted(known))


def _site(payload: dict[str, Any]) -> str:
    """Where it happened: scheme and host of whatever it is about."""
    for each in (payload.get("issue"), payload.get("comment"), *payload.values()):
        try:
            return site_of(text_at(each, "self"))
        except ValueError:
            continue
    return ""


WEBHOOK = Webhook(
    paths=("webhook", "webhook/{id}"),
    verify=verify,
    parse=parse,
    whose=whose,
    secret_variables=("WebhookSecret",),
    server_secrets=("JIRA_CLIENT_SECRET",),
)
