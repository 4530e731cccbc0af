"""Whatever comes in, at whichever service's address: an answer or a refusal, soon, and nothing else."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.discord.shape import gateway_event
from autokitteh_server.integrations.googlecalendar.shape import calendar_event
from autokitteh_server.integrations.googledrive.shape import file_event
from autokitteh_server.integrations.googleforms.shape import response_event, schema_event
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.salesforce.gateway import change_of
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Refused, Request, Secret, Webhook, receive, recipients
from deliveries import FORM, JSON, NOW_S, form, hmac_hex, raw, request, versioned

#: All together they take many seconds.
pytestmark = pytest.mark.slow

SERVICES = sorted(
    name for name in INTEGRATIONS
    if name in {
        "slack", "github", "jira", "confluence", "hubspot", "linear", "zoom", "twilio", "telegram", "gmail",
        "googleforms", "googlecalendar", "googledrive", "asana", "notion", "microsoft_teams", "youtube",
    }
)  # fmt: skip
WEBHOOKS: dict[str, Webhook] = {
    name: import_module(f"autokitteh_server.integrations.{name}.webhook").WEBHOOK for name in SERVICES
}
SECRET = "known"
STATUSES = {400, 401, 403, 413}

#: The headers that any of them looks at.
HEADERS = (
    "x-slack-signature", "x-slack-request-timestamp", "x-hub-signature", "x-hub-signature-256", "x-github-event",
    "x-github-delivery", "x-github-hook-installation-target-id", "authorization", "x-atlassian-webhook-identifier",
    "x-hubspot-signature", "x-hubspot-signature-v3", "x-hubspot-signature-version", "x-hubspot-request-timestamp",
    "linear-signature", "linear-event", "linear-delivery", "x-zm-signature", "x-zm-request-timestamp",
    "x-twilio-signature", "x-telegram-bot-api-secret-token", "x-goog-channel-id", "x-goog-channel-token",
    "x-goog-resource-state", "x-goog-message-number", "x-goog-pubsub-message-id", "eventtype", "watchid",
    "x-hook-secret", "x-hook-signature", "x-notion-signature",
)  # fmt: skip

VALUES = st.one_of(
    st.text(st.characters(codec="latin-1"), max_size=40),
    st.sampled_from(
        ["Bearer a.b.c", "Bearer ..", "sha256=00", "v0=", "1735689600", "1735689600000", SECRET, "ping", "v1"]
    ),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(
    [
        "type", "event", "user", "channel", "message", "team", "authorizations", "installation", "id", "comment",
        "body", "issue", "self", "matchedWebhookIds", "webhookEvent", "page", "attachments", "relationData", "portalId",
        "subscriptionType", "eventId", "webhookTimestamp", "organizationId", "payload", "plainToken", "update_id",
        "poll", "data", "messageId", "attributes", "events", "action", "resource", "verification_token", "challenge",
        "value", "clientState",
    ]
) | st.text(max_size=10)  # fmt: skip
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)
URLS = ["https://ak.example.com/x?bodySHA256=1&a=%ff", "", "http://[", "https://[/x?validationToken=%ff%20"]
#: What makes the way further in.
SEEDS = st.sampled_from(
    [
        {"type": "url_verification"},
        {"type": "event_callback", "event": {"type": "message"}},
        {"webhookEvent": "jira:issue_created", "matchedWebhookIds": [3]},
        {"event": "endpoint.url_validation"},
        {"webhookTimestamp": 1735689600000},
        {"message": {"data": "e30="}},
        {"verification_token": "x"},
        {"value": [{"clientState": SECRET, "changeType": "updated", "resourceData": {"@odata.type": "#a.team"}}]},
        {"value": [{"clientState": SECRET, "lifecycleEvent": "subscriptionRemoved"}, {"clientState": SECRET}]},
    ]
)
BODIES = st.one_of(
    st.binary(max_size=200),
    TREES.map(lambda tree: json.dumps(tree).encode()),
    st.builds(
        lambda seed, tree: json.dumps({**tree, **seed}).encode(), SEEDS, st.dictionaries(NAMES, TREES, max_size=5)
    ),
    st.builds(lambda tree: form(payload=json.dumps(tree), MessageSid="1", token="x"), TREES),
)


def paths_of(webhook: Webhook) -> list[str]:
    return [path.replace("{", "").replace("}", "") for path in webhook.paths]


def secrets_of(webhook: Webhook, call: Request) -> list[Secret]:
    own = [Secret(value=SECRET, name=name, owner="con_1") for name in webhook.variables_for(call)]
    return [*own, *(Secret(value=SECRET, name=name) for name in webhook.server_secrets)]


def well_signed(body: bytes) -> dict[str, str]:
    """Whatever a service wants to see, all at once."""
    return {
        "x-slack-signature": versioned(SECRET, body),
        "x-slack-request-timestamp": str(int(NOW_S)),
        "x-hub-signature": "sha256=" + hmac_hex(SECRET, body),
        "x-hub-signature-256": "sha256=" + hmac_hex(SECRET, body),
        "x-github-event": "issues",
        "linear-signature": hmac_hex(SECRET, body),
        "linear-event": "Issue",
        "x-zm-signature": versioned(SECRET, body),
        "x-zm-request-timestamp": str(int(NOW_S)),
        "x-telegram-bot-api-secret-token": SECRET,
        "x-goog-channel-id": "c",
        "x-goog-channel-token": SECRET,
        "x-hook-signature": hmac_hex(SECRET, body),
        "x-notion-signature": "sha256=" + hmac_hex(SECRET, body),
        "x-goog-resource-state": "exists",
        "x-hubspot-signature": hashlib.sha256(SECRET.encode() + body).hexdigest(),
        "x-hubspot-signature-version": "v1",
        "x-twilio-signature": base64.b64encode(
            hmac.new(SECRET.encode(), url_for(body).encode(), hashlib.sha1).digest()
        ).decode(),
    }


def url_for(body: bytes) -> str:
    """An address with the body's digest in it, as Twilio has it."""
    return f"https://ak.example.com/x?bodySHA256={hashlib.sha256(body).hexdigest()}"


def check(webhook: Webhook, call: Request) -> None:
    """What comes of it can be stored, and can be asked for its recipients."""
    try:
        received = receive(webhook, call, secrets_of(webhook, call), NOW_S)
    except Refused as refused:
        assert refused.status in STATUSES
        return
    assert received.reply.status == 200
    for found in received.events:
        assert found.key.isascii()
        assert len(found.key) <= 200
        assert all(value.isprintable() for each in found.match for value in each.values.values())
        recipients(webhook, call, found, received.proof, {"con_1": {}})
    for event in received.events:
        assert event.event_type.isascii()
        json.dumps(event.data, ensure_ascii=False).encode()


FUZZ = settings(max_examples=25, deadline=2000, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", SERVICES)
@FUZZ
@given(data=st.data())
def test_anything_at_all(name: str, data: st.DataObject) -> None:
    """Headers and bodies as they fall."""
    webhook = WEBHOOKS[name]
    call = request(
        data.draw(st.sampled_from(paths_of(webhook))),
        data.draw(BODIES),
        data.draw(st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=8)),
        content_type=data.draw(st.sampled_from([JSON, FORM, "", "text/plain"])),
        method=data.draw(st.sampled_from(["POST", "GET", "PUT"])),
        url=data.draw(st.sampled_from(URLS)),
    )

    check(webhook, call)


@pytest.mark.parametrize("name", SERVICES)
@FUZZ
@given(data=st.data())
def test_anything_from_the_right_one(name: str, data: st.DataObject) -> None:
    """Bodies as they fall, but well signed: what a service does not hold to must not matter, either."""
    webhook = WEBHOOKS[name]
    body = data.draw(BODIES)
    headers = {**well_signed(body), **data.draw(st.dictionaries(st.sampled_from(HEADERS[5:7]), VALUES, max_size=2))}
    path = data.draw(st.sampled_from(paths_of(webhook)))
    kind = data.draw(st.sampled_from([JSON, FORM]))

    check(webhook, request(path, body, headers, content_type=kind, url=url_for(body)))


@pytest.mark.parametrize("name", SERVICES)
@FUZZ
@given(data=st.data())
def test_parsing_alone(name: str, data: st.DataObject) -> None:
    """Without any signature in the way: only the refusal that is declared."""
    webhook = WEBHOOKS[name]
    kind = data.draw(st.sampled_from([JSON, FORM]))
    call = request(data.draw(st.sampled_from(paths_of(webhook))), data.draw(BODIES), content_type=kind)

    try:
        webhook.parse(call)
    except Refused as refused:
        assert refused.status in STATUSES


@pytest.mark.parametrize("name", [name for name in SERVICES if sample_types(name)])
@FUZZ
@given(data=st.data())
def test_samples_with_something_else_in_them(name: str, data: st.DataObject) -> None:
    """A real event in which one part is of another kind."""
    sample = load_sample(name, data.draw(st.sampled_from(sample_types(name))))
    place: Any = sample
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = data.draw(TREES)
            break
        place = place[key]
    told = {"value": [{**sample, "clientState": SECRET}]}
    ways = {"slack": {"event": sample}, "hubspot": [sample], "asana": {"events": [sample]}, "microsoft_teams": told}
    wrapped = ways.get(name, sample)
    body = raw(wrapped)

    check(WEBHOOKS[name], request(paths_of(WEBHOOKS[name])[0], body, well_signed(body), url=url_for(body)))


@FUZZ
@given(
    st.dictionaries(NAMES, TREES, max_size=5),
    st.sampled_from(["sequence", "status", "fileId", "answers", "items", "transactionKey", "recordIds"]),
    TREES,
)
def test_what_services_answer(resource: dict[str, Any], name: str, value: object) -> None:
    """What they are asked for need not be as documented, either."""
    given = {**resource, name: value}
    found = [
        calendar_event(given, match_of(connection_id="con_1")),
        file_event(given, match_of(connection_id="con_1")),
        schema_event(given, "now"),
        response_event("1FAI", given, "now"),
        gateway_event("MESSAGE_CREATE", given, bot_id="1", session_id="s", number=1),
        change_of({"ChangeEventHeader": {"entityName": "Account", **given}}, match_of(organization_id="00D")),
    ]

    assert all(len(each.key) <= 200 for each in found if each)


MEGABYTE = 1 << 20


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: b"[" * MEGABYTE,
        lambda: b'{"a":' * (MEGABYTE // 5),
        lambda: b'{"x":"' + b"\\" * MEGABYTE,
        lambda: b"1" * MEGABYTE,
        lambda: b"\x00" * MEGABYTE,
        lambda: b"a=b&" * (MEGABYTE // 4),
        lambda: b"%" * MEGABYTE,
        lambda: b'{"event":{"type":"message","text":"' + b"/x\\n" * (MEGABYTE // 4) + b'"}}',
    ],
)
def test_huge_bodies_take_no_time(name: str, make: Callable[[], bytes]) -> None:
    """A megabyte of anything is over within a second, at each address and in each form."""
    webhook, body = WEBHOOKS[name], make()
    begin = time.perf_counter()
    for path in paths_of(webhook):
        for kind in (JSON, FORM):
            check(webhook, request(path, body, well_signed(body), content_type=kind))

    assert time.perf_counter() - begin < 1.0 * 2 * len(webhook.paths)
