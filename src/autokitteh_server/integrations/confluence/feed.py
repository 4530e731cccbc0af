"""Webhooks at Confluence, one for each category of what happens. Only administrators may make them.

Apps cannot, so that connections with OAuth get no events. What is made bears the connection's id in its name: that is
how it is found again, and what others have made is left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from autokitteh_server.integrations._families.atlassian import as_owner
from autokitteh_server.integrations.asking import (
    ask,
    ask_object,
    list_at,
    not_its_api,
    text_at,
    token_of,
    verify_answer,
)
from autokitteh_server.integrations.confluence.spec import CATEGORIES
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.feed import Feed, Line, Registration, missing_secrets

_FORBIDDEN: Final = 403

#: What Data Center knows nothing of, and would refuse.
_ONLY_CLOUD: Final = frozenset(
    {
        *("attachment_archived", "page_archived", "page_copied"),
        *("relation_created", "relation_deleted", "content_removed"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Cloud and Data Center: where webhooks are made, and how their answers and events differ."""

    path: str
    list_in: tuple[str, ...]  # where in the answer those there are stand
    signs: bool  # its events; otherwise the secret has to be in the address


_CLOUD: Final = _Site(path="/wiki/rest/webhooks/1.0/webhook", list_in=(), signs=False)
_DATA_CENTER: Final = _Site(path="/rest/api/webhooks", list_in=("results",), signs=True)


def prepare(line: Line) -> Mapping[str, str]:
    """A secret for each webhook."""
    made = [category for category, _ in CATEGORIES if _events_of(category, _site(line))]
    return missing_secrets(line, *(f"WebhookSecret_{category}" for category in made))


def register(line: Line) -> Registration:
    """Make all webhooks anew: the secrets of those there are may be lost."""
    site = _site(line)
    try:
        _remove_all(line, site)
        made = [_make(line, site, category) for category, _ in CATEGORIES]
    except ServiceError as error:
        if error.status != _FORBIDDEN:
            raise
    else:
        return Registration(variables={name: value for each in made for name, value in each.items()})
    raise ServiceError(
        "lets only administrators make webhooks",
        "Connect with the token of an administrator of Confluence: `ak connection init`.",
    )


def _remove_all(line: Line, site: _Site) -> None:
    there = ask(line.http, "GET", _url(line, site), params={"limit": "1000"}, **as_owner(line.variables))
    for each in list_at(there, *site.list_in):
        if text_at(each, "name").startswith(f"{_name(line)} "):
            url = f"{_url(line, site)}/{_id_of(each)}"
            verify_answer(line.http("DELETE", url, **as_owner(line.variables)))


def _make(line: Line, site: _Site, category: str) -> Mapping[str, str]:
    events = _events_of(category, site)
    if not events:
        return {f"WebhookID_{category}": "", f"WebhookSecret_{category}": ""}
    secret = line.variables[f"WebhookSecret_{category}"]
    address = f"{line.public_url}/confluence/webhook/{category}"
    wanted: dict[str, object] = {"name": f"{_name(line)} {category}", "events": events}
    if site.signs:
        wanted |= {"url": address, "configuration": {"secret": secret}, "active": True}
    else:
        wanted |= {"url": f"{address}/{secret}"}
    made = ask_object(line.http, "POST", _url(line, site), json=wanted, **as_owner(line.variables))
    return {f"WebhookID_{category}": _id_of(made)}


def _site(line: Line) -> _Site:
    return _CLOUD if line.variables.get("Email") else _DATA_CENTER


def _events_of(category: str, site: _Site) -> list[str]:
    events = [f"{entity}_{category}" for entity in dict(CATEGORIES)[category].split()]
    return [event for event in events if not (site.signs and event in _ONLY_CLOUD)]


def _url(line: Line, site: _Site) -> str:
    return f"{line.variables.get('BaseURL', '')}{site.path}"


def _name(line: Line) -> str:
    return f"AutoKitteh {line.connection_id}"


def _id_of(webhook: Any) -> str:
    """Cloud tells it only as the end of the webhook's own address."""
    found = text_at(webhook, "id") or text_at(webhook, "self").rpartition("/")[2]
    if not found.isdecimal():
        raise not_its_api()
    return found


def _why_not(variables: Mapping[str, str]) -> str:
    if variables.get("Token") and variables.get("BaseURL"):
        return ""
    if token_of(variables):
        return "events need an API token instead of OAuth: `ak connection init --auth apiToken`"
    return "it has no credentials: run `ak connection init`"


FEED = Feed(prepare=prepare, register=register, needs_https=False, why_not=_why_not)
