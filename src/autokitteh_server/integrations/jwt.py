"""Tokens that are signed with an app's or an account's own key: RS256 of RFC 7515."""

from collections.abc import Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from autokitteh_server.integrations.errors import ServiceError


def sign_rs256(claims: Mapping[str, object], private_key: str, *, key_id: str = "") -> str:
    """A signed token. The key is PEM, in which line breaks may be written as `\\n`. Raises ServiceError."""
    header = {"alg": "RS256", "typ": "JWT", **({"kid": key_id} if key_id else {})}
    try:
        key = RSAKey.import_key(private_key.replace("\\n", "\n").strip())
        return jwt.encode(header, dict(claims), key, algorithms=["RS256"])
    except (JoseError, ValueError, TypeError):
        # Without the cause: it may have the key in it.
        raise ServiceError("cannot be asked: the private key is no RSA key as PEM", "Enter the key anew.") from None
