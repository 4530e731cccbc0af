"""A stand-in for Microsoft Graph's change notifications: it asks those who subscribe whether they are there."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from autokitteh_server.core.timestamps import format_time, parse_time
from deliveries import JSON, NOW_S
from unit.integrations.feeds import Answer, Asked

TOKEN = "token-that-nobody-may-see"
API = "https://graph.microsoft.com"
CHANNEL = "/teams/t-1/channels/c-1/messages"
CHAT = "/chats/19:x@thread.v2/messages"
TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
MINUTE_US = 60_000_000
#: With white space, and with what has to be escaped.
QUESTION = "Validation: Testing client application reachability for subscription Request-Id: 522a+8e/7e=&é%20"

#: The changes there can be, as the documentation's examples have it.
_ALL = "created updated deleted"
_CHANGES = (
    (r"/teams/getAll\w+|/teams|/teams/[^/]+/(channels|members)|.*/messages|.*/getAllMessages", _ALL),
    (r"/teams/[^/]+", "updated deleted"),
    (r"/chats|/me/chats", "created updated"),
    (r"/chats/[^/]+/members|/chats/getAllMembers", "created deleted"),
    (r"/chats/[^/]+", "updated"),
)


@dataclass(frozen=True)
class Heard:
    """What is answered to a call of Graph's."""

    status: int
    content_type: str = ""
    body: bytes = b""


#: Calls an address: the URL, the content type, and the body.
Call = Callable[[str, str, bytes], Heard]


@dataclass
class Graph:
    """An organization's Graph."""

    call: Call
    now: int = int(NOW_S) * 1_000_000
    life_us: int = 4320 * MINUTE_US  # the longest it grants
    forbidden: set[str] = field(default_factory=set)  # resources for which the app has no permission
    may_list: bool = True
    there: dict[str, dict[str, Any]] = field(default_factory=dict)  # subscriptions by id
    calls: list[str] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    changed: threading.Condition = field(default_factory=threading.Condition)  # told after each call

    def answer(self, asked: Asked) -> Answer:
        """As Graph does."""
        root, _, subscription = asked.path.removeprefix("/v1.0/").partition("/")
        self.calls.append(f"{asked.method} {subscription}".strip())
        if root != "subscriptions":
            return 404, {"error": {"code": "ResourceNotFound", "message": "Not found"}}
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty."}}
        self.expire()
        found = self._do(asked, subscription)
        with self.changed:
            self.changed.notify_all()
        return found

    def expire(self) -> None:
        """Forget what was not renewed in time."""
        self.there = {key: each for key, each in self.there.items() if each["expires_at"] > self.now}

    def _do(self, asked: Asked, subscription: str) -> Answer:
        if asked.method == "POST":
            return self._make(asked.json)
        if asked.method == "GET":
            return self._list(asked)
        if subscription not in self.there:
            return 404, {"error": {"code": "ResourceNotFound", "message": "The object was not found."}}
        if asked.method == "DELETE":
            del self.there[subscription]
            return 204, None
        assert asked.method == "PATCH"
        if self.there[subscription]["resource"] in self.forbidden:
            return 403, {"error": {"code": "ExtensionError", "message": "Caller does not have access"}}
        if error := self._expiration_error(asked.json):
            return error
        self.there[subscription]["expires_at"] = parse_time(asked.json["expirationDateTime"])
        return 200, self._shown(subscription)

    def _list(self, asked: Asked) -> Answer:
        """Two at a time."""
        if not self.may_list:
            return 403, {"error": {"code": "Forbidden", "message": "no"}}
        begin = int(asked.query.get("$skiptoken", "0"))
        page: dict[str, Any] = {"value": [self._shown(key) for key in list(self.there)[begin : begin + 2]]}
        if begin + 2 < len(self.there):
            page["@odata.nextLink"] = f"{API}/v1.0/subscriptions?$skiptoken={begin + 2}"
        return 200, page

    def _make(self, wanted: dict[str, Any]) -> Answer:
        resource, changes = wanted["resource"], wanted["changeType"]
        path = resource.partition("?")[0]
        possible = next(kinds for pattern, kinds in _CHANGES if re.fullmatch(pattern, path)).split()
        if not set(changes.split(",")) <= set(possible):
            return 400, {"error": {"code": "InvalidRequest", "message": "Invalid change types"}}
        if resource in self.forbidden:
            return 403, {"error": {"code": "ExtensionError", "message": f"Caller has no access to {path}"}}
        if error := self._expiration_error(wanted):
            return error
        if len(wanted["clientState"]) > 128:
            return 400, {"error": {"code": "InvalidRequest", "message": "clientState is too long"}}
        if any((each["resource"], each["changeType"]) == (resource, changes) for each in self.there.values()):
            message = "Subscription Id x already exists for the requested combination"
            return 409, {"error": {"code": "Conflict", "message": message}}
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if not self._is_wanted_at(wanted[name]):
                message = "Subscription validation request failed."
                return 400, {"error": {"code": "ValidationError", "message": message}}
        key = f"sub-{next(self.ids)}"
        self.there[key] = {**wanted, "expires_at": parse_time(wanted["expirationDateTime"])}
        return 201, self._shown(key)

    def _expiration_error(self, wanted: dict[str, Any]) -> Answer | None:
        if not self.now < parse_time(wanted["expirationDateTime"]) <= self.now + self.life_us:
            return 400, {"error": {"code": "InvalidRequest", "message": "Subscription expiration is out of range"}}
        return None

    def _is_wanted_at(self, url: str) -> bool:
        if not url.startswith("https://"):
            return False
        url = f"{url}?validationToken={quote_plus(QUESTION)}"
        heard = self.call(url, "text/plain; charset=utf-8", b"")
        return (heard.status, heard.body) == (200, QUESTION.encode()) and heard.content_type.startswith("text/plain")

    def _shown(self, key: str) -> dict[str, Any]:
        """Without the text by which notifications are known, and with seven digits of a second."""
        each = {name: value for name, value in self.there[key].items() if name != "expires_at"}
        until = format_time(self.there[key]["expires_at"]).replace("Z", "0Z")
        return {**each, "id": key, "clientState": None, "expirationDateTime": until}

    def happens(self, resource: str, sample: dict[str, Any]) -> list[int]:
        """Something changes that these subscriptions are about; what the addresses answer."""
        return self._post("notificationUrl", resource, sample)

    def ends(self, resource: str, event: str) -> list[int]:
        """Something happens to the subscriptions themselves."""
        found = self._post("lifecycleNotificationUrl", resource, {"lifecycleEvent": event})
        if event == "subscriptionRemoved":
            self.there = {key: each for key, each in self.there.items() if each["resource"] != resource}
        return found

    def _post(self, address: str, resource: str, sample: dict[str, Any]) -> list[int]:
        self.expire()
        items: dict[str, list[dict[str, Any]]] = {}
        for key, each in self.there.items():
            if each["resource"] == resource:
                told = {"subscriptionId": key, "clientState": each["clientState"], "tenantId": TENANT}
                until = self._shown(key)["expirationDateTime"]
                items.setdefault(each[address], []).append({**sample, **told, "subscriptionExpirationDateTime": until})
        bodies = ((url, json.dumps({"value": value}).encode()) for url, value in items.items())
        return [self.call(url, JSON, body).status for url, body in bodies]
