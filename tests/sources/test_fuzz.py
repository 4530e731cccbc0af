"""Whatever comes in at a public door, over real HTTP: an answer, soon, and a server that goes on."""

import json
import logging
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autokitteh_server.api.service_doors import webhooks
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Http
from deliveries import FORM, JSON, hmac_hex
from served import Served, listening, serving
from sources.senders import ENVIRON, SENDERS, Sender, googles_keys
from unit.integrations.feeds import Answer, Asked
from unit.integrations.feeds import serving as standing_in

FUZZ = settings(
    max_examples=500,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to make an example smaller takes longer than to read it
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Target:
    """A server with a connection for each sender, whose events start nothing, and a webhook that starts a session."""

    served: Served
    client: httpx.Client
    connections: Mapping[str, str]
    slug: str


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The server."""

    def answer(asked: Asked) -> Answer:
        return (200, googles_keys()) if asked.path == "/oauth2/v3/certs" else (404, {})

    with standing_in(answer) as address:

        def http_for(api: str, base_url: str) -> Http:
            return ServiceHttp(now_s=lambda: int(time.time()), api=api, base_url=address)

        with (
            serving(tmp_path_factory.mktemp("fuzz"), environ=ENVIRON, http_for=http_for) as served,
            listening(served) as client,
        ):
            connections = {
                sender.title: served.connect(sender.integration, sender.variables, name=f"c{index}", filter="false")
                for index, sender in enumerate(SENDERS)
            }
            token = {"pat": "p", "pat_key": "k9", "pat_secret": "s"}
            served.connect("github", token, "def main(event):\n    return event.data.n\n", name="last")
            found = served.deploy("def main(event):\n    return event.data.n\n", served.webhook(filter="false"))
            yield Target(served, client, connections, found["webhook"].webhook_slug or "")


_works = count(1)


@pytest.fixture(autouse=True)
def unbroken(target: Target, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each test: nothing was an error, and the server still does its work."""
    yield
    n = next(_works)
    body = b'{"n":%d}' % n
    headers = {"content-type": JSON, "x-github-event": "push", "x-github-delivery": f"works-{n}"}
    signature = {"x-hub-signature-256": f"sha256={hmac_hex('s', body)}"}
    reply = target.client.post("/github/webhook/k9", content=body, headers={**headers, **signature})
    assert reply.status_code == 200
    target.served.wait_until(lambda: [each.result for each in target.served.sessions()][-1:] == [n])
    assert [each.getMessage() for each in caplog.get_records("call") if each.levelno >= logging.ERROR] == []


def check(reply: httpx.Response) -> None:
    """An answer that says what is wrong with the request, and never that it was too much for the server."""
    assert reply.status_code < 500 or reply.status_code == 503, (reply.status_code, reply.text)
    assert "Traceback" not in reply.text


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["\ud800", "\x00", "\u2028", "x" * 3000, 10**400, -(2**63), 2**64, "", [], {}, [[[]]]]),
)
NAMES = st.text(max_size=8) | st.sampled_from(["type", "event", "id", "data", "payload", "self", "", "\x00", "\ud800"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=10
)
ODD_BODIES = st.sampled_from(
    [
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"n":' + b"9" * 100_000 + b"}",
        b'{"n":1e400}',
        b'{"n":NaN}',
        b'{"n":"\\ud800"}',
        b'{"n":"\xff\xfe"}',
        b'\xef\xbb\xbf{"n":1}',
        "{}".encode("utf-16"),
        b'{"a":1,"a":2}',
        b"&".join(b"f%d=1" % n for n in range(10_000)),
        b"payload=" + quote('{"a":"\ud83d"}', errors="replace").encode(),
        b"%" * 50_000,
        zlib.compress(b"{}" * 10_000),
        b"",
    ]
)
BODIES = st.binary(max_size=100) | TREES.map(lambda tree: json.dumps(tree).encode()) | ODD_BODIES
HEADER_NAMES = st.sampled_from(
    [
        "x-slack-signature", "x-slack-request-timestamp", "x-hub-signature", "x-hub-signature-256", "x-github-event",
        "x-github-delivery", "x-github-hook-installation-target-id", "authorization", "x-hubspot-signature",
        "x-hubspot-signature-v3", "x-hubspot-request-timestamp", "linear-signature", "x-zm-signature",
        "x-zm-request-timestamp", "x-twilio-signature", "x-telegram-bot-api-secret-token", "x-goog-channel-id",
        "x-goog-channel-token", "x-goog-resource-state", "x-hook-secret", "x-hook-signature", "x-notion-signature",
        "content-encoding", "idempotency-key", "x-forwarded-proto", "x-forwarded-host", "cookie", "range",
        "accept-encoding", "if-none-match", "x-odd", "expect-ct", "origin", "te",
    ]
)  # fmt: skip
#: Whatever bytes HTTP lets through.
HEADER_VALUES = st.one_of(
    st.sampled_from(
        [
            b"deflate",
            b"gzip",
            b"sha256=00",
            b"v0=0",
            b"Bearer a.b.c",
            b"bytes=0-",
            b"https",
            b"evil.example",
            b"[::1",
            b"\xff",
        ]
    ),
    st.lists(st.integers(0x21, 0x7E) | st.integers(0x80, 0xFF), max_size=30).map(bytes),
)
TYPES = st.sampled_from(
    [JSON, FORM, "", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "\x80"]
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH"])
#: Parts of paths: what people write, and what they should not.
PARTS = st.sampled_from(
    [
        "",
        "a",
        "con_1",
        "%00",
        "%2e%2e",
        "..",
        "%ff",
        "%2f",
        "%",
        "%zz",
        "a%20b",
        "{id}",
        "%F0%9F%98%80",
        "x" * 2000,
        ";",
        "*",
    ]
) | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='?#"<>\\^`{|}'), max_size=12)
QUERIES = st.sampled_from(
    [
        "",
        "?",
        "?a=b",
        "?a=%ff&a=2",
        "?cid=con_1&ticket=x",
        "?state=x&code=y",
        "?error=x",
        "?bodySHA256=0",
        "?" + "&" * 500,
    ]
)


def known_paths() -> list[str]:
    """The paths of all public routes."""
    services = [f"/{name}/{path}" for name, webhook in sorted(webhooks().items()) for path in webhook.paths]
    return [
        *services,
        "/webhooks/{slug}",
        "/webhooks/{slug}/a",
        "/store/{slug}/key",
        "/oauth/start/slack",
        "/oauth/redirect/slack",
    ]


PATHS = known_paths()


@FUZZ
@given(data=st.data())
def test_anything_at_all(target: Target, data: st.DataObject) -> None:
    """Methods, paths, headers and bodies as they fall."""
    path = data.draw(st.sampled_from(PATHS))
    path = path.replace("{slug}", target.slug if data.draw(st.booleans()) else "x")
    while "{" in path:
        path = path[: path.index("{")] + data.draw(PARTS) + path[path.index("}") + 1 :]
    if data.draw(st.booleans()):
        path += "/" + data.draw(PARTS)
    headers = data.draw(st.lists(st.tuples(HEADER_NAMES.map(str.encode), HEADER_VALUES), max_size=6))
    if data.draw(st.booleans()):
        headers.append((b"host", data.draw(HEADER_VALUES)))  # once: clients send no second one
    kind = data.draw(TYPES)
    request = httpx.Request(
        data.draw(METHODS),
        target.client.base_url,
        headers=[*headers, (b"content-type", kind.encode("latin-1"))],
        content=data.draw(BODIES),
        extensions={"target": (path + data.draw(QUERIES)).encode()},  # as it is, and not as it should be
    )
    check(target.client.send(request))


@FUZZ
@given(sender=st.sampled_from(SENDERS), data=st.data())
def test_anything_from_the_right_one(target: Target, sender: Sender, data: st.DataObject) -> None:
    """Events with something else in them, and other bodies, all of them well signed."""
    body: Any
    if data.draw(st.booleans()):
        body = data.draw(BODIES)
    else:
        body = mutated(sender, data)
    base_url = str(target.client.base_url).rstrip("/")
    changed = replace(sender, make=lambda n, now_s: body, sign=lambda signing: _signed(sender, signing))
    call = changed.call(1, time.time(), base_url, target.connections[sender.title])
    check(target.client.request(**call))


def _signed(sender: Sender, signing: Any) -> Mapping[str, str]:
    try:
        return sender.sign(signing)
    except (ValueError, KeyError):  # what cannot be read as a form cannot be signed as one
        return {}


def mutated(sender: Sender, data: st.DataObject) -> Any:
    """An event of which one part is of another kind."""
    made = sender.make(data.draw(st.integers(1, 10**9)), time.time())
    if isinstance(made, bytes):
        place = data.draw(st.integers(0, len(made)))
        return made[:place] + data.draw(st.binary(max_size=4) | st.just(b"&a=%00&")) + made[place:]
    place = made
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(TREES)
            break
        place = place[key]
    return made
