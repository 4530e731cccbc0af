"""JSON Web Tokens of apps and service accounts, signed with their keys (RS256)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from autokitteh_server.accounts.errors import NotConnected
from autokitteh_server.accounts.tokens import seconds_of
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.jwt import sign_rs256

#: Seconds around now for which an app's token is good. GitHub's clock may be behind, and allows ten minutes.
_BEFORE_S: Final = 60
_AFTER_S: Final = 300

#: Google takes an hour at most.
_ACCOUNT_S: Final = 3600


def sign(payload: Mapping[str, Any], key: str) -> str:
    """A token with this payload. `key`: PEM, also with newlines written as `\\n`. Raises NotConnected."""
    masker.add(key.replace("\\n", "\n").strip())
    try:
        return sign_rs256(payload, key)
    except ServiceError:
        raise NotConnected("the private key is no RSA key in PEM", "Set it again, as it was downloaded.") from None


def sign_as_app(app_id: str, key: str, *, now: int) -> str:
    """The token by which a GitHub app says that it is itself."""
    at = seconds_of(now)
    return sign({"iat": at - _BEFORE_S, "exp": at + _AFTER_S, "iss": app_id}, key)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """One of Google's."""

    email: str
    key: str

    def __repr__(self) -> str:
        return f"ServiceAccount({self.email!r})"

    def assertion(self, scopes: tuple[str, ...], audience: str, *, now: int) -> str:
        """What it gives for a token."""
        at = seconds_of(now)
        claims = {"iss": self.email, "scope": " ".join(scopes), "aud": audience, "iat": at, "exp": at + _ACCOUNT_S}
        return sign(claims, self.key)


def read_service_account(text: str) -> ServiceAccount:
    """The account in a key file. Raises NotConnected."""
    try:
        found = json.loads(text)
        email, key = found["client_email"], found["private_key"]
    except (ValueError, TypeError, KeyError):
        email = key = ""
    if not (isinstance(email, str) and isinstance(key, str) and email and key):
        raise NotConnected(
            "the JSON key is no key of a service account", "It is the file that Google's console gives, all of it."
        )
    return ServiceAccount(email, key)
