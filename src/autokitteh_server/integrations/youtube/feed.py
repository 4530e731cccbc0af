"""New videos of channels: YouTube's hub is told where to send them, or else the channels' public feeds are asked.

Neither needs the credentials of the connection.
"""

import json
from collections.abc import Mapping
from typing import Final

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.timestamps import parse_time
from autokitteh_server.integrations.asking import not_its_api, verify_answer
from autokitteh_server.integrations.feed import Feed, Line, News, Registration, missing_secrets
from autokitteh_server.integrations.matching import CONNECTION_ID, match_of
from autokitteh_server.integrations.webhook import Found
from autokitteh_server.integrations.youtube.atom import Video, read_videos
from autokitteh_server.integrations.youtube.webhook import SECRET, proof_of, video_event

CHANNELS: Final = "ChannelIDs"
PLACE: Final = "PublishedUntil"  # the moment of the newest video known, by channel: JSON

_HUB: Final = "https://pubsubhubbub.appspot.com/subscribe"
_TOPIC: Final = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
_FEED: Final = "https://www.youtube.com/feeds/videos.xml"
_LEASE_S: Final = 5 * 24 * 3600


def register(line: Line) -> Registration:
    """Tell the hub for each channel, half a lease before it would forget. It asks back at once."""
    secret = line.variables[SECRET]
    for channel in channels_of(line.variables):
        topic = _TOPIC + channel
        form = {
            "hub.mode": "subscribe",
            "hub.callback": f"{line.public_url}/youtube/webhook/{line.connection_id}",
            "hub.topic": topic,
            "hub.verify": "async",
            "hub.verify_token": proof_of(secret, topic),
            "hub.secret": secret,
            "hub.lease_seconds": str(_LEASE_S),
        }
        verify_answer(line.http("POST", _HUB, form=form))
    return Registration(variables={PLACE: ""}, renew_at=line.now + _LEASE_S // 2 * 1_000_000)


def poll(line: Line, polled_at: int) -> News:
    """What was published since the last one, the oldest first. Of a channel that is new, only where it stands."""
    known = _places(line)
    places: dict[str, int] = {}
    events: list[Found] = []
    match = match_of(**{CONNECTION_ID: line.connection_id})
    for channel in channels_of(line.variables):
        moments = [(_published(video), video) for video in _videos(line, channel)]
        until = known.get(channel)
        places[channel] = max([until or 0, *(moment for moment, _ in moments)])
        if until is not None:
            new = sorted((each for each in moments if each[0] > until), key=lambda each: each[0])
            events += [video_event(video, match) for _, video in new]
    return News(events=tuple(events), variables={PLACE: json.dumps(places)})


def channels_of(variables: Mapping[str, str]) -> list[str]:
    """The channels that are wanted, each once."""
    return [*dict.fromkeys(filter(None, (each.strip() for each in variables.get(CHANNELS, "").split(","))))]


def why_not(variables: Mapping[str, str]) -> str:
    """There are too many channels to want them all."""
    return "" if channels_of(variables) else "it does not say of which channels: set the field channel_ids"


def _videos(line: Line, channel: str) -> list[Video]:
    answer = line.http("GET", _FEED, params={"channel_id": channel}, headers={"accept": "application/atom+xml"})
    verify_answer(answer)
    try:
        return [each for each in read_videos(answer.body) if not each.is_deleted]
    except ValueError:
        raise not_its_api() from None


def _published(video: Video) -> int:
    try:
        return parse_time(video.published)
    except InvalidArgument:
        raise not_its_api() from None


def _places(line: Line) -> dict[str, int]:
    try:
        found = json.loads(line.variables.get(PLACE, "") or "{}")
    except ValueError:
        found = {}
    return (
        {name: moment for name, moment in found.items() if isinstance(moment, int)} if isinstance(found, dict) else {}
    )


FEED = Feed(
    prepare=lambda line: missing_secrets(line, SECRET),
    register=register,
    poll=poll,
    keeps=(PLACE,),
    poll_every_s=300.0,
    why_not=why_not,
)
