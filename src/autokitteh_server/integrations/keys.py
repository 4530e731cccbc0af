"""What events are called, and the keys by which repeats are known."""

import hashlib
import json
import re
from typing import Final

from autokitteh_server.integrations.webhook import Refused, Request

_TYPE: Final = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
_MAX_KEY: Final = 200


def event_type_of(text: object) -> str:
    """The name of an event's type as a service has it. Raises Refused for what cannot be one."""
    if not isinstance(text, str) or not _TYPE.fullmatch(text):
        raise Refused(400, "the type of the event is missing or is none")
    return text


def key_of(*parts: object) -> str:
    """A key made of parts that do not change when something is sent again."""
    text = ":".join(map(str, parts))
    if len(text) <= _MAX_KEY and text.isascii() and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def content_key(value: object) -> str:
    """A key made of all of a JSON value, where nothing in it is the service's own id of it."""
    return key_of(json.dumps(value, sort_keys=True))


def delivery_key(request: Request, header: str) -> str:
    """The service's own id of the delivery; a digest of the body where it gives none."""
    given = request.header(header)
    return key_of(given) if given else body_key(request)


def body_key(request: Request) -> str:
    """A digest of the body, for services that send the same bytes again."""
    return hashlib.sha256(request.body).hexdigest()
