"""What Atlassian's products share: tokens for a site, and OAuth for one of several."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from autokitteh_server.integrations.asking import (
    ask,
    ask_object,
    bearer,
    connected,
    dig,
    not_its_api,
    text_at,
    token_of,
)
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import AuthType, Field, Http, OAuth2, Status

API = "https://api.atlassian.com"
DOCS_URL = "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
PACKAGE = "atlassian-python-api"
HELP = "https://id.atlassian.com/manage-profile/security/api-tokens"

#: What is learnt of the site that somebody gave access to.
SITE = ("AccessID", "AccessURL", "AccessName", "AccessScope", "AccessAvatarURL")


def site_of(text: str) -> str:
    """Scheme and host of an address. Raises ValueError if it is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("is not the address of a site, such as https://acme.atlassian.net")
    return f"{parts.scheme}://{parts.netloc}"


_SITE = Field(
    name="base_url",
    title="Base URL",
    variable="BaseURL",
    clean=site_of,
    help="the address of your site, such as https://acme.atlassian.net",
)
_EMAIL = Field(
    name="email",
    title="Token owner's email",
    variable="Email",
    pattern=r"[^@\s]+@[^@\s]+",
    help="the address by which the token's owner logs in",
)


def atlassian_auth(app: str, scopes: tuple[str, ...]) -> tuple[AuthType, ...]:
    """The three ways to Atlassian's products."""
    consent = OAuth2(
        authorize_url="https://auth.atlassian.com/authorize",
        token_url="https://auth.atlassian.com/oauth/token",
        scopes=(*scopes, "read:account", "offline_access"),
        app=app,
        authorize_params={"audience": "api.atlassian.com", "prompt": "consent"},
    )
    return (
        AuthType(name="oauth", title="OAuth 2.0", oauth=consent, aliases=("oauthDefault",)),
        AuthType(
            name="apiToken",
            title="API Token (Cloud)",
            fields=(_SITE, _token("API Token", f"made at {HELP}"), _EMAIL),
            aliases=("authToken",),
        ),
        AuthType(
            name="pat", title="PAT (Data Center)", fields=(_SITE, _token("PAT", "made in your profile, on the site"))
        ),
    )


def _token(title: str, help: str) -> Field:
    return Field(name="token", title=title, variable="Token", is_secret=True, help=help)


def check_atlassian(variables: Mapping[str, str], http: Http, *, path: str, pat_path: str) -> Status:
    """Who the token's owner is, at one of these paths of the site; with OAuth, which site it is."""
    token = variables.get("Token", "")
    if not token:
        return _check_access(token_of(variables), http)
    site = variables.get("BaseURL", "").rstrip("/")
    email = variables.get("Email", "")
    user = ask_object(http, "GET", f"{site}{path if email else pat_path}", **as_owner(variables))
    if not (text_at(user, "accountId") or text_at(user, "name") or text_at(user, "username")):
        # Data Center answers requests without rights as "anonymous".
        raise ServiceError("does not accept the credentials", "Enter them anew: `ak connection init`.")
    return connected(text_at(user, "displayName") or text_at(user, "name") or email)


def as_owner(variables: Mapping[str, str]) -> dict[str, Any]:
    """What a request needs to be the token owner's: in the cloud that is a user's name and a password."""
    email, token = variables.get("Email", ""), variables.get("Token", "")
    return {"auth": (email, token)} if email else {"headers": bearer(token)}


def _check_access(token: str, http: Http) -> Status:
    sites = ask(http, "GET", f"{API}/oauth/token/accessible-resources", headers=bearer(token))
    if not isinstance(sites, list):
        raise not_its_api()
    if not sites:
        raise ServiceError("gives access to no site", "Connect again, and choose a site: `ak connection init`.")
    if len({text_at(site, "id") for site in sites}) > 1:
        names = ", ".join(text_at(site, "name") for site in sites)
        raise ServiceError(f"gives access to several sites: {names}", "Connect again, and choose just one.")
    site = sites[0]
    scopes = dig(site, "scopes")
    return connected(
        text_at(site, "name"),
        AccessID=text_at(site, "id"),
        AccessURL=text_at(site, "url"),
        AccessName=text_at(site, "name"),
        AccessScope=" ".join(map(str, scopes)) if isinstance(scopes, list) else "",
        AccessAvatarURL=text_at(site, "avatarUrl"),
    )
