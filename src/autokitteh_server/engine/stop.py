"""Stopping a session that has no turn at the moment."""

from autokitteh_server.core.entities import Session
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.journal import Record
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.endings import Then, end_session, tell_of_end
from autokitteh_server.engine.surroundings import Surroundings
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.connection import Connection


def stop_idle(around: Surroundings, session_id: str) -> None:
    """Stop a session whoever owns it: its owner is fenced off. One that is over or gone stays as it is."""
    now = around.clock.now_us()

    def stop(conn: Connection) -> tuple[Session, Then] | None:
        session = sessions.get(conn, session_id)
        if not sessions.stop(conn, session_id, "stopped", now=now):
            return None
        record = Record(kind="state", phase="done", name="STOPPED", result="stopped", started_at=now, finished_at=now)
        journal.insert(conn, session_id, [record])
        return session, end_session(around, conn, session, SessionState.STOPPED, None, "stopped", now=now)

    try:
        stopped = around.database.write(stop)
    except NotFound:
        return
    around.pool.drop(session_id)
    around.listener.journal_grew(session_id)
    if stopped is not None:
        session, then = stopped
        tell_of_end(around, session, SessionState.STOPPED, then)
