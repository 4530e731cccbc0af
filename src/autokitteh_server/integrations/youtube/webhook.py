"""Videos as YouTube's hub sends them: https://developers.google.com/youtube/v3/guides/push_notifications.

The hub asks first whether it was really asked to send (a GET, unsigned), and then sends Atom, signed with our secret.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from autokitteh_server.integrations.keys import key_of
from autokitteh_server.integrations.matching import CONNECTION_ID, Match, match_of
from autokitteh_server.integrations.signatures import verify_hex, verify_secret
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Reply, Request, Secret, Webhook, fitting
from autokitteh_server.integrations.youtube.atom import Video, read_videos

SECRET: Final = "HubSecret"
PUBLISHED: Final = "video_published"
DELETED: Final = "video_deleted"

_ATOM: Final = "application/atom+xml"
_PATH: Final = "webhook/{connection_id}"


def proof_of(secret: str, topic: str) -> str:
    """What the hub is to say when it asks back about a topic: only who was told can know it."""
    return hmac.new(secret.encode(), topic.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """The connection's secret: the body is signed with it, and so is what the hub asks about."""
    if request.method == "GET":
        asked = _asked(request)
        topic, given = asked.get("hub.topic", ""), asked.get("hub.verify_token", "")
        return fitting(secrets, lambda secret: verify_secret(proof_of(secret, topic), given), 403)
    signature = request.require("x-hub-signature", 401)
    return fitting(
        secrets, lambda secret: verify_hex(secret, request.body, signature, prefix="sha1=", digest="sha1"), 403
    )


def answer_handshake(request: Request, proof: Sequence[Secret]) -> Reply | None:
    """Yes, we have asked for it. That something is not sent any more, or not at all, is confirmed to nobody."""
    if request.method != "GET":
        return None
    asked = _asked(request)
    if asked.get("hub.mode") != "subscribe" or not asked.get("hub.challenge"):
        raise Refused(403, "this was not asked for")
    challenge = asked["hub.challenge"].encode("utf-8", "replace")
    return Reply(body=challenge, headers={"content-type": "text/plain; charset=utf-8"})


def whose(request: Request) -> Match:
    """The connection whose address this is."""
    return match_of(**{CONNECTION_ID: WEBHOOK.names_in(request.path).get(CONNECTION_ID, "")})


def parse(request: Request) -> Parsed:
    """An event for each entry."""
    if not request.is_of(_ATOM):
        raise Refused(400, f"the content type is not {_ATOM}")
    try:
        videos = read_videos(request.body)
    except ValueError as error:
        raise Refused(400, f"the body is not what YouTube sends: {error}") from None
    return Parsed(events=tuple(video_event(video, whose(request)) for video in videos))


def video_event(video: Video, match: Match) -> Found:
    """An event: equal keys for what is the same version of the same video."""
    return Found(
        event_type=DELETED if video.is_deleted else PUBLISHED,
        data=video.data(),
        key=key_of(video.video_id, video.updated, "deleted" if video.is_deleted else "published"),
        match=(match,),
    )


def _asked(request: Request) -> Mapping[str, str]:
    """The query; of two values of a name the first one."""
    try:
        query = urlsplit(request.url).query
        pairs = parse_qsl(query, errors="replace", max_num_fields=20)
    except ValueError:
        raise Refused(400, "the address is none") from None
    return dict(reversed(pairs))


WEBHOOK = Webhook(
    paths=(_PATH,),
    verify=verify,
    parse=parse,
    whose=whose,
    secret_variables=(SECRET,),
    answer_handshake=answer_handshake,
    is_deaf=True,  # the hub goes on for some days after a connection was removed
)
