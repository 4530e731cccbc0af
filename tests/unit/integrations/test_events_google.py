"""What Google's services push, and what is made of what they are asked for."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.integrations.gmail.webhook import WEBHOOK as GMAIL
from autokitteh_server.integrations.googlecalendar.shape import calendar_event
from autokitteh_server.integrations.googlecalendar.webhook import WEBHOOK as CALENDAR
from autokitteh_server.integrations.googledrive.shape import file_event
from autokitteh_server.integrations.googledrive.webhook import WEBHOOK as DRIVE
from autokitteh_server.integrations.googleforms.shape import response_event, schema_event
from autokitteh_server.integrations.googleforms.webhook import WEBHOOK as FORMS
from autokitteh_server.integrations.jwt import sign_rs256
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.oidc import verify_google
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.signatures import BadSignature
from autokitteh_server.integrations.webhook import Refused, Request, Secret, Webhook, recipients
from deliveries import NOW_S, own, passes, refusal, request, take, types_and_data

URL = "https://ak.example.com/gmail/notif"
PUSHER = "pusher@acme.iam.gserviceaccount.com"
KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
MATCH = match_of(connection_id="con_1")


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def web_key(key: rsa.RSAPrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    return json.dumps({"kty": "RSA", "alg": "RS256", "n": number(numbers.n), "e": number(numbers.e)})


SECRETS = (
    Secret(value=web_key(KEY), name="k1"),
    Secret(value=web_key(OTHER_KEY), name="k2"),
    Secret(value=PUSHER, name="GOOGLE_PUBSUB_EMAIL"),
)


def token(key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **claims: object) -> str:
    usual = {
        "iss": "https://accounts.google.com", "aud": URL, "email": PUSHER, "email_verified": True,
        "iat": NOW_S, "exp": NOW_S + 3600,
    }  # fmt: skip
    return sign_rs256({**usual, **claims}, pem(key), key_id=kid)


def push(body: object, given: str | None = None, **headers: str) -> Request:
    return request("notif", body, {"authorization": f"Bearer {given or token()}", **headers}, url=URL)


def envelope(data: object, **attributes: str) -> dict[str, Any]:
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    message = {
        "data": encoded, "attributes": attributes, "messageId": "m-1", "publishTime": "2025-01-01T10:00:00.1Z",
    }  # fmt: skip
    return {"message": message, "subscription": "projects/acme/subscriptions/gmail"}


MAIL = {"emailAddress": "ops@acme.com", "historyId": 88123}
BARE = {"x-goog-pubsub-message-id": "m-1", "x-goog-pubsub-publish-time": "2025-01-01T10:00:00.1Z"}


@pytest.mark.parametrize(
    "call",
    [
        push(envelope(MAIL)),
        push(envelope({**MAIL, "historyId": "88123"})),
        push(MAIL, **BARE),
    ],
)
def test_gmail(call: Request) -> None:
    """The same, in an envelope and without one."""
    received = take(GMAIL, call, *SECRETS)
    connections = {"con_1": {"user_email": "ops@acme.com"}, "con_2": {"user_email": "x@acme.com"}, "con_3": {}}

    assert types_and_data(received) == [("mailbox_change", load_sample("gmail", "mailbox_change"))]
    assert received.events[0].key == "history:ops@acme.com:88123"
    assert recipients(GMAIL, call, received.events[0], received.proof, connections) == ("con_1",)
    assert passes("data.history_id > 88000", "mailbox_change", received.events[0].data)


def test_forms() -> None:
    """A push says only that there is something new, and by which watch."""
    call = push(envelope({}, eventType="RESPONSES", formId="1FAI", watchId="w-1"))
    received = take(FORMS, call, *SECRETS)

    ((look),) = received.looks
    assert received.events == ()
    connections = {"con_1": {"FormResponsesWatchID": "w-1"}, "con_2": {"FormSchemaWatchID": "w-1"}}
    assert recipients(FORMS, call, look, received.proof, connections) == ("con_1",)


def test_forms_without_an_envelope() -> None:
    """Attributes are headers then."""
    call = push({}, **BARE, eventtype="SCHEMA", formid="1FAI", watchid="w-2")

    assert take(FORMS, call, *SECRETS).looks[0].match == (match_of(FormSchemaWatchID="w-2"),)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("notif", envelope(MAIL), url=URL), 401),
        (request("notif", envelope(MAIL), {"authorization": "Basic x"}, url=URL), 401),
        (push(envelope(MAIL), "a.b.c"), 401),
        (push(envelope(MAIL), token(OTHER_KEY)), 401),
        (push(envelope(MAIL), token(kid="k9")), 401),
        (push(envelope(MAIL), token(kid="GOOGLE_PUBSUB_EMAIL")), 401),
        (push(envelope(MAIL), token(aud="https://elsewhere.example.com")), 401),
        (push(envelope(MAIL), token(iss="https://evil.example.com")), 401),
        (push(envelope(MAIL), token(email="evil@x.iam.gserviceaccount.com")), 401),
        (push(envelope(MAIL), token(email_verified=False)), 401),
        (push(envelope(MAIL), token(exp=NOW_S - 301)), 401),
        (push(envelope(MAIL), token(iat=NOW_S + 301)), 401),
        (push({"message": {"data": "!"}}), 400),
        (push({"message": {}}), 400),
        (push(envelope({"emailAddress": "a", "historyId": "٣"})), 400),
        (push(b"{"), 400),
        (push(envelope(MAIL), **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_gmail_is_refused(call: Request, status: int) -> None:
    """Issuer, audience and account count, beside the signature: Google signs for everybody."""
    assert refusal(GMAIL, call, *SECRETS) == status


PARTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from([part({"alg": "RS256", "kid": "k1"}), part([]), part({"alg": "none"}), "e30", "=", "é"]),
)


@given(
    PARTS, PARTS, PARTS, st.sampled_from([web_key(KEY), "{}", "[]", "", '{"kty": "RSA", "n": "AQ", "e": "AQ"}', "é"])
)
def test_tokens_that_are_none(head: str, claims: str, signature: str, key: str) -> None:
    """They are refused, whatever they are."""
    text = f"{head}.{claims}.{signature}"

    with pytest.raises(BadSignature):
        verify_google(text, key, audience=URL, emails=[PUSHER], now_s=NOW_S)
    assert refusal(GMAIL, push(envelope(MAIL), text or "-"), *SECRETS) == 401


def test_without_the_account_nobody_is_believed() -> None:
    """A setting that is missing opens nothing."""
    assert refusal(GMAIL, push(envelope(MAIL)), *SECRETS[:2]) == 401


def channel(state: str = "exists", given: str = "t0ken", **headers: str) -> Request:
    usual = {
        "x-goog-channel-id": "con_1/events", "x-goog-channel-token": given, "x-goog-resource-id": "r",
        "x-goog-resource-state": state, "x-goog-message-number": "7",
    }  # fmt: skip
    return request("notif", b"", {**usual, **headers}, content_type="")


CHANNELS = [
    (CALENDAR, "CalendarEventsWatchID", "CalendarEventsWatchToken"),
    (DRIVE, "DriveEventsWatchID", "DriveEventsWatchToken"),
]


@pytest.mark.parametrize(("webhook", "id_variable", "token_variable"), CHANNELS)
def test_channels(webhook: Webhook, id_variable: str, token_variable: str) -> None:
    """The channel's connection has to look; a repeat has the same key."""
    secret = own("t0ken", token_variable)
    received = take(webhook, channel(), secret)
    connections = {
        "con_1": {id_variable: "con_1/events", token_variable: "t0ken"},
        "con_2": {id_variable: "con_2/events", token_variable: "t0ken"},
    }

    assert recipients(webhook, channel(), received.looks[0], received.proof, connections) == ("con_1",)
    assert take(webhook, channel("sync"), secret).looks == ()
    assert take(webhook, channel()).looks == ()  # of a connection that is gone
    assert refusal(webhook, channel(given="wrong"), secret) == 403
    assert refusal(webhook, channel(given=""), secret) == 401
    assert refusal(webhook, channel(""), secret) == 400


def test_a_calendars_event() -> None:
    """All fields are there, under names that code reads."""
    found = calendar_event(
        {
            "id": "3kq1", "status": "confirmed", "summary": "Demo", "sequence": 0, "iCalUID": "u",
            "start": {"dateTime": "2025-02-03T15:00:00Z", "timeZone": "UTC"},
            "extendedProperties": {"private": {"myKey": "v"}},
        },
        MATCH,
    )  # fmt: skip

    assert found.event_type == "event_created"
    assert found.data.get("start", {}).get("date_time") == "2025-02-03T15:00:00Z"
    assert found.data["start"] == {"date": "", "date_time": "2025-02-03T15:00:00Z", "time_zone": "UTC"}
    assert found.data["end"] == {"date": "", "date_time": "", "time_zone": ""}
    assert (found.data["i_cal_uid"], found.data["description"], found.data["attendees"]) == ("u", "", [])
    assert found.data["extended_properties"]["private"] == {"myKey": "v"}
    assert passes("data.description == '' && data.start.date == ''", found.event_type, found.data)


@pytest.mark.parametrize(
    ("resource", "event_type"),
    [
        ({"status": "confirmed"}, "event_created"),
        ({"status": "confirmed", "sequence": 2}, "event_updated"),
        ({"status": "cancelled", "sequence": 2}, "event_deleted"),
        ({}, "event_created"),
    ],
)
def test_types_of_a_calendars_events(resource: dict[str, Any], event_type: str) -> None:
    """From its state and the number of its changes."""
    assert calendar_event(resource, MATCH).event_type == event_type


def test_a_change_of_a_file() -> None:
    """Long numbers, which Google sends as texts, are numbers."""
    change = {"kind": "drive#change", "changeType": "file", "time": "2025-01-01T10:00:00Z", "removed": False,
              "fileId": "1AbC", "file": {"id": "1AbC", "mimeType": "text/plain", "size": "2048"}}  # fmt: skip

    found = file_event(change, MATCH)

    assert (found.event_type, found.data["file_id"], found.data["drive_id"]) == ("file_change", "1AbC", "")
    assert (found.data["file"]["mime_type"], found.data["file"]["size"]) == ("text/plain", 2048)
    assert file_event({"fileId": "1AbC", "removed": True}, MATCH).event_type == "file_remove"
    assert file_event({"fileId": "1AbC", "removed": True}, MATCH).data["file"] is None
    assert file_event(change, MATCH).key == found.key != file_event({**change, "time": "later"}, MATCH).key


def test_a_response() -> None:
    """Answers are by question, verbatim; what is in them has names that code reads."""
    answers = {"7f3aBC": {"questionId": "7f3aBC", "textAnswers": {"answers": [{"value": "yes"}]}}}

    data = response_event("1FAI", {"responseId": "ACYD1", "answers": answers}, "now").data

    assert data["response"]["answers"]["7f3aBC"]["text_answers"]["answers"][0]["value"] == "yes"
    assert (data["event_type"], data["form_id"], data["response"]["respondent_email"]) == ("RESPONSES", "1FAI", "")


def test_a_form() -> None:
    """Its title, its revision, its questions."""
    form = {"formId": "1FAI", "revisionId": "14", "info": {"title": "Lunch"}, "items": [{"itemId": "1"}]}

    found = schema_event(form, "now")

    assert found.data["form"]["info"] == {"title": "Lunch", "document_title": "", "description": ""}
    assert found.data["form"]["items"][0]["item_id"] == "1"
    assert found.data["form"]["revision_id"] == "14"
    assert found.key == "schema:1FAI:14"


@pytest.mark.parametrize("name", ["gmail", "googlecalendar", "googledrive", "googleforms"])
def test_there_is_a_sample_of_each_type(name: str) -> None:
    """So that each can be tried."""
    assert {each.name for each in load_integration(name).events} <= set(sample_types(name))


def test_an_address_that_the_caller_says_is_no_audience() -> None:
    """A token for somebody else's address would fit, if it were sent with that address."""
    call = replace(push(envelope({"emailAddress": "ops@acme.com", "historyId": "7"})), is_url_known=False)
    with pytest.raises(Refused, match="GOOGLE_PUBSUB_AUDIENCE"):
        take(GMAIL, call, *SECRETS)
    audience = Secret(value=URL, name="GOOGLE_PUBSUB_AUDIENCE")
    assert take(GMAIL, call, *SECRETS, audience).events
