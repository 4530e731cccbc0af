"""The schemes by which services sign what they send: each a function of secret, parts of the request, and time.

All compare in constant time, over the bytes as they came in, before anybody parses them. A secret that is empty signs
nothing: whoever has none refuses. The vectors that tests hold them to are the services' own, where those publish any.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

#: How far a sender's clock may be from ours, and how long a request may be under way.
MAX_AGE_S: Final = 300


class BadSignature(Exception):
    """What came is not from whom it says it is, or too old. The text says which, and nothing secret."""


def same(left: str | bytes, right: str | bytes) -> bool:
    """Whether two texts are the same, told in a time that does not depend on where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def verify_hex(secret: str, body: bytes, signature: str, *, prefix: str = "", digest: str = "sha256") -> None:
    """HMAC over the body, in hexadecimal behind a prefix: GitHub, Jira, Confluence, Linear, Asana, Notion.

    Raises BadSignature.
    """
    _expect(signature, prefix + _hmac(secret, body, digest).hexdigest())


def verify_versioned(
    secret: str, body: bytes, signature: str, timestamp: str, *, now_s: float, max_age_s: float = MAX_AGE_S
) -> None:
    """`v0=` and an HMAC over `v0:TIMESTAMP:BODY`: Slack and Zoom, in seconds. Raises BadSignature."""
    check_age(timestamp, now_s=now_s, max_age_s=max_age_s)
    signed = b"v0:" + timestamp.encode("ascii", "replace") + b":" + body
    _expect(signature, "v0=" + _hmac(secret, signed, "sha256").hexdigest())


def verify_hubspot(
    secret: str,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now_s: float,
) -> None:
    """HubSpot's, in whichever of its versions the request has. `headers` have names in lower case.

    `url` is the one that HubSpot called, as its settings have it. Version 3 is the only one that is bound to a moment,
    and the only one that is looked at where it is there. Raises BadSignature.
    """
    if signature := headers.get("x-hubspot-signature-v3", ""):
        timestamp = headers.get("x-hubspot-request-timestamp", "")
        check_age(timestamp, now_s=now_s, unit=1000)
        signed = method.encode() + _decoded(url).encode() + body + timestamp.encode("ascii", "replace")
        _expect(signature, base64.b64encode(_hmac(secret, signed, "sha256").digest()).decode())
        return
    version = headers.get("x-hubspot-signature-version", "v1")
    if version not in ("v1", "v2"):
        raise BadSignature("a version of the signature that is not known")
    _require(secret)
    called = method.encode() + url.encode() if version == "v2" else b""
    _expect(headers.get("x-hubspot-signature", ""), hashlib.sha256(secret.encode() + called + body).hexdigest())


def verify_twilio(
    token: str, url: str, signature: str, *, form: Mapping[str, str] | None = None, body: bytes = b""
) -> None:
    """Twilio's: HMAC-SHA1 over the whole URL, and the form's names and values in order of name.

    With another body than a form (`form` is None) the URL has the body's SHA-256 as `bodySHA256`. Raises BadSignature.
    """
    signed = url + "".join(f"{name}{value}" for name, value in sorted((form or {}).items()))
    _expect(signature, base64.b64encode(_hmac(token, signed.encode(), "sha1").digest()).decode())
    if form is None:
        told = _query_value(url, "bodySHA256")
        if not same(told.lower(), hashlib.sha256(body).hexdigest()):
            raise BadSignature("the body is not the one that was signed")


def verify_secret(secret: str, given: str) -> None:
    """A secret that is sent along as it is: Telegram, Google's channels. Raises BadSignature."""
    _require(secret)
    _expect(given, secret)


def verify_jwt_hs256(secret: str, token: str, *, now_s: float, issuer: str = "") -> dict[str, Any]:
    """A JSON Web Token signed with a shared secret, as Jira's dynamic webhooks bear; its claims.

    Raises BadSignature, also for one that is no longer, or not yet, good.
    """
    head, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    try:
        algorithm = json.loads(_unpadded(head)).get("alg")
        claims = json.loads(_unpadded(payload))
        given = _unpadded(signature)
    except (ValueError, AttributeError) as error:
        raise BadSignature("a token that is none") from error
    if algorithm != "HS256" or not isinstance(claims, dict):  # never the sender's choice: "none" is one, too
        raise BadSignature("a token of another kind")
    if not same(given, _hmac(secret, f"{head}.{payload}".encode(), "sha256").digest()):
        raise BadSignature("the token's signature is wrong")
    _check_claims(claims, now_s=now_s, issuer=issuer)
    return claims


def answer_challenge(secret: str, plain: str) -> str:
    """What Zoom wants to hear of a text that it sends to find out whether the secret is known."""
    return _hmac(secret, plain.encode(), "sha256").hexdigest()


def check_age(timestamp: str, *, now_s: float, max_age_s: float = MAX_AGE_S, unit: int = 1) -> None:
    """Raises BadSignature for a moment that is too far from now, or none. `unit`: parts of a second that it counts."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 20:
        raise BadSignature("the time stamp is missing or is none")
    if abs(now_s - int(timestamp) / unit) > max_age_s:
        raise BadSignature("the time stamp is too far from now")


def _check_claims(claims: dict[str, Any], *, now_s: float, issuer: str) -> None:
    expires, not_before = claims.get("exp"), claims.get("nbf", claims.get("iat", now_s))
    if not isinstance(expires, int | float) or expires + MAX_AGE_S < now_s:
        raise BadSignature("the token is no longer good")
    if not isinstance(not_before, int | float) or not_before - MAX_AGE_S > now_s:
        raise BadSignature("the token is not good yet")
    if issuer and not same(str(claims.get("iss", "")), issuer):
        raise BadSignature("the token is from somebody else")


def _expect(given: str, expected: str) -> None:
    if not given:
        raise BadSignature("there is no signature")
    if not same(given, expected):
        raise BadSignature("the signature is wrong")


def _hmac(secret: str, message: bytes, digest: str) -> "hmac.HMAC":
    _require(secret)
    return hmac.new(secret.encode(), message, digest)


def _require(secret: str) -> None:
    if not secret:
        raise BadSignature("there is no secret to check it with")


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _decoded(url: str) -> str:
    """A URL as HubSpot signs it: with what is escaped in its query as it was before (documentation of version 3)."""
    address, mark, query = url.partition("?")
    return address + mark + unquote(query)


def _query_value(url: str, name: str) -> str:
    parts = url.partition("?")[2].partition("#")[0].split("&")
    return next((part.partition("=")[2] for part in parts if part.partition("=")[0] == name), "")
