"""Sessions, from outside."""

from collections.abc import Iterator

import msgspec

from autokitteh_server.client.event_stream import read_events
from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.session_log import LogLine, LogQuery, StreamQuery
from autokitteh_server.core.api_types.sessions import Session, SessionQuery, StartSession, StopSession
from autokitteh_server.core.api_types.values import Page


class Sessions:
    """What a server does with sessions. They are named by their ids, the beginnings of them, or `last`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: SessionQuery) -> Page[Session]:
        return self._transport.get("/sessions", Page[Session], query)

    def list(self, query: SessionQuery, limit: int) -> Iterator[Session]:
        """Newest first, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, session: str) -> Session:
        return self._transport.get(path_of("/sessions/{}", session), Session)

    def start(self, wanted: StartSession) -> Session:
        return self._transport.post("/sessions", Session, wanted)

    def stop(self, session: str, *, force: bool = False) -> Session:
        return self._transport.post(path_of("/sessions/{}/stop", session), Session, StopSession(force=force))

    def restart(self, session: str) -> Session:
        return self._transport.post(path_of("/sessions/{}/restart", session), Session)

    def delete(self, session: str) -> None:
        self._transport.delete(path_of("/sessions/{}", session))

    def log_page(self, session: str, query: LogQuery) -> Page[LogLine]:
        return self._transport.get(path_of("/sessions/{}/log", session), Page[LogLine], query)

    def log(self, session: str, *, follow: bool = False, after: int = 0) -> Iterator[LogLine | Session]:
        """A session's log, and at its end the session. With `follow` also what is to come, until it is over.

        A stream that ends without the session was ended by the server, which stops.
        """
        query = StreamQuery(after=after, follow=follow)
        with self._transport.stream(path_of("/sessions/{}/log/stream", session), query) as lines:
            for event in read_events(lines):
                if event.kind == "end":
                    yield msgspec.json.decode(event.data, type=Session)
                else:
                    yield msgspec.json.decode(event.data, type=LogLine)
