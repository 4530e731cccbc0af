"""An HTTP request as the data of an event. Pure."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote

#: Deeper JSON is left to the code, as text: neither filters nor journals can do anything with it.
MAX_DEPTH = 200

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORM_METHODS = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request to a webhook's URL."""

    method: str
    raw_path: str  # as it was sent, without the query
    raw_query: str
    path_suffix: str  # what follows the slug and a slash, decoded
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def event_type(self) -> str:
        return self.method.lower()

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)

    def to_data(self) -> dict[str, Any]:
        """The event's data."""
        return {
            "method": self.method,
            "raw_url": f"{self.raw_path}?{self.raw_query}" if self.raw_query else self.raw_path,
            "url": {
                "path": unquote(self.raw_path, errors="replace"),
                "path_suffix": self.path_suffix,
                "query": _joined(parse_qsl(self.raw_query, keep_blank_values=True, errors="replace")),
                "raw_query": self.raw_query,
                "fragment": "",  # a client does not send it
                "raw_fragment": "",
            },
            "headers": _joined((canonical(name), value) for name, value in self.headers if name.lower() != "host"),
            "trailers": {},
            "body": {
                "bytes": self.body or None,
                "text": _text(self.body),
                "json": _json(self.body),
                "form": self._form(),
            },
        }

    def _form(self) -> dict[str, str] | None:
        content_type = (self.header("content-type") or "").partition(";")[0].strip().lower()
        if self.method not in _FORM_METHODS or content_type != "application/x-www-form-urlencoded":
            return None
        text = self.body.decode("utf-8", "replace")
        try:
            return _joined(parse_qsl(text, keep_blank_values=True, errors="replace"))
        except ValueError:  # so many fields that it is no form
            return None


def canonical(name: str) -> str:
    """A header's name as programs look it up: `x-github-event` is `X-Github-Event`.

    This is Go's form: a letter that begins a word is upper case, all others are lower case, and a name with an odd
    character is left as it is.
    """
    if not _TOKEN.fullmatch(name):
        return name
    return "-".join(word[:1].upper() + word[1:].lower() for word in name.split("-"))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(body: bytes) -> str | None:
    try:
        return body.decode() or None
    except UnicodeDecodeError:
        return None


def _json(body: bytes) -> Any:
    if not body or _depth(body) > MAX_DEPTH:
        return None
    try:
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _depth(body: bytes) -> int:
    """How deep arrays and objects are nested, at most."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
