"""Tokens by which Google says that a call is its own: RS256 of RFC 7515, with public keys that change every few days.

The keys are given, as secrets named by their ids: JSON Web Keys, as they are at `KEYS_URL`.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from autokitteh_server.integrations.signatures import MAX_AGE_S, BadSignature, same

KEYS_URL: Final = "https://www.googleapis.com/oauth2/v3/certs"

_ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
_MAX_LENGTH: Final = 8192
_MAX_KEY_BITS: Final = 8192  # longer ones take longer than a request may


def key_id_of(token: str) -> str:
    """The id of the key that a token says it is signed with. Raises BadSignature."""
    head = _json(token.partition(".")[0])
    if head.get("alg") != "RS256":  # never the sender's choice
        raise BadSignature("a token of another kind")
    found = head.get("kid")
    return found if isinstance(found, str) else ""


def verify_google(token: str, key: str, *, audience: str, emails: Sequence[str], now_s: float) -> Mapping[str, Any]:
    """The claims of a token that is signed with this key, for us, by one of these accounts. Raises BadSignature.

    Without the account anybody could have Google sign a call to us: all they need is a subscription of their own.
    """
    signed, _, signature = token.rpartition(".")
    try:
        _public_key(key).verify(_unpadded(signature), signed.encode("ascii"), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise BadSignature("the token's signature is wrong") from None
    claims = _json(signed.partition(".")[2])
    _check_times(claims, now_s)
    if claims.get("iss") not in _ISSUERS:
        raise BadSignature("the token is from somebody else")
    if not same(_text(claims, "aud"), audience):
        raise BadSignature("the token is for somebody else")
    if claims.get("email_verified") is not True or _text(claims, "email") not in emails:
        raise BadSignature("the token is from another account")
    return claims


def _check_times(claims: Mapping[str, Any], now_s: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(expires, int | float) or expires + MAX_AGE_S < now_s:
        raise BadSignature("the token is no longer good")
    if not isinstance(issued, int | float) or issued - MAX_AGE_S > now_s:
        raise BadSignature("the token is not good yet")


def _public_key(key: str) -> RSAPublicKey:
    """Raises ValueError."""
    found = json.loads(key)
    if not isinstance(found, dict) or found.get("kty") != "RSA":
        raise ValueError("no RSA key")
    modulus, exponent = _number(found.get("n")), _number(found.get("e"))
    if modulus.bit_length() > _MAX_KEY_BITS or exponent.bit_length() > 32:
        raise ValueError("no key of Google's")
    return RSAPublicNumbers(exponent, modulus).public_key()


def _number(text: object) -> int:
    return int.from_bytes(_unpadded(str(text)), "big")


def _json(part: str) -> dict[str, Any]:
    if len(part) > _MAX_LENGTH:
        raise BadSignature("a token that is none")
    try:
        found = json.loads(_unpadded(part))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadSignature("a token that is none")
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
