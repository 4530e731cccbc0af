"""Confluence is told where to send events: against a stand-in for Cloud, and one for Data Center."""

import base64
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from autokitteh_server.integrations.confluence.feed import FEED
from autokitteh_server.integrations.confluence.spec import CATEGORIES, SPEC
from autokitteh_server.integrations.confluence.webhook import WEBHOOK
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.webhook import Refused, Request, recipients
from deliveries import hmac_hex, raw, request, take
from unit.integrations.feeds import Answer, Asked, Connection, path_of, serving

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

TOKEN = "token-that-nobody-may-see"
ALL = {each.name for each in SPEC.events}
ONLY_CLOUD = {
    *("attachment_archived", "page_archived", "page_copied"),
    *("relation_created", "relation_deleted", "content_removed"),
}


@dataclass
class Confluence:
    """A site's webhooks, by id."""

    is_cloud: bool
    url: str = ""
    webhooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    is_admin: bool = True
    fails_at: int = 0  # the so-manieth request from now on
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def here(self) -> str:
        return "/wiki/rest/webhooks/1.0/webhook" if self.is_cloud else "/rest/api/webhooks"

    def answer(self, asked: Asked) -> Answer:
        """As Confluence does."""
        self.fails_at -= 1
        if self.fails_at == 0:
            return 500, None
        basic = "Basic " + base64.b64encode(f"ann@acme.com:{TOKEN}".encode()).decode()
        if asked.headers["authorization"] != (basic if self.is_cloud else f"Bearer {TOKEN}"):
            return 401, None
        if not self.is_admin:
            return 403, {"message": "you need to be an administrator"}
        if asked.path == self.here:
            return self._list() if asked.method == "GET" else self._make(asked.json)
        key = int(asked.path.removeprefix(f"{self.here}/"))
        if asked.method != "DELETE" or key not in self.webhooks:
            return 404, None
        del self.webhooks[key]
        return 204, None

    def _list(self) -> Answer:
        found = [self._shown(key) for key in self.webhooks]
        return 200, found if self.is_cloud else {"results": found, "size": len(found)}

    def _make(self, wanted: dict[str, Any]) -> Answer:
        if not self.is_cloud and ONLY_CLOUD & set(wanted["events"]):
            return 400, {"message": "unknown event"}
        key = next(self.ids)
        self.webhooks[key] = wanted
        return 201, self._shown(key)

    def _shown(self, key: int) -> dict[str, Any]:
        shown = {name: self.webhooks[key][name] for name in ("name", "url", "events")}
        return {**shown, "self": f"{self.url}{self.here}/{key}"} if self.is_cloud else {**shown, "id": key}

    def deliveries(self, event: str) -> Iterator[Request]:
        """Something happens, and the webhooks that are for it are called."""
        payload = load_sample("confluence", event)
        payload = {name: self._moved(value) for name, value in payload.items()}
        for each in self.webhooks.values():
            if event not in each["events"]:
                continue
            path = path_of(each["url"], "confluence")
            if self.is_cloud:
                yield request(path, payload)
            else:
                signature = hmac_hex(each["configuration"]["secret"], raw(payload))
                yield request(path, payload, {"x-hub-signature": f"sha256={signature}"})

    def _moved(self, value: Any) -> Any:
        """An entity with its address on this site."""
        if isinstance(value, list):
            return [self._moved(each) for each in value]
        return {**value, "self": f"{self.url}/wiki/x"} if isinstance(value, dict) and "self" in value else value


@pytest.fixture(params=["cloud", "data center"])
def confluence(request: pytest.FixtureRequest) -> Iterator[Confluence]:
    service = Confluence(is_cloud=request.param == "cloud")
    with serving(service.answer) as service.url:
        yield service


def connected(service: Confluence, id: str = "con_1") -> Connection:
    email = {"Email": "ann@acme.com"} if service.is_cloud else {}
    return Connection("", "", {"BaseURL": service.url, "Token": TOKEN, **email}, id)


def told(connection: Connection) -> None:
    registration = connection.tell(FEED)
    assert registration.renew_at is None
    assert set(registration.variables) <= set(SPEC.learns)
    connection.keep(registration.variables)


def delivered(service: Confluence, event: str, *connections: Connection) -> list[tuple[str, str]]:
    """Who gets what."""
    got = []
    known = {each.id: each.variables for each in connections}
    for call in service.deliveries(event):
        secrets = [secret for each in connections for secret in each.secrets_for(WEBHOOK, call.path)]
        received = take(WEBHOOK, call, *secrets)
        for found in received.events:
            got += [(each, found.event_type) for each in recipients(WEBHOOK, call, found, received.proof, known)]
    return got


def test_what_is_told_fits_what_comes(confluence: Confluence) -> None:
    """Each event that the site has comes, once, to each connection."""
    connection, other = connected(confluence), connected(confluence, "con_2")
    told(connection)
    told(other)

    for event in ALL if confluence.is_cloud else ALL - ONLY_CLOUD:
        got = delivered(confluence, event, connection, other)
        assert got == [("con_1", event), ("con_2", event)], event


def test_one_webhook_for_each_category(confluence: Confluence) -> None:
    """With a secret of its own, and its id kept."""
    connection = connected(confluence)
    told(connection)
    there = {name for name, entities in CATEGORIES if confluence.is_cloud or name not in ("archived", "copied")}

    secrets = [connection.variables[f"WebhookSecret_{each}"] for each in there]
    assert len(set(secrets)) == len(there) == len(confluence.webhooks)
    assert {connection.variables[f"WebhookID_{each}"] for each in there} == set(map(str, confluence.webhooks))
    assert {f"WebhookSecret_{each}" for each in there} <= SPEC.secret_variables


def test_again(confluence: Confluence) -> None:
    """They are made anew, and the old ones go, also those of an attempt that failed; others' are left alone."""
    connection, other = connected(confluence), connected(confluence, "con_11")
    told(other)
    confluence.webhooks[99] = {"name": "somebody's", "url": "https://elsewhere.example.com", "events": []}
    theirs = set(confluence.webhooks)
    connection.public_url = "https://old.example.com"
    told(connection)
    connection.public_url = "https://ak.example.com"
    confluence.fails_at = 14
    with pytest.raises(ServiceError, match="problem of its own"):
        told(connection)
    told(connection)

    assert theirs <= set(confluence.webhooks)
    del confluence.webhooks[99]
    assert delivered(confluence, "page_created", connection, other) == [
        ("con_11", "page_created"),
        ("con_1", "page_created"),
    ]


def test_no_administrator(confluence: Confluence) -> None:
    """It is said who may."""
    confluence.is_admin = False

    with pytest.raises(ServiceError, match="only administrators") as failure:
        told(connected(confluence))
    assert "administrator of Confluence" in failure.value.remedy

    confluence.is_admin = True
    connection = connected(confluence)
    connection.variables["Token"] = "wrong"
    with pytest.raises(ServiceError, match="does not accept the credentials"):
        told(connection)


def test_another_secret(confluence: Confluence) -> None:
    """Whoever does not know it is refused."""
    connection = connected(confluence)
    told(connection)
    connection.variables["WebhookSecret_created"] = "another"

    with pytest.raises(Refused):
        delivered(confluence, "page_created", connection)


def test_an_answer_that_is_none(confluence: Confluence) -> None:
    """A proxy's, say."""
    confluence._shown = lambda key: {}  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="not what its API answers"):
        told(connected(confluence))


def test_why_not() -> None:
    """Apps cannot make webhooks."""
    assert FEED.why_not({"Token": TOKEN, "BaseURL": "https://acme.atlassian.net"}) == ""
    assert "API token" in FEED.why_not({"oauth_AccessToken": TOKEN})
    assert "connection init" in FEED.why_not({})
