"""Atom feeds of videos, as YouTube and its hub have them: bytes to entries.

Read by events of expat, with no tree. A document type is refused, and with it every entity that one could declare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

#: Deeper than anything that YouTube sends.
_MAX_DEPTH: Final = 20

_ATOM: Final = "http://www.w3.org/2005/Atom "
_YT: Final = "http://www.youtube.com/xml/schemas/2015 "
_TOMBSTONE: Final = "http://purl.org/atompub/tombstones/1.0 "
_VIDEO: Final = "yt:video:"

#: Where the texts are, beneath an entry.
_TEXTS: Final[Mapping[tuple[str, ...], str]] = {
    (f"{_YT}videoId",): "video_id",
    (f"{_YT}channelId",): "channel_id",
    (f"{_ATOM}title",): "title",
    (f"{_ATOM}published",): "published",
    (f"{_ATOM}updated",): "updated",
    (f"{_ATOM}author", f"{_ATOM}name"): "author",
    (f"{_TOMBSTONE}by", f"{_ATOM}name"): "author",
    (f"{_TOMBSTONE}by", f"{_ATOM}uri"): "channel_url",
}
_ENTRIES: Final = (f"{_ATOM}entry", f"{_TOMBSTONE}deleted-entry")


@dataclass(slots=True, kw_only=True)
class Video:
    """What a feed says of a video. Nothing is missing, and all may be empty."""

    is_deleted: bool
    video_id: str = ""
    channel_id: str = ""
    title: str = ""
    author: str = ""
    link: str = ""
    published: str = ""
    updated: str = ""  # of one that was deleted: when

    def data(self) -> dict[str, Any]:
        """What a handler gets."""
        return {
            "video_id": self.video_id,
            "channel_id": self.channel_id,
            "title": self.title,
            "author": self.author,
            "link": self.link,
            "published": self.published,
            "updated": self.updated,
        }


def read_videos(body: bytes) -> list[Video]:
    """The videos of a feed that have an id, in its order. Raises ValueError for what is no feed."""
    reader = _Reader()
    # In UTF-8, whatever the document says: that is how they come, and other codecs are not for strangers to choose.
    parser = ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        raise ValueError(f"no XML (line {error.lineno})") from None
    if not reader.is_feed:
        raise ValueError("no Atom feed")
    return [video for video in reader.videos if video.video_id]


def _refuse_type(*_: object) -> None:
    raise ValueError("a document type is not taken")


@dataclass(slots=True)
class _Reader:
    """What was read so far."""

    is_feed: bool = False
    videos: list[Video] = field(default_factory=list)
    _place: list[str] = field(default_factory=list)  # the elements that are open
    _texts: dict[str, list[str]] = field(default_factory=dict)  # of the entry that is open

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if not self._place:
            self.is_feed = name == f"{_ATOM}feed"
        self._place.append(name)
        if len(self._place) > _MAX_DEPTH:
            raise ValueError("nested too deep")
        if len(self._place) == 2 and name in _ENTRIES:
            self._texts = {}
            video = Video(is_deleted=name != _ENTRIES[0])
            if video.is_deleted:
                video.video_id = attributes.get("ref", "").removeprefix(_VIDEO)
                video.updated = attributes.get("when", "")
            self.videos.append(video)
        is_link = self._is_within and len(self._place) == 3 and name == f"{_ATOM}link"
        if is_link and attributes.get("rel", "alternate") == "alternate":
            self.videos[-1].link = attributes.get("href", "")

    def text(self, text: str) -> None:
        """Text of the element that is open."""
        if self._is_within and (name := _TEXTS.get(tuple(self._place[2:]))) is not None:
            self._texts.setdefault(name, []).append(text)

    def end(self, name: str) -> None:
        """An element ends."""
        if self._is_within and len(self._place) == 2:
            self._fill(self.videos[-1], {name: "".join(parts) for name, parts in self._texts.items()})
        self._place.pop()

    @property
    def _is_within(self) -> bool:
        return len(self._place) >= 2 and self._place[1] in _ENTRIES

    @staticmethod
    def _fill(video: Video, texts: dict[str, str]) -> None:
        # Of one that was deleted the channel is in an address only.
        url = texts.pop("channel_url", "")
        video.channel_id = url.rpartition("/")[2] if url else ""
        for name, text in texts.items():
            setattr(video, name, text)
