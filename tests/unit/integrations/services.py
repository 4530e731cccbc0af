"""Every integration as the tests connect to it: right credentials, and how its service answers to them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

#: Where cases have the address of their service.
HERE = "http://here"

TOKEN = "token-that-nobody-may-see"
SECRET = "secret-that-nobody-may-see"


@cache
def private_key() -> str:
    """An RSA key as PEM."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True)
class Case:
    """A connection to a service."""

    integration: str
    auth_type: str
    variables: Mapping[str, str]
    routes: Mapping[str, Any]  # JSON by "METHOD /path"
    name: str  # whom one is connected as
    learnt: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.integration}-{self.auth_type}"


def _google(integration: str) -> tuple[Case, Case]:
    user = {"id": "7", "email": "ann@acme.com", "name": "Ann Lee", "given_name": "Ann", "family_name": "Lee"}
    learnt = {"user_id": "7", "user_email": "ann@acme.com", "user_name": "Ann Lee"}
    return (
        Case(
            integration,
            "oauth",
            {"oauth_AccessToken": TOKEN},
            {"GET /oauth2/v2/userinfo": user},
            "ann@acme.com",
            learnt,
        ),
        Case(
            integration,
            "jsonKey",
            {"JSON": json.dumps({"client_email": "bot@acme.iam", "private_key": private_key()})},
            {"POST /token": {"access_token": "ya29"}},
            "bot@acme.iam",
        ),
    )


def _atlassian(integration: str, path: str, pat_path: str) -> tuple[Case, ...]:
    site = {"id": "c-1", "url": "https://acme.atlassian.net", "name": "acme", "scopes": ["read"], "avatarUrl": "a"}
    ann = {"accountId": "5f", "displayName": "Ann"}
    return (
        Case(
            integration,
            "oauth",
            {"oauth_access_token": TOKEN},
            {"GET /oauth/token/accessible-resources": [site]},
            "acme",
            {"AccessID": "c-1", "AccessURL": "https://acme.atlassian.net"},
        ),
        Case(
            integration,
            "apiToken",
            {"BaseURL": HERE, "Token": TOKEN, "Email": "ann@acme.com"},
            {f"GET {path}": ann},
            "Ann",
        ),
        Case(integration, "pat", {"BaseURL": HERE, "Token": TOKEN}, {f"GET {pat_path}": {"name": "ann"}}, "ann"),
    )


def _github(integration: str) -> tuple[Case, ...]:
    installation = {
        "app_slug": "acme-bot",
        "account": {"login": "acme", "id": 3},
        "target_type": "Organization",
        "permissions": {"issues": "write"},
    }
    app = {"app_id": "12", "install_id": "34", "private_key": private_key(), "app_name": "acme-bot"}
    ours = {"client_id": "Iv1", "client_secret": SECRET}
    learnt = {"target_name": "acme", "target_id": "3"}
    return (
        Case(integration, "pat", {"pat": TOKEN}, {"GET /user": {"login": "ann"}}, "ann", {"target_name": "ann"}),
        Case(
            integration,
            "oauthPrivate",
            app | ours,
            {"GET /app/installations/34": installation},
            "the app acme-bot for acme",
            learnt,
        ),
        Case(
            integration,
            "oauth",
            {"install_id": "34", "oauth_access_token": TOKEN, "target_name": "acme"},
            {"GET /rate_limit": {"rate": {}}},
            "acme",
        ),
    )


_VIEWER = {"id": "u", "name": "Ann", "displayName": "ann", "email": "a@b", "organization": {"id": "o", "name": "Acme"}}
_LINEAR = {"POST /graphql": {"data": {"viewer": _VIEWER}}}
_APP = {"private_client_id": "app-1", "private_client_secret": SECRET}
_SLACK = {"ok": True, "user": "bot", "team": "Acme", "team_id": "T1", "user_id": "U1", "bot_id": "B1"}
_SLACK_BOT = {"ok": True, "bot": {"id": "B1", "app_id": "A1", "name": "acme-bot", "updated": 1735689600}}
_SLACK_ROUTES = {"POST /auth.test": _SLACK, "POST /bots.info": _SLACK_BOT}
_SALESFORCE = {"GET /services/oauth2/userinfo": {"preferred_username": "ann@acme.com", "user_id": "5"}}
_GRAPH = {"GET /v1.0/me": {"userPrincipalName": "ann@acme.com", "id": "7"}}
_KUBECONFIG = {
    "current-context": "main",
    "contexts": [{"name": "main", "context": {"cluster": "c", "user": "bot"}}],
    "clusters": [{"name": "c", "cluster": {"server": HERE}}],
    "users": [{"name": "bot", "user": {"token": TOKEN}}],
}

CASES = (
    Case("airtable", "pat", {"pat": TOKEN}, {"GET /v0/meta/bases": {"bases": [{}]}}, "the token's owner"),
    Case(
        "airtable",
        "oauthDefault",
        {"oauth_access_token": TOKEN},
        {"GET /v0/meta/bases": {"bases": []}},
        "the token's owner",
    ),
    Case("anthropic", "apiKey", {"api_key": TOKEN}, {"GET /v1/models": {"data": []}}, "the owner of the API key"),
    Case("asana", "pat", {"pat": TOKEN}, {"GET /users/me": {"data": {"name": "Ann"}}}, "Ann"),
    Case(
        "auth0",
        "oauth",
        {"client_id": "app-1", "client_secret": SECRET, "auth0_domain": "acme.auth0.com"},
        {"POST /oauth/token": {"access_token": "x"}},
        "the app app-1 of acme.auth0.com",
    ),
    Case(
        "autokitteh",
        "initialized",
        {"base_url": HERE, "token": TOKEN},
        {"GET /api/v1/projects": {"items": []}},
        "a user of",
    ),
    Case(
        "aws",
        "initialized",
        {"Region": "eu-central-1", "AccessKeyID": "AKIA1234", "SecretKey": SECRET, "Token": TOKEN},
        {"POST /": {"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Arn": "arn:aws:iam::1:user/ann"}}}},
        "arn:aws:iam::1:user/ann",
    ),
    Case("chatgpt", "initialized", {"apiKey": TOKEN}, {"GET /models": {"data": []}}, "the owner of the API key"),
    *_atlassian("confluence", "/wiki/rest/api/user/current", "/rest/api/user/current"),
    Case(
        "discord",
        "initialized",
        {"BotToken": TOKEN},
        {"GET /users/@me": {"id": "42", "username": "maya"}},
        "maya",
        {"BotID": "42"},
    ),
    *_github("github"),
    *_github("githubcopilot"),
    *(case for name in ("gmail", "googlecalendar", "googledrive", "googleforms") for case in _google(name)),
    Case(
        "googlegemini", "apiKey", {"api_key": TOKEN}, {"GET /v1beta/models": {"models": []}}, "the owner of the API key"
    ),
    *(case for name in ("googlesheets", "youtube") for case in _google(name)),
    Case(
        "hubspot",
        "oauth",
        {"oauth_AccessToken": TOKEN},
        {f"GET /oauth/v1/access-tokens/{TOKEN}": {"user": "ann@acme.com", "hub_id": 12}},
        "ann@acme.com",
        {"portal_id": "12"},
    ),
    Case(
        "hubspot",
        "pat",
        {"private_app_token": TOKEN},
        {"GET /account-info/v3/details": {"portalId": 12}},
        "the private app of account 12",
        {"portal_id": "12"},
    ),
    *_atlassian("jira", "/rest/api/3/myself", "/rest/api/2/myself"),
    Case(
        "kubernetes",
        "initialized",
        {"config_file": json.dumps(_KUBECONFIG)},
        {"GET /version": {"gitVersion": "v1.31.0"}},
        "bot at",
    ),
    Case("linear", "apiKey", {"api_key": TOKEN}, _LINEAR, "Ann in Acme", {"org_id": "o", "viewer_id": "u"}),
    Case("linear", "oauthDefault", {"oauth_access_token": TOKEN}, _LINEAR, "Ann in Acme"),
    Case("linear", "oauthPrivate", {**_APP, "oauth_access_token": TOKEN}, _LINEAR, "Ann in Acme"),
    Case("microsoft_teams", "oauthDefault", {"oauth_access_token": TOKEN}, _GRAPH, "ann@acme.com", {"user_id": "7"}),
    Case("microsoft_teams", "oauthPrivate", {**_APP, "oauth_access_token": TOKEN}, _GRAPH, "ann@acme.com"),
    Case(
        "microsoft_teams",
        "daemonApp",
        {**_APP, "private_tenant_id": "t-1"},
        {"POST /t-1/oauth2/v2.0/token": {"access_token": "x"}},
        "the app app-1",
    ),
    Case("notion", "apiKey", {"api_key": TOKEN}, {"GET /v1/users/me": {"name": "Acme bot"}}, "Acme bot"),
    Case("notion", "oauthDefault", {"oauth_access_token": TOKEN}, {"GET /v1/users/me": {"name": "bot"}}, "bot"),
    Case(
        "pipedrive",
        "apiKey",
        {"api_key": TOKEN, "company_domain": HERE},
        {"GET /api/v1/users/me": {"data": {"name": "Ann"}}},
        "Ann",
    ),
    Case(
        "reddit",
        "oauthPrivate",
        {"client_id": TOKEN, "client_secret": SECRET, "user_agent": "linux:bot:1"},
        {"POST /api/v1/access_token": {"access_token": "x"}},
        "the app, which only reads",
    ),
    Case(
        "salesforce", "oauthDefault", {"oauth_access_token": TOKEN, "instance_url": HERE}, _SALESFORCE, "ann@acme.com"
    ),
    Case(
        "salesforce",
        "oauthPrivate",
        {**_APP, "oauth_access_token": TOKEN},
        _SALESFORCE,
        "ann@acme.com",
        {"user_id": "5"},
    ),
    Case("slack", "oauthDefault", {"oauth_access_token": TOKEN}, _SLACK_ROUTES, "bot in Acme", {"app_id": "A1"}),
    Case(
        "slack",
        "oauthPrivate",
        {**_APP, "private_signing_secret": SECRET, "oauth_access_token": TOKEN},
        _SLACK_ROUTES,
        "bot in Acme",
        {"team_id": "T1", "bot_id": "B1", "bot_name": "acme-bot", "install_ids": "A1//T1"},
    ),
    Case(
        "slack",
        "socketMode",
        {"private_bot_token": TOKEN, "private_app_token": f"xapp-1-A2-{SECRET}"},
        {
            "POST /auth.test": _SLACK,
            "POST /apps.connections.open": {"ok": True, "url": "wss://x"},
            "POST /bots.info": _SLACK_BOT,
        },
        "bot in Acme",
        {"app_id": "A2", "install_ids": "A2//T1"},
    ),
    Case(
        "telegram",
        "botToken",
        {"BotToken": f"12:{TOKEN}"},
        {f"GET /bot12:{TOKEN}/getMe": {"ok": True, "result": {"id": 12, "username": "acme_bot"}}},
        "acme_bot",
        {"BotID": "12"},
    ),
    Case(
        "twilio",
        "apiToken",
        {"AccountSID": "AC01", "Username": "AC01", "Password": SECRET},
        {"GET /2010-04-01/Accounts/AC01.json": {"friendly_name": "Acme"}},
        "Acme",
    ),
    Case(
        "twilio",
        "apiKey",
        {"AccountSID": "AC01", "Username": "SK01", "Password": SECRET},
        {"GET /2010-04-01/Accounts/AC01.json": {"friendly_name": "Acme"}},
        "Acme",
    ),
    Case(
        "zoom",
        "oauthDefault",
        {"oauth_access_token": TOKEN},
        {"GET /v2/users/me": {"email": "ann@acme.com"}},
        "ann@acme.com",
    ),
    Case(
        "zoom",
        "oauthPrivate",
        {**_APP, "oauth_access_token": TOKEN},
        {"GET /v2/users/me": {"email": "ann@acme.com", "account_id": "ac1"}},
        "ann@acme.com",
        {"account_id": "ac1"},
    ),
    Case(
        "zoom",
        "serverToServer",
        {**_APP, "private_account_id": "ac1"},
        {"POST /oauth/token": {"access_token": "x"}, "GET /v2/users": {"users": []}},
        "the app app-1 of account ac1",
    ),
)


def basic(user: str, password: str) -> str:
    """The header of a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
