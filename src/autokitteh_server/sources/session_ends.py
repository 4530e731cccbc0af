"""Ends of this server's own sessions: each event is stored in the transaction that ends the session.

So there is one, whenever the server dies; and there is none if the end is not durable.
"""

from collections.abc import Callable
from dataclasses import dataclass

from autokitteh_server.core.entities import Session
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.states import SessionState
from autokitteh_server.dispatch.dispatch import dispatch_in
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.integrations.autokitteh.ends import NAME, TYPES, data_of
from autokitteh_server.storage import connections, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.values import storable_text


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """Makes events of them, for connections of their own projects. Threads may share it.

    What such an event starts makes none when it ends, and nor does whatever that starts: a handler of errors that fails
    would be called for ever. A subscription does not get the ends of what its own session starts, for the same reason.
    """

    new_id: Callable[[], IdSource]
    intake: Callable[[], Intake]

    def dispatch(
        self, conn: Connection, session: Session, state: SessionState, error: str | None, *, now: int
    ) -> Callable[[], None]:
        """See `SessionEvents`."""
        event_type = TYPES.get(state)
        if event_type is None:
            return _nothing
        # For most projects this is all there is to it.
        awaited = connections.awaited_in(conn, session.project_id, NAME)
        if not awaited:
            return _nothing
        line = sessions.line_of(conn, session.id)
        if any(each.integration == NAME for each in line):
            return _nothing
        new_id = self.new_id()
        stored = None if error is None else storable_text(error)
        data = data_of(session, state, stored, trigger=line[0].trigger_name)
        batch = [
            Incoming(
                event_id=new_id("evt"),
                source_id=connection_id,
                event_type=event_type,
                data=data,
                received_at=now,
                unheard_by=frozenset(each.id for each in line[1:]),
                kind="connection",
            )
            for connection_id in awaited
        ]
        results = dispatch_in(conn, new_id, batch)
        return lambda: self._tell(results)

    def _tell(self, results: list[Dispatched]) -> None:
        intake = self.intake()
        intake.announce(results)
        for result in results:
            intake.count("connection", result)


def _nothing() -> None:
    pass
