"""Requests as services make them, and what is found in them, for tests of webhooks."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from autokitteh_server.core.filters import activate, compile_filter
from autokitteh_server.integrations.webhook import Received, Refused, Request, Secret, Webhook, receive

NOW_S = 1_735_689_600.0
JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


def request(
    path: str,
    body: bytes | str | object = b"",
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = JSON,
    method: str = "POST",
    url: str = "https://ak.example.com/x",
) -> Request:
    """A request; a body that is neither bytes nor text is sent as JSON."""
    return Request(
        method=method,
        url=url,
        path=path,
        headers={"content-type": content_type, **(headers or {})},
        body=raw(body),
        received_at=int(NOW_S * 1_000_000),
    )


def raw(body: bytes | str | object) -> bytes:
    """A body as it is sent."""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def form(**fields: str) -> bytes:
    """A form as it is sent."""
    return urlencode(fields).encode()


def hmac_hex(secret: str, body: bytes, digest: str = "sha256") -> str:
    """The usual signature, made without the code that is tested."""
    return hmac.new(secret.encode(), body, getattr(hashlib, digest)).hexdigest()


def versioned(secret: str, body: bytes, timestamp: int | str = int(NOW_S)) -> str:
    """The signature of Slack and Zoom."""
    return "v0=" + hmac_hex(secret, b"v0:" + str(timestamp).encode() + b":" + body)


def own(value: str, name: str, owner: str = "con_1") -> Secret:
    """A connection's own secret."""
    return Secret(value=value, name=name, owner=owner)


def take(webhook: Webhook, request: Request, *secrets: Secret, now_s: float = NOW_S) -> Received:
    """What is in a request, now."""
    return receive(webhook, request, secrets, now_s)


def refusal(webhook: Webhook, request: Request, *secrets: Secret, now_s: float = NOW_S) -> int:
    """The status with which a request is refused; 0 if it is not."""
    try:
        receive(webhook, request, secrets, now_s)
    except Refused as refused:
        assert refused.message
        return refused.status
    return 0


def passes(text: str, event_type: str, data: Any) -> bool:
    """Whether an event passes a filter."""
    return compile_filter(text).match(activate(event_type, data)).matched


def types_and_data(received: Received) -> Sequence[tuple[str, Any]]:
    """What user code sees."""
    return [(each.event_type, each.data) for each in received.events]
