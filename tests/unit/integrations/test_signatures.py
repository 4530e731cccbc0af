"""Signatures of services: their own vectors, and that nothing else passes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.integrations import signatures
from autokitteh_server.integrations.signatures import (
    BadSignature,
    answer_challenge,
    verify_hex,
    verify_hubspot,
    verify_jwt_hs256,
    verify_secret,
    verify_twilio,
    verify_versioned,
)

NOW = 1_531_420_618.0

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUBSPOT_BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)

TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def test_slack() -> None:
    """The example of Slack's documentation."""
    verify_versioned(SLACK_SECRET, SLACK_BODY, SLACK_SIGNATURE, "1531420618", now_s=NOW)


def test_github() -> None:
    """The example of GitHub's documentation."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify_hex("It's a Secret to Everybody", b"Hello, World!", signature, prefix="sha256=")


def test_jira() -> None:
    """The example of Atlassian's documentation."""
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    verify_hex("It's a Secret to Everybody", b"Hello World!", signature, prefix="sha256=")


@pytest.mark.parametrize(
    ("caller", "signature"),
    [("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")],
)
def test_twilio(caller: str, signature: str) -> None:
    """The examples of Twilio's documentation and of its libraries."""
    form = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "To": "+18005551212", "Caller": caller, "From": caller}
    verify_twilio("12345", TWILIO_URL, signature, form=form)


def test_hubspot_v1() -> None:
    """The example of HubSpot's documentation."""
    signature = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    headers = {"x-hubspot-signature": signature, "x-hubspot-signature-version": "v1"}
    verify_hubspot(HUBSPOT_SECRET, "POST", "https://x", HUBSPOT_BODY, headers, now_s=NOW)


def test_hubspot_v2() -> None:
    """The example of HubSpot's documentation."""
    signature = "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
    headers = {"x-hubspot-signature": signature, "x-hubspot-signature-version": "v2"}
    verify_hubspot(HUBSPOT_SECRET, "GET", "https://www.example.com/webhook_uri", b"", headers, now_s=NOW)


def hubspot_v3(secret: str, url: str, body: bytes, timestamp: str) -> str:
    signed = b"POST" + url.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, "sha256").digest()).decode()


def test_hubspot_v3() -> None:
    """Over method, URL, body and moment; what is escaped in the query is signed as it was before."""
    timestamp = f"{int(NOW)}000"
    signature = hubspot_v3("s", "https://x/h?a=b c", b"[]", timestamp)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": timestamp}
    verify_hubspot("s", "POST", "https://x/h?a=b%20c", b"[]", headers, now_s=NOW)


def test_hubspot_takes_the_oldest_version_only_where_there_is_no_newer() -> None:
    """Else whoever has seen one old request could send it for ever."""
    old = {"x-hubspot-signature": hashlib.sha256(b"s" + b"[]").hexdigest(), "x-hubspot-signature-version": "v1"}
    with pytest.raises(BadSignature):
        verify_hubspot("s", "POST", "https://x", b"[]", old | {"x-hubspot-signature-v3": "x"}, now_s=NOW)


def test_twilio_json() -> None:
    """With another body than a form the URL has its hash."""
    body = b'{"a": 1}'
    url = f"https://x/t?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = base64.b64encode(hmac.new(b"t", url.encode(), "sha1").digest()).decode()
    verify_twilio("t", url, signature, body=body)
    with pytest.raises(BadSignature, match="body"):
        verify_twilio("t", url, signature, body=body + b" ")


def jwt(secret: str, claims: object, algorithm: str = "HS256") -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    signature = hmac.new(secret.encode(), signed.encode(), "sha256").digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_token() -> None:
    """Its claims are those that were signed."""
    claims = {"iss": "client", "exp": NOW + 60, "iat": NOW}
    assert verify_jwt_hs256("s", jwt("s", claims), now_s=NOW, issuer="client") == claims


@pytest.mark.parametrize(
    "token",
    [
        "", "a.b.c", "..", jwt("other", {"exp": NOW + 60}), jwt("s", {"exp": NOW - 1000}), jwt("s", {}),
        jwt("s", {"exp": NOW + 60}, "none"), jwt("s", {"exp": NOW + 60}, "RS256"), jwt("s", [1]),
        jwt("s", {"exp": NOW + 9999, "nbf": NOW + 5000}), jwt("s", {"exp": "later"}), jwt("s", {"exp": NOW + 60})[:-3],
    ],
)  # fmt: skip
def test_what_is_no_good_token(token: str) -> None:
    """Of whatever kind, among them those that ask not to be checked."""
    with pytest.raises(BadSignature):
        verify_jwt_hs256("s", token, now_s=NOW)


@pytest.mark.parametrize("claims", [{"exp": NOW + 60, "iss": "somebody else"}, {"exp": NOW + 60}])
def test_a_token_of_somebody_else(claims: dict[str, object]) -> None:
    """Where it matters who has made it."""
    verify_jwt_hs256("s", jwt("s", claims), now_s=NOW)
    with pytest.raises(BadSignature, match="somebody else"):
        verify_jwt_hs256("s", jwt("s", claims), now_s=NOW, issuer="client")


@pytest.mark.parametrize(
    "timestamp", ["", "x", "-1", "1e9", "1531420618.0", "٣", "9" * 30, str(int(NOW) - 301), str(int(NOW) + 301)]
)
def test_moments_that_are_none_or_too_far(timestamp: str) -> None:
    """Though the signature fits."""
    signature = "v0=" + hmac.new(b"s", b"v0:" + timestamp.encode("ascii", "replace") + b":b", "sha256").hexdigest()
    with pytest.raises(BadSignature, match="time stamp"):
        verify_versioned("s", b"b", signature, timestamp, now_s=NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_moments_that_are_near_enough(seconds: int) -> None:
    """To either side: clocks differ."""
    timestamp = str(int(NOW) + seconds)
    signature = "v0=" + hmac.new(b"s", f"v0:{timestamp}:b".encode(), "sha256").hexdigest()
    verify_versioned("s", b"b", signature, timestamp, now_s=NOW)


CHECKS: dict[str, Callable[[str, str], None]] = {
    "hex": lambda secret, signature: verify_hex(secret, b"body", signature, prefix="sha256="),
    "versioned": lambda secret, signature: verify_versioned(secret, b"body", signature, str(int(NOW)), now_s=NOW),
    "hubspot": lambda secret, signature: verify_hubspot(
        secret, "POST", "https://x", b"body", {"x-hubspot-signature": signature}, now_s=NOW
    ),
    "hubspot v3": lambda secret, signature: verify_hubspot(
        secret, "POST", "https://x", b"body",
        {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": f"{int(NOW)}000"}, now_s=NOW,
    ),
    "twilio": lambda secret, signature: verify_twilio(secret, TWILIO_URL, signature, form={}),
    "secret": verify_secret,
}  # fmt: skip


@pytest.mark.parametrize("scheme", CHECKS)
@given(signature=st.text(max_size=80))
def test_nothing_else_passes(scheme: str, signature: str) -> None:
    """Whatever it is: not ASCII, half a character, nothing."""
    with pytest.raises(BadSignature):
        CHECKS[scheme]("a secret that is long enough", signature)


@pytest.mark.parametrize("scheme", CHECKS)
def test_without_a_secret_nothing_passes(scheme: str) -> None:
    """Not even what an empty one would have signed."""
    empty = "v0=" + hmac.new(b"", f"v0:{int(NOW)}:body".encode(), "sha256").hexdigest()
    for signature in (empty, "", "sha256=" + hmac.new(b"", b"body", "sha256").hexdigest()):
        with pytest.raises(BadSignature):
            CHECKS[scheme]("", signature)


def test_a_challenge() -> None:
    """Zoom's: the text, signed."""
    assert answer_challenge("s", "plain") == hmac.new(b"s", b"plain", "sha256").hexdigest()


def test_comparing_takes_texts_of_any_kind() -> None:
    """`hmac.compare_digest` alone takes ASCII only."""
    assert signatures.same("ü", "ü") and signatures.same("\ud800", "\ud800") and not signatures.same("ü", "u")
