"""A stand-in for YouTube: channels' feeds, and the hub that is told where to send what is new."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from autokitteh_server.integrations.webhook import Found, Request, recipients
from autokitteh_server.integrations.youtube.webhook import WEBHOOK
from deliveries import hmac_hex, request, take
from unit.integrations.feeds import Answer, Asked, Connection, path_of

TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
ATOM = "application/atom+xml"


def entry(video: str, channel: str = "UC1", *, day: int = 1, title: str = "A & B", updated: str = "") -> str:
    """A video, as both have it."""
    published = f"2025-01-{day:02}T10:00:00+00:00"
    return f"""<entry><id>yt:video:{video}</id><yt:videoId>{video}</yt:videoId><yt:channelId>{channel}</yt:channelId>
 <title>{escape(title)}</title><link rel="alternate" href="https://www.youtube.com/watch?v={video}"/>
 <author><name>Ada</name><uri>https://www.youtube.com/channel/{channel}</uri></author>
 <published>{published}</published><updated>{updated or published}</updated>
 <media:group xmlns:media="http://search.yahoo.com/mrss/"><media:title>not this</media:title></media:group></entry>"""


def gone(video: str, channel: str = "UC1", when: str = "2025-01-09T10:00:00+00:00") -> str:
    """A video that was deleted."""
    return f"""<at:deleted-entry ref={quoteattr(f"yt:video:{video}")} when="{when}">
 <link href="https://www.youtube.com/watch?v={video}"/>
 <at:by><name>Ada</name><uri>https://www.youtube.com/channel/{channel}</uri></at:by></at:deleted-entry>"""


def feed(*entries: str) -> bytes:
    """A document with these entries."""
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:yt="http://www.youtube.com/xml/schemas/2015"
 xmlns:at="http://purl.org/atompub/tombstones/1.0"><link rel="hub" href="https://pubsubhubbub.appspot.com"/>
<title>YouTube video feed</title><updated>2025-01-01T00:00:00+00:00</updated>{"".join(entries)}</feed>""".encode()


@dataclass
class YouTube:
    """Its channels, and who wants to be told of them."""

    videos: dict[str, list[str]] = field(default_factory=lambda: {"UC1": [], "UC2": []})  # entries, the newest first
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # by topic
    asked: list[Asked] = field(default_factory=list)

    def publish(self, video: str, channel: str = "UC1", *, day: int = 1) -> None:
        """A channel has a new video."""
        self.videos[channel].insert(0, entry(video, channel, day=day))

    def answer(self, asked: Asked) -> Answer:
        """As YouTube and the hub do."""
        self.asked.append(asked)
        if (asked.method, asked.path) == ("POST", "/subscribe"):
            self.told[asked.json["hub.topic"]] = asked.json
            return 202, None
        channel = asked.query.get("channel_id", "")
        if asked.path != "/feeds/videos.xml" or channel not in self.videos:
            return 404, b"<html>not found</html>"
        return 200, feed(*self.videos[channel])

    def ask_back(self, about: str, **changes: str) -> Request:
        """The hub's question whether it was asked to send a topic."""
        told = self.told[about]
        query = {
            "hub.mode": "subscribe",
            "hub.topic": about,
            "hub.challenge": "4711",
            "hub.lease_seconds": told["hub.lease_seconds"],
            "hub.verify_token": told["hub.verify_token"],
        }
        asked = urlencode(query | {f"hub.{name}": value for name, value in changes.items()})
        callback = told["hub.callback"]
        return request(path_of(callback, "youtube"), method="GET", content_type="", url=f"{callback}?{asked}")

    def post(self, connection: Connection, topic: str, *entries: str) -> list[Found]:
        """Send entries, signed; what is found in them for the connection."""
        told, body = self.told[topic], feed(*entries)
        path = path_of(told["hub.callback"], "youtube")
        call = request(path, body, {"x-hub-signature": signature(told["hub.secret"], body)}, content_type=ATOM)
        received = take(WEBHOOK, call, *connection.secrets_for(WEBHOOK, path))
        known = {connection.id: connection.variables, "con_other": {}}
        assert all(
            recipients(WEBHOOK, call, each, received.proof, known) == (connection.id,) for each in received.events
        )
        return list(received.events)


def signature(secret: str, body: bytes) -> str:
    """As the hub signs."""
    return "sha1=" + hmac_hex(secret, body, "sha1")
