"""How each service sends its events, as a table: what it signs with, what it is refused with, and what code gets."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from autokitteh_server.integrations.jwt import sign_rs256
from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.youtube.atom import read_videos
from deliveries import FORM, JSON, hmac_hex, versioned
from unit.integrations.youtube_service import ATOM, entry, feed, signature

#: What services sign with where no connection has a secret of its own: in the server's environment.
SERVER_SECRET = "the server's"
AUDIENCE = "https://ak.example.com/pushed"
PUSHER = "pusher@acme.iam.gserviceaccount.com"
ENVIRON = {
    "SLACK_SIGNING_SECRET": SERVER_SECRET,
    "GITHUB_WEBHOOK_SECRET": SERVER_SECRET,
    "JIRA_CLIENT_SECRET": SERVER_SECRET,
    "HUBSPOT_CLIENT_SECRET": SERVER_SECRET,
    "LINEAR_WEBHOOK_SECRET": SERVER_SECRET,
    "ZOOM_SECRET_TOKEN": SERVER_SECRET,
    "GOOGLE_PUBSUB_EMAIL": PUSHER,
    "GOOGLE_PUBSUB_AUDIENCE": AUDIENCE,
}

GOOGLES_KEY = rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What a signature may be made of."""

    secret: str
    body: bytes
    now_s: float
    url: str


@dataclass(frozen=True, kw_only=True)
class Sender:
    """How a service sends, to one of its doors. Its events are counted; a repeat has the same number."""

    title: str
    integration: str
    path: str  # {con}: the connection's id
    variables: Mapping[str, str]  # of the connection
    filter: str  # which its events pass
    event_type: str
    make: Callable[[int, float], Any]  # what is sent, by its number and the time: bytes, or a JSON value
    data: Callable[[int, Any], Any]  # what code gets, but for what is empty, of the number and what is sent
    sign: Callable[[Signing], Mapping[str, str]]
    headers: Callable[[int], Mapping[str, str]] = field(default=lambda n: {})
    secret: str = SERVER_SECRET
    own: str = ""  # the variable for a connection's own secret, if the server may have one in its place
    content_type: str = JSON
    wrong: int = 401  # the status for a wrong signature
    stale_s: float | None = None  # after so long it is too old
    stale: int = 0  # the status for that
    wrong_type: int | None = 400  # the status for another content type

    def call(
        self, n: int, now_s: float, base_url: str, connection_id: str, *, secret: str | None = None, **headers: str
    ) -> dict[str, Any]:
        """The arguments of a request of httpx."""
        made = self.make(n, now_s)
        body = made if isinstance(made, bytes) else json.dumps(made).encode()
        path = f"/{self.integration}/{self.path.format(con=connection_id)}"
        signing = Signing(secret=self.secret if secret is None else secret, body=body, now_s=now_s, url=base_url + path)
        known = {"content-type": self.content_type, **self.headers(n), **self.sign(signing), **headers}
        return {"method": "POST", "url": path, "content": body, "headers": known}


def _as_sent(n: int, sent: Any) -> Any:
    return sent


def _slack(signing: Signing) -> dict[str, str]:
    return {
        "x-slack-request-timestamp": str(int(signing.now_s)),
        "x-slack-signature": versioned(signing.secret, signing.body, int(signing.now_s)),
    }


def _slack_event(n: int, now_s: float) -> Any:
    message = {"type": "message", "user": "U07", "text": f"hi {n}", "team": "T01", "channel": "C05", "ts": "1.2"}
    grants = [{"team_id": "T01", "user_id": "U0BOT"}]
    known = {"team_id": "T01", "api_app_id": "A01", "type": "event_callback", "event_id": f"Ev{n}"}
    return {**known, "event": message, "authorizations": grants}


def _slack_command(n: int, now_s: float) -> bytes:
    return urlencode({**load_sample("slack", "slash_command"), "text": f"do {n}", "trigger_id": f"1.{n}"}).encode()


def _slack_interaction(n: int, now_s: float) -> bytes:
    sent = {**load_sample("slack", "interaction"), "trigger_id": f"2.{n}"}
    return urlencode({"payload": json.dumps(sent)}).encode()


def _github(signing: Signing) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac_hex(signing.secret, signing.body)}


def _github_headers(n: int) -> dict[str, str]:
    return {"x-github-event": "issue_comment", "x-github-delivery": f"delivery-{n}"}


def _github_app_headers(n: int) -> dict[str, str]:
    return {**_github_headers(n), "x-github-hook-installation-target-id": "55"}


def _github_event(n: int, now_s: float) -> Any:
    sample = {name: value for name, value in load_sample("github", "issue_comment").items() if name != "slash_commands"}
    return {**sample, "comment": {**sample["comment"], "body": f"hello {n}"}, "installation": {"id": 7}}


def part(value: object) -> str:
    """A part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _jira_token(signing: Signing) -> dict[str, str]:
    signed = f"{part({'alg': 'HS256'})}.{part({'iat': signing.now_s, 'exp': signing.now_s + 180})}"
    digest = hmac.new(signing.secret.encode(), signed.encode(), hashlib.sha256).digest()
    return {"authorization": f"Bearer {signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"}


def _hub(signing: Signing) -> dict[str, str]:
    return {"x-hub-signature": "sha256=" + hmac_hex(signing.secret, signing.body)}


def _jira_headers(n: int) -> dict[str, str]:
    return {"x-atlassian-webhook-identifier": f"delivery-{n}"}


def _jira_event(n: int, now_s: float) -> Any:
    return {**load_sample("jira", "issue_created"), "timestamp": n}


def _confluence_event(n: int, now_s: float) -> Any:
    return {**load_sample("confluence", "page_created"), "timestamp": n}


def _hubspot(signing: Signing) -> dict[str, str]:
    timestamp = str(int(signing.now_s * 1000))
    signed = b"POST" + signing.url.encode() + signing.body + timestamp.encode()
    digest = hmac.new(signing.secret.encode(), signed, hashlib.sha256).digest()
    return {
        "x-hubspot-signature-v3": base64.b64encode(digest).decode(),
        "x-hubspot-request-timestamp": timestamp,
    }


def _hubspot_event(n: int, now_s: float) -> Any:
    return [{**load_sample("hubspot", "contact.propertyChange"), "eventId": n}]


def _linear_event(n: int, now_s: float) -> Any:
    return {**load_sample("linear", "issue"), "webhookTimestamp": int(now_s * 1000)}


def _linear(signing: Signing) -> dict[str, str]:
    return {"linear-signature": hmac_hex(signing.secret, signing.body)}


def _linear_headers(n: int) -> dict[str, str]:
    return {"linear-event": "Issue", "linear-delivery": f"delivery-{n}"}


def _zoom(signing: Signing) -> dict[str, str]:
    return {
        "x-zm-request-timestamp": str(int(signing.now_s)),
        "x-zm-signature": versioned(signing.secret, signing.body, int(signing.now_s)),
    }


def _zoom_event(n: int, now_s: float) -> Any:
    return {**load_sample("zoom", "meeting.started"), "event_ts": n}


def _twilio_event(n: int, now_s: float) -> bytes:
    fields = {"MessageSid": f"SM{n}", "AccountSid": "AC01", "From": "whatsapp:+1", "Body": f"apple {n}"}
    return urlencode(fields, quote_via=quote).encode()


def _twilio_data(n: int, sent: Any) -> Any:
    return {"message_sid": f"SM{n}", "account_sid": "AC01", "from": "whatsapp:+1", "body": f"apple {n}"}


def _twilio(signing: Signing) -> dict[str, str]:
    fields = dict(each.split("=") for each in signing.body.decode().split("&"))
    text = signing.url + "".join(
        name + value.replace("%20", " ").replace("%3A", ":").replace("%2B", "+")
        for name, value in sorted(fields.items())
    )
    digest = hmac.new(signing.secret.encode(), text.encode(), hashlib.sha1).digest()
    return {"x-twilio-signature": base64.b64encode(digest).decode()}


def _telegram_event(n: int, now_s: float) -> Any:
    return {**load_sample("telegram", "message"), "update_id": n}


def _telegram(signing: Signing) -> dict[str, str]:
    return {"x-telegram-bot-api-secret-token": signing.secret}


def push(n: int, data: object, **attributes: str) -> Any:
    """What Google's Pub/Sub pushes."""
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    message = {"data": encoded, "messageId": f"m-{n}", "publishTime": "2025-01-01T10:00:00.1Z"}
    return {"message": {**message, "attributes": attributes}, "subscription": "projects/acme/subscriptions/x"}


def pushed(signing: Signing) -> dict[str, str]:
    """The token that Pub/Sub sends along; the secret is the id of the key that it is signed with."""
    claims = {
        "iss": "https://accounts.google.com", "aud": AUDIENCE, "email": PUSHER, "email_verified": True,
        "iat": signing.now_s, "exp": signing.now_s + 60,
    }  # fmt: skip
    pem = GOOGLES_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"authorization": f"Bearer {sign_rs256(claims, pem, key_id=signing.secret)}"}


def googles_keys() -> dict[str, Any]:
    """What Google answers where its keys are."""
    numbers = GOOGLES_KEY.public_key().public_numbers()
    n, e = (
        base64.urlsafe_b64encode(each.to_bytes((each.bit_length() + 7) // 8, "big")).decode()
        for each in (numbers.n, numbers.e)
    )
    return {"keys": [{"kty": "RSA", "alg": "RS256", "kid": "k1", "n": n, "e": e}]}


def _gmail_event(n: int, now_s: float) -> Any:
    return push(n, {"emailAddress": "ops@acme.com", "historyId": n})


def _gmail_data(n: int, sent: Any) -> Any:
    return {"publish_time": "2025-01-01T10:00:00.1Z", "email_address": "ops@acme.com", "history_id": n}


def _asana_event(n: int, now_s: float) -> Any:
    return {"events": [{**load_sample("asana", "task_changed"), "number": n}]}


def _asana(signing: Signing) -> dict[str, str]:
    return {"x-hook-signature": hmac_hex(signing.secret, signing.body)}


def _notion_event(n: int, now_s: float) -> Any:
    return {**load_sample("notion", "page.content_updated"), "id": f"event-{n}"}


def _notion(signing: Signing) -> dict[str, str]:
    return {"x-notion-signature": "sha256=" + hmac_hex(signing.secret, signing.body)}


_MATCHING_SLACK = {"app_id": "A01", "team_id": "T01", "user_id": "U0BOT"}

_SLACK = Sender(
    title="slack event", integration="slack", path="event", variables=_MATCHING_SLACK,
    filter="data.thread_ts == '' && data.bot_id == ''", event_type="message",
    make=_slack_event, data=lambda n, sent: sent["event"], sign=_slack, own="private_signing_secret",
    wrong=403, stale_s=301, stale=403,
)  # fmt: skip

_GITHUB = Sender(
    title="github app", integration="github", path="webhook",
    variables={"app_id": "55", "install_id": "7", "install_key__55__7": "acme"},
    filter="data.comment.body.startsWith('hello') && data.action in ['created', 'edited']",
    event_type="issue_comment", make=_github_event, data=lambda n, sent: {**sent, "slash_commands": []},
    sign=_github, headers=_github_app_headers, own="webhook_secret", wrong=403,
)  # fmt: skip

_JIRA = Sender(
    title="jira app", integration="jira", path="webhook", variables={"WebhookKey": "acme/3"},
    filter="data.issue.fields.project.key == 'OPS'", event_type="issue_created", make=_jira_event, data=_as_sent,
    sign=_jira_token, headers=_jira_headers, own="WebhookSecret", stale_s=481, stale=401,
)  # fmt: skip


def _youtube_event(n: int, now_s: float) -> bytes:
    return feed(entry(f"video{n}"))


def _youtube_data(n: int, sent: Any) -> Any:
    return read_videos(sent)[0].data()


def _youtube(signing: Signing) -> dict[str, str]:
    return {"x-hub-signature": signature(signing.secret, signing.body)}


SENDERS = (
    _SLACK,
    replace(
        _SLACK, title="slack command", path="command", content_type=FORM, event_type="slash_command",
        filter="data.text.startsWith('do')", make=_slack_command,
        data=lambda n, sent: {**load_sample("slack", "slash_command"), "text": f"do {n}", "trigger_id": f"1.{n}"},
    ),
    replace(
        _SLACK, title="slack interaction", path="interaction", content_type=FORM, event_type="interaction",
        filter="event_type == 'interaction' && data.user.id == 'U07'", make=_slack_interaction,
        data=lambda n, sent: {**load_sample("slack", "interaction"), "trigger_id": f"2.{n}"},
    ),
    _GITHUB,
    replace(
        _GITHUB, title="github token", path="webhook/k1", headers=_github_headers, secret="p", own="", wrong=400,
        variables={"pat": "x", "pat_key": "k1", "pat_secret": "p"},
    ),
    _JIRA,
    replace(
        _JIRA, title="jira administrator", path="webhook/{con}", variables={"WebhookSecret": "j"}, secret="j", own="",
        sign=_hub, stale_s=None,
    ),
    Sender(
        title="confluence", integration="confluence", path="webhook/created",
        variables={"BaseURL": "https://acme.atlassian.net", "WebhookSecret_created": "c"}, secret="c",
        filter="data.page.spaceKey == 'OPS'", event_type="page_created", make=_confluence_event, data=_as_sent,
        sign=_hub,
    ),
    Sender(
        title="hubspot", integration="hubspot", path="webhook", variables={"portal_id": "1234567"},
        filter="data.propertyName == 'email'", event_type="contact.propertyChange", make=_hubspot_event,
        data=lambda n, sent: sent[0], sign=_hubspot, own="private_client_secret", stale_s=301, stale=401,
    ),
    Sender(
        title="linear", integration="linear", path="event", variables={"org_id": "o-1"},
        filter="data.action == 'update' && data.data.state.type == 'completed'", event_type="issue",
        make=_linear_event, data=_as_sent, sign=_linear, headers=_linear_headers, own="private_webhook_secret",
        stale_s=62, stale=400,
    ),
    Sender(
        title="zoom", integration="zoom", path="event", variables={"account_id": "ac1"},
        filter="data.payload.object.topic == 'Standup'", event_type="meeting.started", make=_zoom_event,
        data=_as_sent, sign=_zoom, own="private_secret_token", stale_s=301, stale=401,
    ),
    Sender(
        title="twilio", integration="twilio", path="message", variables={"AccountSID": "AC01", "Password": "t"},
        secret="t", filter="data.body.startsWith('apple')", event_type="message", make=_twilio_event,
        data=_twilio_data, sign=_twilio, content_type=FORM, wrong=403, wrong_type=403,
    ),
    Sender(
        title="telegram", integration="telegram", path="webhook/7000",
        variables={"BotToken": "7000:x", "BotID": "7000", "SecretToken": "g"}, secret="g",
        filter="data.message.text.startsWith('/detect')", event_type="message", make=_telegram_event, data=_as_sent,
        sign=_telegram,
    ),
    Sender(
        title="gmail", integration="gmail", path="notif", variables={"user_email": "ops@acme.com"}, secret="k1",
        filter="data.history_id > 0", event_type="mailbox_change", make=_gmail_event, data=_gmail_data, sign=pushed,
        stale_s=361, stale=401,
    ),
    Sender(
        title="asana", integration="asana", path="webhook/{con}", variables={"WebhookSecret": "a"}, secret="a",
        filter="data.change.field == 'due_on'", event_type="task_changed", make=_asana_event,
        data=lambda n, sent: sent["events"][0], sign=_asana,
    ),
    Sender(
        title="notion", integration="notion", path="webhook/{con}", variables={"verification_token": "n"}, secret="n",
        filter="data.entity.type == 'page'", event_type="page.content_updated", make=_notion_event, data=_as_sent,
        sign=_notion,
    ),
    Sender(
        title="youtube", integration="youtube", path="webhook/{con}", variables={"HubSecret": "y"}, secret="y",
        filter="data.author == 'Ada'", event_type="video_published", make=_youtube_event, data=_youtube_data,
        sign=_youtube, content_type=ATOM, wrong=403,
    ),
)  # fmt: skip
