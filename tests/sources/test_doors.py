"""Every service that calls, over real HTTP, at a server as `ak up` makes it: who is heard, who is refused, and how."""

import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import httpx
import pytest

from autokitteh_server.core.entities import Event
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Http
from autokitteh_server.storage import variables
from deliveries import hmac_hex
from harness import PATIENCE_S, Result
from served import Served, listening, serving
from sources.senders import ENVIRON, SENDERS, Sender, googles_keys
from unit.integrations.feeds import Answer, Asked
from unit.integrations.feeds import serving as standing_in

_numbers = count(1)


@dataclass
class Doors:
    """A server with two connections for each sender: one that relies on the server's secret, and one of its own."""

    served: Served
    client: httpx.Client
    asked: list[Asked]  # by the server, of services
    told: "queue.Queue[Asked]"  # to Slack, besides the reply
    connections: dict[str, str]
    cautious: dict[str, str]  # connections with a secret of their own

    def call(self, sender: Sender, n: int, *, age_s: float = 0.0, **options: str) -> dict[str, Any]:
        """A request with the event of this number."""
        base_url = str(self.client.base_url).rstrip("/")
        return sender.call(n, time.time() - age_s, base_url, self.connections[sender.title], **options)

    def send(self, sender: Sender, n: int, **options: Any) -> int:
        """Send the event of this number; the status."""
        return self.client.request(**self.call(sender, n, **options)).status_code

    def heard(self, sender: Sender, *, cautious: bool = False) -> list[Event]:
        """The events of a sender's connection, oldest first. Slack's three have each other's events, too."""
        source_id = (self.cautious if cautious else self.connections)[sender.title]
        events = self.served.events()
        return [each for each in events if each.source_id == source_id and each.event_type == sender.event_type]

    def results(self, sender: Sender, skip: int = 0) -> list[Result]:
        """What has become of each of them; each has started one session."""
        found = self.heard(sender)[skip:]
        assert all(len(each.session_ids) == 1 for each in found)
        return [self.served.wait(each.session_ids[0]) for each in found]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """All of them, open. Services that the server asks are a stand-in, which has Google's keys and nothing else."""
    asked: list[Asked] = []
    told: queue.Queue[Asked] = queue.Queue()

    def answer(request: Asked) -> Answer:
        asked.append(request)
        if request.path.startswith("/actions/"):
            told.put(request)
            return 200, {}
        return (200, googles_keys()) if request.path == "/oauth2/v3/certs" else (404, {})

    with standing_in(answer) as address:

        def http_for(api: str, base_url: str) -> Http:
            return ServiceHttp(now_s=lambda: int(time.time()), api=api, base_url=address)

        with (
            serving(tmp_path_factory.mktemp("doors"), environ=ENVIRON, http_for=http_for) as served,
            listening(served) as client,
        ):
            made = Doors(served, client, asked, told, {}, {})
            for index, sender in enumerate(SENDERS):
                options = {"filter": sender.filter, "event_type": sender.event_type}
                name = f"c{index}"
                made.connections[sender.title] = served.connect(
                    sender.integration, sender.variables, name=name, **options
                )
                if sender.own:
                    variables = {**sender.variables, sender.own: f"own {name}"}
                    made.cautious[sender.title] = served.connect(
                        sender.integration, variables, name=f"own_{name}", **options
                    )
            yield made


each_sender = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.title.replace(" ", "-"))


@each_sender
def test_events_reach_code(doors: Doors, sender: Sender) -> None:
    """In whatever order they come, and however often: each starts one session, with the data of the sheet."""
    before = len(doors.heard(sender))
    numbers = [next(_numbers) for _ in range(3)]
    for n in (numbers[2], numbers[0], numbers[1], numbers[0], numbers[2]):
        assert doors.send(sender, n, **{"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}) == 200

    results = doors.results(sender, before)

    assert [each.session.result["type"] for each in results] == [sender.event_type] * 3
    wanted = [sender.data(n, sender.make(n, 0.0)) for n in (numbers[2], numbers[0], numbers[1])]
    assert [told(each.session.result["data"]) for each in results] == [told(each) for each in wanted]


def told(data: dict[str, Any]) -> dict[str, Any]:
    """Data without what is empty, and without Linear's time at which it was sent."""
    return {name: value for name, value in data.items() if value and name != "webhookTimestamp"}


@each_sender
def test_a_wrong_signature(doors: Doors, sender: Sender) -> None:
    """It is refused as the sheet says, and nothing comes of it."""
    before = doors.served.events()

    assert doors.send(sender, next(_numbers), secret="wrong") == sender.wrong
    unsigned = replace(sender, sign=lambda signing: {})
    assert doors.send(unsigned, next(_numbers)) in ((200,) if sender.title == "confluence" else (400, 401, 403))

    assert doors.served.events() == before


@pytest.mark.parametrize("sender", [each for each in SENDERS if each.stale_s], ids=lambda sender: sender.title)
def test_an_old_request(doors: Doors, sender: Sender) -> None:
    """Whoever has overheard a request cannot send it again the next day."""
    before = doors.served.events()

    assert doors.send(sender, next(_numbers), age_s=sender.stale_s) == sender.stale

    assert doors.served.events() == before


@each_sender
def test_another_content_type(doors: Doors, sender: Sender) -> None:
    """It is refused, whatever its body would have been."""
    before = doors.served.events()
    for kind in ("text/plain", "", "application/xml; charset=utf-8", "multipart/form-data; boundary=x"):
        assert doors.send(replace(sender, content_type=kind), next(_numbers)) == sender.wrong_type

    assert doors.served.events() == before


@pytest.mark.parametrize("sender", [each for each in SENDERS if each.own], ids=lambda sender: sender.title)
def test_whose_secret(doors: Doors, sender: Sender) -> None:
    """A connection with a secret of its own hears what is signed with that, and nothing else; the other, the server's.

    Nor does a connection hear what is signed with another one's.
    """
    own = f"own c{SENDERS.index(sender)}"
    before = len(doors.heard(sender)), len(doors.heard(sender, cautious=True))

    assert doors.send(sender, next(_numbers)) == 200
    assert (len(doors.heard(sender)), len(doors.heard(sender, cautious=True))) == (before[0] + 1, before[1])
    assert doors.send(sender, next(_numbers), secret=own) == 200
    assert (len(doors.heard(sender)), len(doors.heard(sender, cautious=True))) == (before[0] + 1, before[1] + 1)


def test_where_nothing_is(doors: Doors) -> None:
    """Neither other paths of a service, nor those of services that do not call."""
    for path in ("/slack/events", "/slack/", "/github/webhook/a/b", "/asana/webhook/", "/jira/webhook/a/b", "/gmail/x"):
        assert doors.client.post(path).status_code == 404, path
    assert doors.client.post("/discord/event").status_code == 404


def test_a_channel_nobody_has(doors: Doors) -> None:
    """Deliveries for connections that are gone are taken and dropped: else they would come again and again."""
    before = doors.served.events()
    assert doors.client.post("/telegram/webhook/1", json={"update_id": 1, "message": {}}).status_code == 200
    assert doors.client.post("/github/webhook/gone", json={}).status_code == 200
    channel = {"x-goog-channel-id": "gone", "x-goog-channel-token": "x", "x-goog-resource-state": "exists"}
    assert doors.client.post("/googlecalendar/notif", headers=channel).status_code == 200
    assert doors.client.post("/googledrive/notif", headers=channel).status_code == 200
    assert doors.served.events() == before


@pytest.mark.parametrize("secret", [SENDERS[0].secret, "own c1"])
def test_slacks_challenge(doors: Doors, secret: str) -> None:
    """It is answered if any secret fits that we know: there need not be a connection yet."""
    body = {"type": "url_verification", "challenge": "3eZb", "token": "old"}
    challenge = replace(SENDERS[0], make=lambda n, now_s: body)

    reply = doors.client.request(**doors.call(challenge, 0, secret=secret))

    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == {"challenge": "3eZb"}
    assert doors.send(challenge, 0, secret="wrong") == 403


@pytest.mark.parametrize("is_own", [False, True])
def test_zooms_question(doors: Doors, is_own: bool) -> None:
    """Zoom asks for a digest, made with the secret that it has signed the question with."""
    (zoom,) = (each for each in SENDERS if each.title == "zoom")
    secret = f"own c{SENDERS.index(zoom)}" if is_own else zoom.secret
    body = {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "qgg8"}}
    question = replace(zoom, make=lambda n, now_s: body)

    reply = doors.client.request(**doors.call(question, 0, secret=secret))

    assert reply.json() == {"plainToken": "qgg8", "encryptedToken": hmac_hex(secret, b"qgg8")}
    assert doors.send(question, 0, secret="wrong") == 401


def test_slack_hears_at_once(doors: Doors) -> None:
    """A command is echoed to whoever gave it; a button that was clicked is taken away, by a message to Slack."""
    command, interaction = SENDERS[1], SENDERS[2]

    reply = doors.client.request(**doors.call(command, n := next(_numbers)))
    assert reply.json() == {"response_type": "ephemeral", "text": f"/ak do {n}"}

    assert doors.send(interaction, next(_numbers)) == 200
    assert doors.told.get(timeout=PATIENCE_S).json["replace_original"] is True


def test_twilio_hears_twiml(doors: Doors) -> None:
    """Without it, Twilio reports an error."""
    (twilio,) = (each for each in SENDERS if each.title == "twilio")

    reply = doors.client.request(**doors.call(twilio, next(_numbers)))

    assert (reply.headers["content-type"], reply.content) == ("text/xml", b"<Response/>")


def test_a_hundred_at_a_time(doors: Doors) -> None:
    """Each item of HubSpot's is an event; a batch that is sent again is none."""
    (hubspot,) = (each for each in SENDERS if each.title == "hubspot")
    numbers = [next(_numbers) for _ in range(100)]
    batch = replace(hubspot, make=lambda n, now_s: [hubspot.make(each, now_s)[0] for each in numbers])
    before = len(doors.heard(hubspot))

    assert doors.send(batch, 0) == doors.send(batch, 0) == 200

    results = doors.results(hubspot, before)
    assert [each.session.result["data"]["eventId"] for each in results] == numbers
    more = replace(hubspot, make=lambda n, now_s: [hubspot.make(each, now_s)[0] for each in range(101)])
    assert doors.send(more, 0) == 400


def test_googles_keys_are_asked_for_once(doors: Doors) -> None:
    """And not by whoever sends something that is signed with a key that nobody has."""
    (gmail,) = (each for each in SENDERS if each.title == "gmail")
    for secret in ("k1", "k2", "k1", "k3"):
        assert doors.send(gmail, next(_numbers), secret=secret) == (200 if secret == "k1" else 401)

    assert [each.path for each in doors.asked].count("/oauth2/v3/certs") == 1


def greeting(service: str) -> dict[str, Any]:
    """The first request of Asana or Notion."""
    if service == "asana":
        return {"headers": {"x-hook-secret": "told"}}
    return {"json": {"verification_token": "told"}}


@pytest.mark.parametrize(("service", "variable"), [("asana", "WebhookSecret"), ("notion", "verification_token")])
def test_secrets_that_services_make(doors: Doors, service: str, variable: str) -> None:
    """They are kept, secretly, the first time; whoever comes second is refused, and events are held to the first."""
    (sender,) = (each for each in SENDERS if each.title == service)
    connection_id = doors.served.connect(service, {}, name=f"new_{service}", event_type=sender.event_type)
    path = f"/{service}/webhook/{connection_id}"
    doors.connections["new"] = connection_id
    new = replace(sender, title="new", secret="told")
    assert doors.send(new, next(_numbers)) == 401

    reply = doors.client.post(path, **greeting(service))

    assert reply.status_code == 200
    assert reply.headers.get("x-hook-secret", "told") == "told"
    stored = doors.served.database.read(lambda conn: variables.find(conn, connection_id, variable))
    assert stored is not None and stored.is_secret
    assert "told" not in stored.value
    assert doors.client.post(path, **greeting(service)).status_code == 403
    assert doors.client.post(f"/{service}/webhook/con_gone", **greeting(service)).status_code == 404
    assert doors.send(new, next(_numbers)) == 200
    assert doors.send(new, next(_numbers), secret="other") == 401
    assert len(doors.results(new)) == 1


def test_two_secrets_at_once(doors: Doors) -> None:
    """Of many that greet a connection at the same moment one is believed, and its secret is the one that counts."""
    (asana,) = (each for each in SENDERS if each.title == "asana")
    doors.connections["raced"] = doors.served.connect("asana", {}, name="raced", event_type=asana.event_type)
    path = f"/asana/webhook/{doors.connections['raced']}"
    secrets = [f"told {n}" for n in range(20)]
    with ThreadPoolExecutor(len(secrets)) as threads:
        replies = threads.map(lambda secret: doors.client.post(path, headers={"x-hook-secret": secret}), secrets)
        statuses = {secret: reply.status_code for secret, reply in zip(secrets, replies, strict=True)}

    (believed,) = (secret for secret, status in statuses.items() if status == 200)
    assert set(statuses.values()) == {200, 403}
    raced = replace(asana, title="raced")
    assert doors.send(raced, next(_numbers), secret=believed) == 200
    assert all(doors.send(raced, next(_numbers), secret=each) == 401 for each in secrets if each != believed)
