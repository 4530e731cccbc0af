"""What is to be known of an account once it lets a connection in: one small function for each service that needs it.

Helpers and events go by these variables. What only the test of a connection can tell is up to its `check`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from autokitteh_server.accounts.errors import Declined, ServiceUnavailable
from autokitteh_server.accounts.tokens import Token
from autokitteh_server.accounts.web import Web

_GOOGLE: Final = ("gmail", "googlecalendar", "googledrive", "googleforms", "googlesheets", "youtube")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that has just let a connection in."""

    variables: Mapping[str, str]  # of the connection, from before
    answer: Mapping[str, Any]  # that had the token in it
    token: Token
    web: Web

    def __repr__(self) -> str:
        return f"Account({', '.join(self.answer)})"

    def fetch(self, url: str) -> Any:
        """JSON of the service's API, or of what the connection's `base_url` has in its place."""
        if base := self.variables.get("base_url"):
            parts = urlsplit(url)
            url = f"{base.rstrip('/')}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        reply = self.web.ask("GET", url, headers={"Authorization": f"Bearer {self.token.access}"})
        reply.raise_for_status()
        return reply.read_json()


Learn = Callable[[Account], dict[str, str]]


def learn(integration: str, account: Account) -> dict[str, str]:
    """Variables of the connection. Raises what `accounts.errors` has."""
    find = LEARN.get(integration)
    return {} if find is None else find(account)


def read_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with its token where all others have it: Slack's for a person alone has it further down."""
    person = answer.get("authed_user")
    if not answer.get("access_token") and isinstance(person, dict) and person.get("access_token"):
        return {**answer, **person}
    return dict(answer)


def _atlassian(account: Account) -> dict[str, str]:
    """Requests go to a site by its id."""
    found = account.fetch("https://api.atlassian.com/oauth/token/accessible-resources")
    # One site is there once for each of its products.
    sites = {each["id"]: each for each in found if "id" in each} if _are_objects(found) else {}
    if not sites:
        raise Declined("the account may use no site of Atlassian's", "Begin again, with an account that has one.")
    if len(sites) > 1:
        names = ", ".join(sorted(_text(each, "name") for each in sites.values()))
        raise Declined(f"the account lets the connection into several sites: {names}", "Begin again, and choose one.")
    site = next(iter(sites.values()))
    scopes = site.get("scopes")
    return {
        "AccessID": _text(site, "id"),
        "AccessURL": _text(site, "url"),
        "AccessName": _text(site, "name"),
        "AccessScope": " ".join(map(str, scopes)) if isinstance(scopes, list) else "",
        "AccessAvatarURL": _text(site, "avatarUrl"),
    }


def _google(account: Account) -> dict[str, str]:
    """Who it is, and what they have agreed to: watches depend on it."""
    user = account.fetch("https://www.googleapis.com/oauth2/v2/userinfo?alt=json")
    if not isinstance(user, dict):
        raise ServiceUnavailable("Google does not say who the account is", "Try again.")
    names = ("id", "email", "name", "given_name", "family_name", "hd")
    return {f"user_{name}": _text(user, name) for name in names} | {"user_scope": _text(account.answer, "scope")}


def _slack(account: Account) -> dict[str, str]:
    """By what events find the connection."""
    answer = account.answer
    team, enterprise, person = (_object(answer, name) for name in ("team", "enterprise", "authed_user"))
    found = {
        "app_id": _text(answer, "app_id"),
        "team_id": _text(team, "id"),
        "team_name": _text(team, "name"),
        "enterprise_id": _text(enterprise, "id"),
        "user_id": _text(answer, "bot_user_id") or _text(person, "id"),
    }
    return found | {"install_ids": f"{found['app_id']}/{found['enterprise_id']}/{found['team_id']}"}


def _salesforce(account: Account) -> dict[str, str]:
    """Each customer has a host. The account's id is a URL that ends with those of organization and user."""
    instance_url = _text(account.answer, "instance_url")
    if urlsplit(instance_url).scheme not in ("http", "https"):
        raise ServiceUnavailable("Salesforce does not say where the organization is", "Try again.")
    ids = _text(account.answer, "id").rstrip("/").split("/")[-2:]
    organization_id, user_id = ids if len(ids) == 2 else ("", "")
    return {"instance_url": instance_url, "organization_id": organization_id, "user_id": user_id}


def _hubspot(account: Account) -> dict[str, str]:
    """By what events find the connection."""
    found = account.fetch("https://api.hubapi.com/integrations/v1/me")
    return {"portal_id": _text(found, "portalId") if isinstance(found, dict) else ""}


LEARN: Final[Mapping[str, Learn]] = {
    "confluence": _atlassian,
    "jira": _atlassian,
    "slack": _slack,
    "salesforce": _salesforce,
    "hubspot": _hubspot,
    **dict.fromkeys(_GOOGLE, _google),
}


def _are_objects(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, dict) for each in found)


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
