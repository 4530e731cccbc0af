"""Who waits for the outcome of an event: outcomes are pushed from the threads of turns into the event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autokitteh_server.core.states import SessionState


@dataclass(frozen=True, slots=True)
class Reply:
    """A session has given an outcome."""

    arguments: dict[str, Any]  # of its request


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """A session that the event had started or reached is over."""

    session_id: str
    state: SessionState


#: What happens to an event, in order.
News = asyncio.Queue[Reply | SessionEnd]


class Replies:
    """An `engine.surroundings.Outcomes` whose news are read in event loops. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, News]] = {}

    @contextmanager
    def collecting(self, event_id: str) -> Iterator[News]:
        """Collect what becomes of an event, from before it is dispatched. Called in an event loop."""
        news: News = asyncio.Queue()
        with self._lock:
            self._waiting[event_id] = asyncio.get_running_loop(), news
        try:
            yield news
        finally:
            with self._lock:
                del self._waiting[event_id]

    def replied(self, event_id: str, reply: dict[str, Any]) -> None:
        self._tell(event_id, Reply(reply))

    def session_ended(self, event_id: str, session_id: str, state: SessionState) -> None:
        self._tell(event_id, SessionEnd(session_id, state))

    def _tell(self, event_id: str, news: Reply | SessionEnd) -> None:
        with self._lock:
            found = self._waiting.get(event_id)
        if found is None:
            return
        loop, queue = found
        try:
            loop.call_soon_threadsafe(queue.put_nowait, news)
        except RuntimeError:  # the loop is closed: the server stops, and the sender is gone
            pass
