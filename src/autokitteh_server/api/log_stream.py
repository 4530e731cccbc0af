"""A session's log as server-sent events: what there is, and then each entry when it becomes durable."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from anyio import to_thread

from autokitteh_server.api.event_stream import HEARTBEAT, message
from autokitteh_server.api.log_hub import LogHub
from autokitteh_server.core.api_types.sessions import Session
from autokitteh_server.core.errors import NotFound
from autokitteh_server.operations.session_log import LogEntry, line_of
from autokitteh_server.operations.session_tail import Portion, SessionTail

_HEARTBEAT_S = 15.0

#: After news, the time in which further news are waited for: a busy session would have its journal read at each commit.
_PACE_S = 0.01


async def follow_log(hub: LogHub, tail: SessionTail, session_id: str, after_seq: int) -> AsyncIterator[str]:
    """Events for what comes after a place in the log, and `end` with the session when that is over.

    Each event's id is its place, so that a client that was cut off goes on where it was. The stream also ends, without
    `end`, when the session is deleted or the server stops.
    """
    with hub.follow(session_id) as follower:
        while not follower.is_dismissed:
            follower.has_news.clear()  # first: what comes while it is being read is another reason to read
            try:
                portion = await to_thread.run_sync(tail.read)
            except NotFound:
                return
            for text in _messages(portion, session_id, after_seq):
                yield text
            if portion.is_last:
                return
            while not await follower.wait(_HEARTBEAT_S):
                yield HEARTBEAT
            await asyncio.sleep(_PACE_S)


def whole_log(portion: Portion, after_seq: int) -> list[str]:
    """The same events for a log as it is now."""
    return _messages(portion, portion.session.id, after_seq, is_end=True)


def _messages(portion: Portion, session_id: str, after_seq: int, *, is_end: bool = False) -> list[str]:
    shown = [entry for entry in portion.entries if entry.seq > after_seq or _is_unfinished(entry)]
    messages = [_entry_message(entry, session_id) for entry in shown]
    if portion.is_last or is_end:
        messages.append(message(msgspec.json.encode(Session.of(portion.session)).decode(), event="end"))
    return messages


def _entry_message(entry: LogEntry, session_id: str) -> str:
    data = msgspec.json.encode(line_of(entry, session_id)).decode()
    return message(data, message_id=None if _is_unfinished(entry) else entry.seq)


def _is_unfinished(entry: LogEntry) -> bool:
    # Its place is where it began, which may be before what has been sent long ago.
    return entry.is_running or entry.is_interrupted
