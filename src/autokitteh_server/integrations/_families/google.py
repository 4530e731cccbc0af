"""What Google's services share: a user's consent, or the key of a service account."""

import json
from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, dig, text_at, token_of
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.jwt import sign_rs256
from autokitteh_server.integrations.spec import AuthType, Field, Grant, Http, OAuth2, Status

API = "https://www.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"
DOCS_URL = "https://developers.google.com/workspace/guides/create-credentials"
PACKAGE = "google-api-python-client"

#: What is learnt of the user.
USER = (
    "user_id",
    "user_email",
    "user_name",
    "user_given_name",
    "user_family_name",
    "user_hd",
    "user_scope",
    "OAuthData",
)

_SCOPE = "https://www.googleapis.com/auth/"
_WHO = ("openid", f"{_SCOPE}userinfo.email", f"{_SCOPE}userinfo.profile")
_LIFE_S = 3600


def google_auth(*scopes: str, fields: tuple[Field, ...] = ()) -> tuple[AuthType, ...]:
    """The two ways to Google's services. Scopes are without what all of Google's begin with.

    - `fields`: what the service asks for besides.
    """
    full = tuple(_SCOPE + scope for scope in scopes)
    consent = OAuth2(
        authorize_url="https://accounts.google.com/o/oauth2/auth",
        token_url=TOKEN_URL,
        scopes=_WHO + full,
        app="GOOGLE",
        authorize_params={"access_type": "offline", "prompt": "consent"},
        uses_pkce=True,
        redirect="google",
        revoke_url="https://oauth2.googleapis.com/revoke",
    )
    account = OAuth2(token_url=TOKEN_URL, scopes=full, grant=Grant.SERVICE_ACCOUNT)
    return (
        AuthType(name="oauth", title="User (OAuth 2.0)", fields=fields, oauth=consent, aliases=("oauthDefault",)),
        AuthType(
            name="jsonKey",
            title="Service Account (JSON Key)",
            fields=(KEY, *fields),
            oauth=account,
            aliases=("json",),
        ),
    )


def read_key(text: str) -> str:
    """The JSON of a service account's key. Raises ValueError for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(dig(found, "client_email"), str) or not isinstance(dig(found, "private_key"), str):
        raise ValueError("is not the key of a service account: it lacks client_email or private_key")
    return text.strip()


KEY = Field(
    name="json",
    title="JSON key",
    variable="JSON",
    is_secret=True,
    is_multiline=True,
    clean=read_key,
    help="the file that Google gives for a key of a service account: --set json=@key.json",
)


def check_google(variables: Mapping[str, str], http: Http) -> Status:
    """Who the user is; or whether Google gives the service account a token."""
    if variables.get("auth_type") != "oauth" and variables.get("JSON"):
        return _check_account(variables["JSON"], http)
    user = ask_object(
        http, "GET", f"{API}/oauth2/v2/userinfo", params={"alt": "json"}, headers=bearer(token_of(variables))
    )
    return connected(
        text_at(user, "email"),
        user_id=text_at(user, "id"),
        user_email=text_at(user, "email"),
        user_name=text_at(user, "name"),
        user_given_name=text_at(user, "given_name"),
        user_family_name=text_at(user, "family_name"),
        user_hd=text_at(user, "hd"),
    )


def _check_account(key: str, http: Http) -> Status:
    try:
        account = json.loads(read_key(key))
    except ValueError as error:
        raise ServiceError(f"cannot be asked: the key {error}", "Enter the key anew.") from None
    now = http.now_s()
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(_WHO[:2]),
        "aud": TOKEN_URL,
        "iat": now,
        "exp": now + _LIFE_S,
    }
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": sign_rs256(claims, account["private_key"], key_id=text_at(account, "private_key_id")),
    }
    answer = ask_object(http, "POST", TOKEN_URL, form=form)
    if not (text_at(answer, "access_token") or text_at(answer, "id_token")):
        raise ServiceError("gave no token for the service account", "Enter the key anew.")
    return connected(account["client_email"], user_email=account["client_email"])
