"""Jira is told where to send events: against a stand-in with an app's webhooks, and an administrator's."""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from autokitteh_server.core.timestamps import parse_time
from autokitteh_server.integrations._families.atlassian import API
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.feed import Registration
from autokitteh_server.integrations.jira.feed import FEED, register
from autokitteh_server.integrations.jira.spec import SPEC
from autokitteh_server.integrations.jira.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.webhook import Found, Refused, Request, Secret, recipients
from deliveries import NOW_S, hmac_hex, raw, request, take
from unit.integrations.feeds import Answer, Asked, Connection, path_of, serving

#: All together they take many seconds: over sockets, to stand-ins that keep state.
pytestmark = pytest.mark.slow

DAY_US = 24 * 3600 * 1_000_000
APP_SECRET = "the app's own secret"
TOKEN = "token-that-nobody-may-see"
CREATED: dict[str, Any] = load_sample("jira", "issue_created")
APP = {"oauth_AccessToken": TOKEN, "AccessID": "c-1", "AccessURL": "https://acme.atlassian.net"}


@dataclass
class Jira:
    """A site: the webhooks of an app, by id, and those of administrators."""

    now: int = int(NOW_S) * 1_000_000
    of_app: dict[int, dict[str, Any]] = field(default_factory=dict)
    of_site: dict[int, dict[str, Any]] = field(default_factory=dict)
    is_admin: bool = True
    refuses_with: int = 403
    error: str = ""  # that there is with every new webhook of an app
    calls: list[str] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(3))

    def answer(self, asked: Asked) -> Answer:
        """As Jira does."""
        self.calls.append(f"{asked.method} {asked.path.rpartition('/rest')[2]}")
        app, _, path = asked.path.partition("/rest/")
        if path.startswith("api/3/webhook"):
            if app != "/ex/jira/c-1" or asked.headers["authorization"] != f"Bearer {TOKEN}":
                return 401, {"message": "Unauthorized"}
            return self._answer_app(asked)
        if asked.headers["authorization"] not in (basic(), f"Bearer {TOKEN}"):
            return 401, {"message": "Unauthorized"}
        if not self.is_admin:
            return self.refuses_with, {"messages": [{"key": "You do not have permission"}]}
        return self._answer_site(asked)

    def _answer_app(self, asked: Asked) -> Answer:
        self.of_app = {key: each for key, each in self.of_app.items() if each["expires"] > self.now}
        ids = [each for each in (asked.json or {}).get("webhookIds", ()) if each in self.of_app]
        expires = self.now + 30 * DAY_US
        match asked.method:
            case "GET":
                values = [{"id": key, "events": each["events"]} for key, each in self.of_app.items()]
                return 200, {"values": values, "isLast": True}
            case "PUT":  # those that are unknown are passed over
                self.of_app |= {key: {**self.of_app[key], "expires": expires} for key in ids}
                return 200, {"expirationDate": expires // 1000} if ids else {}
            case "DELETE":
                self.of_app = {key: each for key, each in self.of_app.items() if key not in ids}
                return 202, None
        if self.error:
            return 200, {"webhookRegistrationResult": [{"errors": [self.error]}]}
        if any(each["url"] != asked.json["url"] for each in self.of_app.values()):
            return 400, {"errorMessages": ["Only a single URL per app is allowed"]}
        made = {next(self.ids): {**each, "url": asked.json["url"]} for each in asked.json["webhooks"]}
        self.of_app |= {key: {**each, "expires": expires} for key, each in made.items()}
        return 200, {"webhookRegistrationResult": [{"createdWebhookId": key} for key in made]}

    def _answer_site(self, asked: Asked) -> Answer:
        here = "/rest/webhooks/1.0/webhook"
        if asked.path == here and asked.method == "GET":
            return 200, [self._shown(key) for key in self.of_site]
        if asked.path == here and asked.method == "POST":
            key = next(self.ids)
            self.of_site[key] = asked.json
            return 201, self._shown(key)
        key = int(asked.path.removeprefix(f"{here}/"))
        if asked.method != "DELETE" or key not in self.of_site:
            return 404, None
        del self.of_site[key]
        return 204, None

    def _shown(self, key: int) -> dict[str, Any]:
        """Without its secret."""
        shown = {name: value for name, value in self.of_site[key].items() if name != "secret"}
        return {**shown, "self": f"https://acme.atlassian.net/rest/webhooks/1.0/webhook/{key}"}

    def deliveries(self) -> Iterator[Request]:
        """An issue was made, and each webhook is called."""
        for key, each in self.of_app.items():
            payload = {**CREATED, "matchedWebhookIds": [key]}
            yield request(path_of(each["url"], "jira"), payload, {"authorization": f"Bearer {app_token()}"})
        for each in self.of_site.values():
            signature = hmac_hex(each["secret"], raw(CREATED))
            yield request(path_of(each["url"], "jira"), CREATED, {"x-hub-signature": f"sha256={signature}"})


def basic() -> str:
    return "Basic " + base64.b64encode(f"ann@acme.com:{TOKEN}".encode()).decode()


def app_token() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    signed = part({"alg": "HS256", "typ": "JWT"}) + "." + part({"iat": NOW_S, "exp": NOW_S + 180})
    digest = hmac.new(APP_SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture
def jira() -> Iterator[tuple[Jira, str]]:
    """A site, and its address."""
    service = Jira()
    with serving(service.answer) as url:
        yield service, url


def told(connection: Connection, service: Jira) -> Registration:
    """Register, and keep what comes of it."""
    connection.now = service.now
    registration = register(connection.line())
    assert set(registration.variables) <= set(SPEC.learns)
    connection.keep(registration.variables)
    return registration


def delivered(service: Jira, *connections: Connection) -> list[tuple[str, str]]:
    """Who gets what, once an issue was made."""
    got = []
    known = {each.id: each.variables for each in connections}
    for call in service.deliveries():
        own = [secret for each in connections for secret in each.secrets_for(WEBHOOK, call.path)]
        received = take(WEBHOOK, call, Secret(value=APP_SECRET, name="JIRA_CLIENT_SECRET"), *own)
        for event in received.events:
            got += [(each, kind(event)) for each in recipients(WEBHOOK, call, event, received.proof, known)]
    return got


def kind(event: Found) -> str:
    return event.event_type


def of_app(url: str, id: str = "con_1") -> Connection:
    return Connection(url, API, dict(APP), id)


def of_site(url: str, id: str = "con_1", **more: str) -> Connection:
    return Connection("", API, {"BaseURL": url, "Token": TOKEN, **more}, id)


def test_an_app(jira: tuple[Jira, str]) -> None:
    """What Jira sends by the app's webhook is taken, and is the connection's."""
    service, url = jira
    connection, other = of_app(url), of_app(url, "con_2")
    registration = told(connection, service)

    assert delivered(service, connection, other) == [("con_1", "issue_created")]
    assert connection.variables["WebhookKey"] == "acme/3"
    assert registration.renew_at == service.now + 16 * DAY_US
    assert parse_time(connection.variables["WebhookExpiration"]) == service.now + 30 * DAY_US
    made = service.of_app[3]
    assert {f"jira:{each.name}" if "issue" in each.name else each.name for each in SPEC.events} == set(made["events"])

    told(other, service)
    assert delivered(service, connection, other) == [("con_1", "issue_created"), ("con_2", "issue_created")]


def test_an_app_again_and_again(jira: tuple[Jira, str]) -> None:
    """A webhook lives on for as long as it is renewed in time: a year later it is the same one."""
    service, url = jira
    connection = of_app(url)
    for _ in range(23):
        renew_at = told(connection, service).renew_at
        assert renew_at is not None
        service.now = renew_at

    assert list(service.of_app) == [3]
    assert service.calls.count("POST /api/3/webhook") == 1


def test_an_app_too_late(jira: tuple[Jira, str]) -> None:
    """What Jira has forgotten meanwhile is made anew."""
    service, url = jira
    connection = of_app(url)
    told(connection, service)
    service.now += 31 * DAY_US
    told(connection, service)

    assert list(service.of_app) == [4]
    assert delivered(service, connection) == [("con_1", "issue_created")]


def test_an_app_at_another_address(jira: tuple[Jira, str]) -> None:
    """The old webhook goes before the new one is made: an app has one address."""
    service, url = jira
    connection = of_app(url)
    connection.public_url = "https://old.example.com"
    told(connection, service)
    connection.public_url = "https://ak.example.com"
    told(connection, service)

    assert list(service.of_app) == [4]
    assert delivered(service, connection) == [("con_1", "issue_created")]


def test_an_app_with_too_many(jira: tuple[Jira, str]) -> None:
    """Jira says with 200 that there is none."""
    service, url = jira
    service.error = "Too many\n webhooks"

    with pytest.raises(ServiceError, match=r"makes no webhook \(Too many webhooks\)"):
        told(of_app(url), service)


@pytest.mark.parametrize("email", [{"Email": "ann@acme.com"}, {}])
def test_a_token(jira: tuple[Jira, str], email: dict[str, str]) -> None:
    """An administrator's webhook has the connection's own address, and a secret."""
    service, url = jira
    connection, other = of_site(url, **email), of_site(url, "con_2", **email)
    registration = told(connection, service)
    told(other, service)

    assert registration.renew_at is None
    assert delivered(service, connection, other) == [("con_1", "issue_created"), ("con_2", "issue_created")]
    assert connection.variables["WebhookSecret"] != other.variables["WebhookSecret"]
    assert "WebhookSecret" in SPEC.secret_variables


def test_a_token_again(jira: tuple[Jira, str]) -> None:
    """There is one webhook in the end, also if the answer was lost, or the server has moved; others are left alone."""
    service, url = jira
    service.of_site[1] = {"name": "somebody's", "url": "https://elsewhere.example.com/jira/webhook/con_9"}
    connection = of_site(url)
    connection.public_url = "https://old.example.com"
    told(connection, service)
    connection.public_url = "https://ak.example.com"
    secret = connection.variables["WebhookSecret"]
    register(connection.line())  # and nothing is stored
    told(connection, service)

    assert service.of_site.pop(1)["name"] == "somebody's"
    assert delivered(service, connection) == [("con_1", "issue_created")]
    assert connection.variables["WebhookSecret"] == secret
    assert connection.variables["WebhookID"] == "5"


@pytest.mark.parametrize("status", [401, 403])
def test_no_administrator(jira: tuple[Jira, str], status: int) -> None:
    """It is said what one has to do; when it was done, all is well."""
    service, url = jira
    service.is_admin, service.refuses_with = False, status
    connection = of_site(url)

    with pytest.raises(ServiceError, match="only administrators") as failure:
        told(connection, service)
    assert "https://ak.example.com/jira/webhook/con_1" in failure.value.remedy
    assert TOKEN not in repr(failure.value)

    connection.variables["WebhookSecret"] = "by hand"
    service.of_site[1] = {"url": "https://ak.example.com/jira/webhook/con_1", "secret": "by hand"}
    told(connection, service)
    assert delivered(service, connection) == [("con_1", "issue_created")]

    connection.public_url = "https://new.example.com"
    with pytest.raises(ServiceError, match="only administrators"):
        told(connection, service)


def test_another_secret(jira: tuple[Jira, str]) -> None:
    """Whoever does not know it is refused."""
    service, url = jira
    connection = of_site(url)
    told(connection, service)
    connection.variables["WebhookSecret"] = "another"

    with pytest.raises(Refused):
        delivered(service, connection)


def test_answers_that_are_none(jira: tuple[Jira, str]) -> None:
    """A proxy's, say: nothing is kept."""
    service, url = jira
    service._shown = lambda key: {"self": "/rest/nowhere"}  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="not what its API answers"):
        told(of_site(url), service)

    service._answer_app = lambda asked: (200, {})  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="not what its API answers"):
        told(of_app(url), service)


def test_why_not() -> None:
    """What is missing."""
    assert FEED.why_not(APP) == ""
    assert FEED.why_not({"Token": TOKEN, "BaseURL": "https://acme.atlassian.net"}) == ""
    assert "connection test" in FEED.why_not({"oauth_AccessToken": TOKEN})
    assert "connection init" in FEED.why_not({})
