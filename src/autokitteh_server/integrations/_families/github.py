"""What GitHub and its Copilot share: personal tokens, and installations of GitHub Apps."""

import json
from collections.abc import Mapping

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP
from autokitteh_server.integrations.asking import ask_object, bearer, connected, dig, not_its_api, text_at, token_of
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.jwt import sign_rs256
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Grant, Http, OAuth2, Status

API = "https://api.github.com"
DOCS_URL = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens"
PACKAGE = "PyGithub"

#: What is learnt of the app, and of who has installed it.
LEARNS = (
    *("app_id", "app_name", "install_id", "target_id", "target_name", "target_type"),
    *("repositories", "permissions", "events", "updated_at", "pat_key", "pat_user"),
)

#: What GitHub tells of a user has some 2,000 characters. A stand-in's whole page is not worth being kept.
_MAX_USER = 20_000

_ENTERPRISE = Field(
    name="enterprise_url",
    title="Enterprise URL",
    is_optional=True,
    pattern=r"https?://\S+",
    help="of GitHub Enterprise Server, such as https://github.acme.com",
)
_APP = OAuth2(
    authorize_url="https://github.com/apps/{app_name}/installations/new",
    token_url="https://api.github.com/app/installations/{install_id}/access_tokens",
    grant=Grant.GITHUB_APP,
    app="GITHUB",
    redirect="github",
)
_OWN_APP = OAuth2(authorize_url=_APP.authorize_url, token_url=_APP.token_url, grant=Grant.GITHUB_APP, redirect="github")
_PRIVATE = (
    Field(name="app_id", title="App ID", pattern=r"\d+", help="a number, on the app's settings page"),
    Field(name="app_name", title="App Name", help="as it is in the app's address: github.com/apps/NAME"),
    Field(name="client_id", title="Client ID", help="on the app's settings page"),
    Field(name="client_secret", title="Client Secret", is_secret=True, help="on the app's settings page"),
    Field(name="webhook_secret", title="Webhook Secret", is_secret=True, is_optional=True, help="signs its events"),
    Field(
        name="private_key",
        title="Private Key",
        is_secret=True,
        is_multiline=True,
        help="the file that GitHub gives for a key of the app: --set private_key=@key.pem",
    ),
    _ENTERPRISE,
)
_PAT = (
    Field(name="pat", title="Personal Access Token", is_secret=True, help="made at https://github.com/settings/tokens"),
    Field(
        name="secret",
        title="Webhook Secret",
        variable="pat_secret",
        is_secret=True,
        is_optional=True,
        help="as it was given to the repository's webhook; without one there are no events",
    ),
    _ENTERPRISE,
)

AUTH = (
    AuthType(name="oauth", title=DEFAULT_APP, oauth=_APP, aliases=("oauthDefault",)),
    AuthType(name="oauthPrivate", title=PRIVATE_APP, fields=_PRIVATE, oauth=_OWN_APP, hooks=("github/webhook",)),
    AuthType(
        name="pat",
        title="PAT + Webhook",
        fields=_PAT,
        generates=("pat_key",),
        hooks=("github/webhook/{pat_key}",),
    ),
)

EVENTS = tuple(
    EventType(name=name, title=title)
    for name, title in (
        ("issues", "An issue was opened, changed or closed"),
        ("issue_comment", "A comment on an issue or pull request"),
        ("pull_request", "A pull request was opened, changed or closed"),
        ("pull_request_review", "A review of a pull request"),
        ("pull_request_review_comment", "A comment on a line of a pull request"),
        ("push", "Commits were pushed"),
        ("workflow_run", "A run of a workflow"),
        ("slash_command", "A line that begins with a slash, in any of the above"),
    )
)


def api_of(variables: Mapping[str, str]) -> str:
    """Where the API is: a stand-in counts for more than an enterprise's server."""
    enterprise = variables.get("enterprise_url", "").rstrip("/")
    return f"{enterprise}/api/v3" if enterprise and not variables.get("base_url") else API


def headers_of(variables: Mapping[str, str]) -> dict[str, str]:
    """For the token's owner, or for the installation."""
    return _headers(variables.get("pat", "") or token_of(variables))


def check_github(variables: Mapping[str, str], http: Http) -> Status:
    """Who the token's owner is, or for whom the app is installed."""
    api = api_of(variables)
    if variables.get("pat"):
        user = ask_object(http, "GET", f"{api}/user", headers=headers_of(variables))
        login = text_at(user, "login")
        told = json.dumps(user)
        return connected(login, pat_user=told if len(told) <= _MAX_USER else "", target_name=login)
    if variables.get("private_key"):
        return _check_app(variables, http, api)
    if token_of(variables):
        ask_object(http, "GET", f"{api}/rate_limit", headers=headers_of(variables))
        return connected(variables.get("target_name", "") or "an installation of the app")
    raise ServiceError("cannot be asked: there is no key of the app", "Connect again: `ak connection init`.")


def _check_app(variables: Mapping[str, str], http: Http, api: str) -> Status:
    now = http.now_s()
    claims = {"iss": variables["app_id"], "iat": now - 60, "exp": now + 300}
    token = sign_rs256(claims, variables["private_key"])
    found = ask_object(http, "GET", f"{api}/app/installations/{variables['install_id']}", headers=_headers(token))
    account = text_at(found, "account", "login")
    if not account:
        raise not_its_api()
    return connected(
        f"the app {text_at(found, 'app_slug')} for {account}",
        target_id=text_at(found, "account", "id"),
        target_name=account,
        target_type=text_at(found, "target_type"),
        permissions=json.dumps(dig(found, "permissions") or {}),
        events=json.dumps(dig(found, "events") or []),
        updated_at=text_at(found, "updated_at"),
    )


def _headers(token: str) -> dict[str, str]:
    return {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", **bearer(token)}
