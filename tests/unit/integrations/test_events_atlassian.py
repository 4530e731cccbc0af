"""What Jira and Confluence post: tokens, signatures, and whose event it is."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from autokitteh_server.integrations.confluence.spec import SPEC as CONFLUENCE_SPEC
from autokitteh_server.integrations.confluence.webhook import WEBHOOK as CONFLUENCE
from autokitteh_server.integrations.jira.spec import SPEC as JIRA_SPEC
from autokitteh_server.integrations.jira.webhook import WEBHOOK as JIRA
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import MAX_UNSIGNED_BYTES, Request, Secret, recipients
from deliveries import NOW_S, hmac_hex, own, passes, raw, refusal, request, take, types_and_data

SECRET = "the app's own secret"
APP = Secret(value=SECRET, name="JIRA_CLIENT_SECRET")
CREATED: dict[str, Any] = load_sample("jira", "issue_created")
PAGE: dict[str, Any] = load_sample("confluence", "page_created")


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(secret: str = SECRET, *, alg: str = "HS256", **claims: object) -> str:
    signed = part({"alg": alg, "typ": "JWT"}) + "." + part({"iat": NOW_S, "exp": NOW_S + 180, "iss": "app", **claims})
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def dynamic(body: object, given: str | None = None, **headers: str) -> Request:
    return request("webhook", body, {"authorization": f"Bearer {given or token()}", **headers})


def signed(path: str, body: object, secret: str = SECRET, **headers: str) -> Request:
    return request(path, body, {"x-hub-signature": "sha256=" + hmac_hex(secret, raw(body)), **headers})


def test_jira_as_it_is_sent() -> None:
    """The whole payload, in Jira's own spelling, without the prefix in its type."""
    call = dynamic(CREATED, **{"x-atlassian-webhook-identifier": "delivery-1"})
    received = take(JIRA, call, APP)

    assert types_and_data(received) == [("issue_created", CREATED)]
    assert received.events[0].key == "delivery-1"
    assert passes("data.issue.fields.project.key == 'OPS'", "issue_created", CREATED)
    assert CREATED["user"]["displayName"] == "Ann"
    connections = {"con_1": {"WebhookKey": "acme/3"}, "con_2": {"WebhookKey": "other/3"}, "con_3": {}}
    assert recipients(JIRA, call, received.events[0], received.proof, connections) == ("con_1",)


def test_jira_with_several_webhooks() -> None:
    """Each connection whose webhook it is gets it."""
    call = dynamic({**CREATED, "matchedWebhookIds": [3, 4]})
    received = take(JIRA, call, APP)
    connections = {f"con_{index}": {"WebhookKey": f"acme/{index}"} for index in range(6)}

    assert recipients(JIRA, call, received.events[0], received.proof, connections) == ("con_3", "con_4")


def test_jira_at_a_connections_own_address() -> None:
    """A webhook that an administrator has made: the connection's own secret, and no list of webhooks."""
    body = {name: value for name, value in CREATED.items() if name != "matchedWebhookIds"}
    call = signed("webhook/con_1", body, "mine")
    received = take(JIRA, call, own("mine", "WebhookSecret"), APP)
    connections = {"con_1": {"WebhookSecret": "mine"}, "con_2": {"WebhookSecret": "other"}}

    assert recipients(JIRA, call, received.events[0], received.proof, connections) == ("con_1",)
    assert refusal(JIRA, signed("webhook/con_1", body), APP) == 401  # the app's secret signs tokens only


def test_the_vector_of_atlassians_documentation() -> None:
    """It is signed well, and is no JSON."""
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    call = request("webhook/con_1", b"Hello World!", {"x-hub-signature": signature})

    assert refusal(JIRA, call, own("It's a Secret to Everybody", "WebhookSecret")) == 400


def test_jira_properties_are_ignored() -> None:
    """They are changed by apps, all the time."""
    assert take(JIRA, dynamic({**CREATED, "webhookEvent": "issue_property_set"}), APP).events == ()


def test_jira_unknown_types_pass_through() -> None:
    """With whatever has an address in it."""
    body = {
        "webhookEvent": "sprint_started",
        "sprint": {"self": "https://acme.atlassian.net/x"},
        "matchedWebhookIds": [3],
    }

    received = take(JIRA, dynamic(body), APP)

    assert received.events[0].event_type == "sprint_started"
    assert received.events[0].match[0].values == {"WebhookKey": "acme/3"}


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("webhook", CREATED), 401),
        (request("webhook", CREATED, {"authorization": "Basic YTpi"}), 401),
        (dynamic(CREATED, token("wrong")), 401),
        (dynamic(CREATED, token(alg="none")), 401),
        (dynamic(CREATED, token(exp=NOW_S - 3600)), 401),
        (dynamic(CREATED, token(exp=None)), 401),
        (dynamic(CREATED, token(iat=NOW_S + 3600)), 401),
        (dynamic(CREATED, "a.b.c"), 401),
        (dynamic(CREATED, base64.urlsafe_b64encode(b"[" * 40_000).decode() + ".e30.x"), 401),
        (signed("webhook", CREATED, "wrong"), 401),
        (dynamic({name: value for name, value in CREATED.items() if name != "matchedWebhookIds"}), 400),
        (dynamic({"matchedWebhookIds": [3]}), 400),
        (dynamic(CREATED, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_jira_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(JIRA, call, APP) == status


def test_confluence_as_it_is_sent() -> None:
    """The type is what it is about, and what has happened to it."""
    call = signed("webhook/created", PAGE)
    received = take(CONFLUENCE, call, own(SECRET, "WebhookSecret_created"))
    site = "https://acme.atlassian.net"
    connections = {
        "con_1": {"BaseURL": site, "WebhookSecret_created": SECRET},
        "con_2": {"BaseURL": site, "WebhookSecret_created": "other"},
        "con_3": {"BaseURL": "https://other.atlassian.net"},
    }

    assert types_and_data(received) == [("page_created", PAGE)]
    assert CONFLUENCE.variables_for(call) == ("WebhookSecret_created",)
    assert recipients(CONFLUENCE, call, received.events[0], received.proof, connections) == ("con_1",)


def test_confluence_with_the_secret_in_the_address() -> None:
    """Cloud signs nothing: only somebody who was told the address can have called it."""
    secret = own("unguessable", "WebhookSecret_created")

    assert take(CONFLUENCE, request("webhook/created/unguessable", PAGE), secret).proof == (secret,)
    assert refusal(CONFLUENCE, request("webhook/created/guessed", PAGE), secret) == 401


def test_confluence_unsigned() -> None:
    """Only connections that have no secret believe it."""
    call = request("webhook/created", PAGE)
    received = take(CONFLUENCE, call, own(SECRET, "WebhookSecret_created"))
    site = "https://acme.atlassian.net"
    connections = {"con_1": {"BaseURL": site, "WebhookSecret_created": SECRET}, "con_2": {"BaseURL": site}}

    assert recipients(CONFLUENCE, call, received.events[0], received.proof, connections) == ("con_2",)


def test_confluence_unsigned_at_another_address() -> None:
    """Whoever calls chooses the category: one without a secret is no way around those that have one."""
    site = "https://acme.atlassian.net"
    connections = {"con_1": {"BaseURL": site, "WebhookSecret_created": SECRET}, "con_2": {"BaseURL": site}}
    for category in ("archived", "forged"):
        call = request(f"webhook/{category}", PAGE)
        received = take(CONFLUENCE, call)
        assert recipients(CONFLUENCE, call, received.events[0], received.proof, connections) == ("con_2",)


def test_confluence_unsigned_and_huge() -> None:
    """What anybody may send is not read if it is: it could be twenty times as large then."""
    huge = json.dumps({**PAGE, "more": "x" * MAX_UNSIGNED_BYTES}).encode()

    assert refusal(CONFLUENCE, request("webhook/created", huge)) == 413
    assert refusal(CONFLUENCE, signed("webhook/created", huge), own(SECRET, "WebhookSecret_created")) == 0


@pytest.mark.parametrize(
    ("body", "event_type"),
    [
        ({"attachments": [{"self": "https://a.example/wiki/1"}]}, "attachment_created"),
        ({"relationData": {}}, "relation_created"),
        ({"type": "some_content_kind"}, "content_created"),
        ({"page": {}, "comment": {}}, "comment_created"),
    ],
)
def test_confluence_what_it_is_about(body: object, event_type: str) -> None:
    """The first entity that is there; some have other names."""
    assert take(CONFLUENCE, request("webhook/created", body)).events[0].event_type == event_type


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (signed("webhook/created", PAGE, "wrong"), 401),
        (request("webhook/created", {"something": 1}), 400),
        (request("webhook/created", [1]), 400),
        (request("webhook/created", PAGE, content_type="text/html"), 400),
        (request("webhook/a b", PAGE), 400),
    ],
)
def test_what_confluence_is_refused(call: Request, status: int) -> None:
    """Nothing that is signed wrong counts as unsigned."""
    assert refusal(CONFLUENCE, call, own(SECRET, "WebhookSecret_created")) == status


def test_repeats_have_the_same_key() -> None:
    """Both with an id of the delivery, and without."""
    for webhook, call, secret in ((JIRA, dynamic(CREATED), APP), (CONFLUENCE, request("webhook/created", PAGE), None)):
        secrets = [secret] if secret else []
        assert take(webhook, call, *secrets).events[0].key == take(webhook, call, *secrets).events[0].key


@pytest.mark.parametrize("name", sample_types("jira"))
def test_jiras_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("jira", name)

    assert types_and_data(take(JIRA, dynamic(sample), APP)) == [(name, sample)]


@pytest.mark.parametrize("name", sample_types("confluence"))
def test_confluences_samples_are_what_comes_out(name: str) -> None:
    """And each says from where it is."""
    sample = load_sample("confluence", name)

    received = take(CONFLUENCE, request(f"webhook/{name.rpartition('_')[2]}", sample))

    assert types_and_data(received) == [(name, sample)]
    assert received.events[0].match[0].values == {"BaseURL": "https://acme.atlassian.net"}


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in JIRA_SPEC.events} <= set(sample_types("jira"))
    assert {each.name for each in CONFLUENCE_SPEC.events} <= set(sample_types("confluence"))
