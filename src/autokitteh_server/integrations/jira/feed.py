"""Webhooks at Jira: those of an app, which Jira forgets after 30 days; with a token, one of an administrator's.

- https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-webhooks
- https://developer.atlassian.com/cloud/jira/platform/webhooks
"""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.core.timestamps import format_time
from autokitteh_server.integrations._families.atlassian import API, as_owner
from autokitteh_server.integrations.asking import (
    ask,
    ask_object,
    bearer,
    list_at,
    not_its_api,
    text_at,
    token_of,
    verify_answer,
)
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.feed import Feed, Line, Registration
from autokitteh_server.integrations.jira.webhook import webhook_key

_EVENTS: Final = (
    *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted"),
    *("comment_created", "comment_updated", "comment_deleted"),
)
_ALL: Final = "project != no_project_has_this_key"  # an app has to say which issues: there must be a filter
_DAY_US: Final = 24 * 3600 * 1_000_000
_LIFE_US: Final = 30 * _DAY_US
_RENEWED_BEFORE_US: Final = 14 * _DAY_US


def register(line: Line) -> Registration:
    """Make a webhook, or keep the one there is alive."""
    return _register_for_site(line) if line.variables.get("Token") else _register_for_app(line)


def _register_for_app(line: Line) -> Registration:
    url = f"{line.public_url}/jira/webhook"
    known = line.variables.get("WebhookID", "")
    # To extend the life of a webhook that is not there is no error. So it is looked up.
    if known and known in _ids_of_app(line):
        if line.variables.get("WebhookURL") == url:
            _ask_as_app(line, "PUT", "/refresh", json={"webhookIds": [int(known)]})
            return _made_for_app(line, known, url)
        # All webhooks of an app have the same address: the old one has to go first.
        _ask_as_app(line, "DELETE", json={"webhookIds": [int(known)]})
    wanted = {"url": url, "webhooks": [{"events": _EVENTS, "jqlFilter": _ALL}]}
    made = _ask_as_app(line, "POST", json=wanted)
    if reason := text_at(made, "webhookRegistrationResult", 0, "errors", 0):
        message = f"makes no webhook ({' '.join(reason.split())[:200]})"
        raise ServiceError(message, "Webhooks that are not needed may have to be removed: an app can have five a user.")
    return _made_for_app(line, _present(text_at(made, "webhookRegistrationResult", 0, "createdWebhookId")), url)


def _made_for_app(line: Line, webhook_id: str, url: str) -> Registration:
    expires_at = line.now + _LIFE_US
    kept = {
        "WebhookID": webhook_id,
        "WebhookKey": webhook_key(line.variables.get("AccessURL", ""), webhook_id),
        "WebhookURL": url,
        "WebhookExpiration": format_time(expires_at),
    }
    return Registration(variables=kept, renew_at=expires_at - _RENEWED_BEFORE_US)


def _ids_of_app(line: Line) -> list[str]:
    there = _ask_as_app(line, "GET", params={"maxResults": "100"})
    return [text_at(each, "id") for each in list_at(there, "values")]


def _ask_as_app(line: Line, method: str, path: str = "", **options: Any) -> Any:
    url = f"{API}/ex/jira/{line.variables['AccessID']}/rest/api/3/webhook{path}"
    headers = bearer(token_of(line.variables))
    if method == "DELETE":
        return verify_answer(line.http(method, url, headers=headers, **options))
    return ask_object(line.http, method, url, headers=headers, **options)


def _register_for_site(line: Line) -> Registration:
    path = f"/jira/webhook/{line.connection_id}"
    url = f"{line.public_url}{path}"
    try:
        return _made_for_site(line, path, url)
    except ServiceError as error:
        if error.status not in (401, 403):
            raise
    # Only administrators may look. One of them may have made it by hand, with a secret that was then entered here.
    if line.variables.get("WebhookSecret") and line.variables.get("WebhookURL", url) == url:
        return Registration(variables={"WebhookURL": url})
    raise ServiceError(
        "lets only administrators make webhooks",
        f"Have one make a webhook to {url} with a secret, and enter that secret: `ak var set PROJECT/CONNECTION "
        "WebhookSecret --secret`.",
    )


def _made_for_site(line: Line, path: str, url: str) -> Registration:
    webhooks = f"{line.variables.get('BaseURL', '')}/rest/webhooks/1.0/webhook"
    owner = as_owner(line.variables)
    there = ask(line.http, "GET", webhooks, **owner)
    for each in list_at(there):
        # Its secret cannot be read; and it may be from when the server had another address.
        if text_at(each, "url").endswith(path):
            verify_answer(line.http("DELETE", f"{webhooks}/{_id_of(each)}", **owner))
    secret = line.variables.get("WebhookSecret", "") or line.new_secret()
    wanted = {
        "name": f"AutoKitteh {line.connection_id}",
        "url": url,
        "events": _EVENTS,
        "filters": {"issue-related-events-section": ""},
        "excludeBody": False,
        "secret": secret,
    }
    made = ask_object(line.http, "POST", webhooks, json=wanted, **owner)
    return Registration(variables={"WebhookID": _id_of(made), "WebhookURL": url, "WebhookSecret": secret})


def _id_of(webhook: Any) -> str:
    """Jira tells it only as the end of the webhook's own address."""
    return _present(text_at(webhook, "self").rpartition("/")[2])


def _present(webhook_id: str) -> str:
    if not webhook_id.isdecimal():
        raise not_its_api()
    return webhook_id


def _why_not(variables: Mapping[str, str]) -> str:
    if variables.get("Token") and variables.get("BaseURL"):
        return ""
    if not token_of(variables):
        return "it has no credentials: run `ak connection init`"
    return "" if variables.get("AccessID") else "it is not known for which site it is: run `ak connection test`"


FEED = Feed(register=register, needs_https=False, why_not=_why_not)
