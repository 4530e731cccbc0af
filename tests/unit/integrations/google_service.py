"""A stand-in for Google over real HTTP: a mailbox, a calendar, a drive and a form, with what is known of their limits.

It gives pages of two, whatever it is asked for: Google may always give less.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from autokitteh_server.core.timestamps import format_time, parse_time
from sdk.fake_service import Answer, Asked, Fake, serving

TOKEN = "token-that-nobody-may-see"
START = 1_764_000_000_000_000
FORM = "1FAIpQLSd_acme_lunch_form"
CALENDAR = "team#1@acme.com"
TOPIC = "projects/acme/topics/google"

_PAGE = 2
_WEEK_MS = 604_800_000


def refusal(status: int, message: str, reason: str = "invalid") -> tuple[int, Any]:
    """A refusal in Google's words."""
    return status, {"error": {"code": status, "message": message, "errors": [{"reason": reason}]}}


class Google:
    """What Google has; `now` is its clock, in microseconds since 1970. Tests turn it, and change what is there."""

    def __init__(self) -> None:
        self.fake = Fake({})
        self.reset()

    def reset(self) -> None:
        """As on the first day."""
        self.now = START
        self.life_ms = _WEEK_MS  # of channels, whatever they are asked to
        self.history, self.oldest_history = [70_000], 0
        self.used_channels: set[str] = set()
        self.channels: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.event_log: list[str] = []
        self.oldest_sync = 0
        self.changes: list[dict[str, Any]] = []
        self.oldest_change = 0
        self.responses: dict[str, dict[str, Any]] = {}
        self.revision = 1
        self.watches: dict[str, dict[str, Any]] = {}
        self.made_watches = 0
        self.fake.asked.clear()
        self.fake.routes.clear()
        self.fake.routes.update(self._routes())

    def _routes(self) -> dict[str, Answer]:
        calendar = "/calendar/v3/calendars/team%231%40acme.com/events"
        form = f"/v1/forms/{FORM}"
        return {
            "GET /gmail/v1/users/me/profile": self._profile,
            "GET /gmail/v1/users/me/history": self._history,
            "POST /gmail/v1/users/me/watch": self._watch_mailbox,
            f"GET {calendar}": self._events,
            f"POST {calendar}/watch": self._open,
            "POST /calendar/v3/channels/stop": self._stop,
            "GET /drive/v3/changes/startPageToken": self._start,
            "GET /drive/v3/changes": self._changes,
            "POST /drive/v3/changes/watch": self._open,
            "POST /drive/v3/channels/stop": self._stop,
            f"GET {form}": self._form,
            f"GET {form}/responses": self._responses,
            f"GET {form}/watches": self._list_watches,
            f"POST {form}/watches": self._make_watch,
        }

    # Gmail

    def mail(self) -> int:
        """Something arrives; the id of the history."""
        self.history.append(self.history[-1] + 7)
        return self.history[-1]

    def forget_history(self) -> None:
        """What was is too old."""
        self.oldest_history = self.history[-1]

    def _profile(self, asked: Asked) -> Any:
        return {"emailAddress": "ops@acme.com", "historyId": str(self.history[-1])}

    def _history(self, asked: Asked) -> Any:
        since = int(asked.query["startHistoryId"])
        if since < self.oldest_history:
            return refusal(404, "Requested entity was not found.", "notFound")
        new = [{"id": str(each), "messages": [{"id": "m"}]} for each in self.history if each > since]
        answer: dict[str, Any] = {"historyId": str(self.history[-1])}
        return _parts(asked, {**answer, "history": new[:1], "nextPageToken": "more"} if new else answer)

    def _watch_mailbox(self, asked: Asked) -> Any:
        if asked.json != {"topicName": TOPIC}:
            return refusal(400, "Invalid topicName")
        return {"historyId": str(self.history[-1]), "expiration": str(self.now // 1000 + self.life_ms)}

    # Channels

    def _open(self, asked: Asked) -> Any:
        channel = asked.json
        lasts = "ttl" in channel.get("params", {}) or "expiration" in channel
        if channel["id"] in self.used_channels:
            return refusal(400, "Channel id not unique", "channelIdNotUnique")
        if channel["type"] != "web_hook" or len(channel["id"]) > 64 or len(channel["token"]) > 256:
            return refusal(400, "Bad channel")
        if "drive" in asked.path and asked.query.get("pageToken") != str(len(self.changes)):
            return refusal(400, "Invalid Value")
        self.used_channels.add(channel["id"])
        self.channels[channel["id"]] = channel
        ends = self.now // 1000 + (self.life_ms if lasts else 3_600_000)
        return {"kind": "api#channel", "id": channel["id"], "resourceId": "r-1", "expiration": str(ends)}

    def _stop(self, asked: Asked) -> Any:
        known = self.channels.pop(asked.json["id"], None)
        return (204, {}) if known and asked.json["resourceId"] == "r-1" else refusal(404, "Channel not found")

    # Calendar

    def change_event(self, event_id: str, **fields: object) -> None:
        """An event is made, changed or (status=cancelled) deleted."""
        former = self.events.get(event_id)
        self.event_log.append(event_id)
        self.events[event_id] = {
            "kind": "calendar#event", "id": event_id, "status": "confirmed", "etag": f'"{len(self.event_log)}"',
            "sequence": former["sequence"] + 1 if former else 0, "updated": format_time(self.now)[:-4] + "Z",
            "start": {"dateTime": "2026-02-03T15:00:00Z"}, "iCalUID": f"{event_id}@google.com", **fields,
        }  # fmt: skip

    def _events(self, asked: Asked) -> Any:
        query = dict(asked.query)
        place = int(query.pop("pageToken", "p0")[1:])
        if query.get("showDeleted") != "true":
            return refusal(400, "We ask for what was deleted, each time")
        if token := query.pop("syncToken", ""):
            if not token.startswith("s"):  # another calendar's
                return refusal(400, "Invalid sync token value.")
            if int(token[1:]) < self.oldest_sync:
                return refusal(410, "Sync token is no longer valid, a full sync is required.", "fullSyncRequired")
            ids = dict.fromkeys(self.event_log[int(token[1:]) :])
        else:
            ids = dict.fromkeys(self.events)
        if set(query) - {"showDeleted", "maxResults", "fields"}:
            return refusal(400, "These go with no sync token")
        found = [self.events[each] for each in ids]
        more = {"nextPageToken": f"p{place + _PAGE}"} if place + _PAGE < len(found) else {}
        last = {} if more else {"nextSyncToken": f"s{len(self.event_log)}"}
        return _parts(asked, {"kind": "calendar#events", "items": found[place : place + _PAGE], **more, **last})

    # Drive

    def change_file(self, file_id: str, *, removed: bool = False) -> str:
        """A file is changed, or removed; when."""
        time = format_time(self.now)
        change: dict[str, Any] = {
            "kind": "drive#change", "changeType": "file", "time": time, "removed": removed, "fileId": file_id,
        }  # fmt: skip
        if not removed:
            owner = {"kind": "drive#user", "displayName": "Ann", "me": True}
            file = {"kind": "drive#file", "id": file_id, "name": "Notes", "size": "2048", "version": "7"}
            change["file"] = {**file, "md5Checksum": "d4", "owners": [owner], "webViewLink": "https://x", "odd": "1"}
        self.changes.append(change)
        return time

    def _start(self, asked: Asked) -> Any:
        return {"kind": "drive#startPageToken", "startPageToken": str(len(self.changes))}

    def _changes(self, asked: Asked) -> Any:
        token = asked.query["pageToken"]
        if not token.isdigit() or int(token) < self.oldest_change:
            return refusal(400, "Invalid Value")
        place, end = int(token), int(token) + _PAGE
        following = {"nextPageToken": str(end)} if end < len(self.changes) else {}
        last = {} if following else {"newStartPageToken": str(len(self.changes))}
        return _parts(asked, {"kind": "drive#changeList", "changes": self.changes[place:end], **following, **last})

    # Forms

    def respond(self, response_id: str, at: str) -> None:
        """Somebody fills in the form, or changes what they had entered."""
        answer = {"questionId": "7f3a", "textAnswers": {"answers": [{"value": "yes"}]}}
        made = self.responses.get(response_id, {"createTime": at})["createTime"]
        self.responses[response_id] = {
            "responseId": response_id, "createTime": made, "lastSubmittedTime": at, "answers": {"7f3a": answer},
        }  # fmt: skip

    def _form(self, asked: Asked) -> Any:
        info = {"title": "Lunch", "documentTitle": "Lunch"}
        return _parts(asked, {"formId": FORM, "revisionId": f"{self.revision:08}", "info": info, "items": []})

    def _responses(self, asked: Asked) -> Any:
        condition = asked.query.get("filter", "timestamp >= 1970-01-01T00:00:00Z")
        since = nanoseconds(condition.removeprefix("timestamp >= "))
        found = [each for each in self.responses.values() if nanoseconds(each["lastSubmittedTime"]) >= since]
        found.reverse()  # in no order that one could rely on
        place = int(asked.query.get("pageToken", "0"))
        more = {"nextPageToken": str(place + _PAGE)} if place + _PAGE < len(found) else {}
        page = {"responses": found[place : place + _PAGE]} if found else {}  # without a list that is empty
        return _parts(asked, {**page, **more})

    def _make_watch(self, asked: Asked) -> Any:
        watch = asked.json["watch"]
        self._drop_expired()
        if any(each["eventType"] == watch["eventType"] for each in self.watches.values()):
            return 400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "Watch already exists"}}
        self.made_watches += 1
        ends = format_time(self.now + self.life_ms * 1000)
        made = {**watch, "id": f"w-{self.made_watches}", "state": "ACTIVE", "expireTime": ends}
        place = f"/v1/forms/{FORM}/watches/{made['id']}"
        self.watches[made["id"]] = made
        self.fake.routes[f"POST {place}:renew"] = lambda _: self._renew(made)
        self.fake.routes[f"DELETE {place}"] = lambda _: self.watches.pop(made["id"]) and {}
        return made

    def _renew(self, watch: dict[str, Any]) -> Any:
        self._drop_expired()
        if watch["id"] not in self.watches:
            return refusal(404, "Requested entity was not found.")
        watch["expireTime"] = format_time(self.now + self.life_ms * 1000)
        return watch

    def _list_watches(self, asked: Asked) -> Any:
        self._drop_expired()
        return {"watches": list(self.watches.values())} if self.watches else {}

    def _drop_expired(self) -> None:
        self.watches = {name: each for name, each in self.watches.items() if parse_time(each["expireTime"]) > self.now}


@contextmanager
def google() -> Iterator[Google]:
    """Google on a port of this machine."""
    there = Google()
    with serving({}, good_tokens={f"Bearer {TOKEN}"}) as fake:
        there.fake = fake
        there.reset()
        yield there


def nanoseconds(text: str) -> int:
    """The moment of a text that may have nine digits after the point."""
    whole, _, digits = text.removesuffix("Z").partition(".")
    return parse_time(f"{whole}Z") * 1000 + int(digits.ljust(9, "0"))


def _parts(asked: Asked, value: Mapping[str, Any]) -> Any:
    """What of an answer was asked for: "a,b(c,d(e))"."""
    fields = asked.query.get("fields")
    return _select(value, _tree(fields)) if fields else value


def _tree(fields: str) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [{}]
    name = ""
    for mark in re.findall(r"\w+|[()]", fields):
        if mark == "(":
            levels.append(levels[-1][name])
        elif mark == ")":
            levels.pop()
        else:
            name = mark
            levels[-1][name] = {}
    return levels[0]


def _select(value: Any, tree: Any) -> Any:
    if isinstance(value, list):
        return [_select(each, tree) for each in value]
    if not isinstance(value, dict) or not tree:
        return value
    return {name: _select(value[name], each) for name, each in tree.items() if name in value}
