"""Wakes those who follow a session's log when it has grown."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class LogHub:
    """An engine's listener. Followers wait in an event loop; news come from the threads of turns."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Follower]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_closed = False

    def journal_grew(self, session_id: str) -> None:
        """Called for each commit of each session: without followers it is one look into a dict."""
        if session_id in self._followers:
            self._call(lambda: self._wake(session_id))

    def close(self) -> None:
        """Have all followers end. Any thread, and a signal's handler."""
        self.is_closed = True
        self._call(self._wake_all)

    @contextmanager
    def follow(self, session_id: str) -> Iterator["Follower"]:
        """Be told of a session from now on. In the event loop, of which there is one."""
        self._loop = asyncio.get_running_loop()
        follower = Follower(self)
        self._followers.setdefault(session_id, set()).add(follower)
        try:
            yield follower
        finally:
            others = self._followers[session_id]
            others.discard(follower)
            if not others:
                del self._followers[session_id]

    def _call(self, wake: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(wake)
            except RuntimeError:  # the loop has been closed, and its followers are gone
                pass

    def _wake(self, session_id: str) -> None:
        for follower in self._followers.get(session_id, ()):
            follower.has_news.set()

    def _wake_all(self) -> None:
        for session_id in self._followers:
            self._wake(session_id)


class Follower:
    """Waits for news of a session."""

    def __init__(self, hub: LogHub) -> None:
        self._hub = hub
        self.has_news = asyncio.Event()

    @property
    def is_dismissed(self) -> bool:
        """Whether the server wants followers to end."""
        return self._hub.is_closed

    async def wait(self, patience_s: float) -> bool:
        """Wait for news; whether there are some."""
        try:
            await asyncio.wait_for(self.has_news.wait(), patience_s)
        except TimeoutError:
            return False
        return True
