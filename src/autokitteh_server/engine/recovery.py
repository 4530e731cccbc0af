"""After a start of the server: every session that should run gets a turn, through the same door as a new one."""

from autokitteh_server.engine import inbox
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.storage import sessions
from autokitteh_server.storage.database import Database


def recover(database: Database, scheduler: LocalScheduler) -> int:
    """Hand over every session that is not final; how many there are.

    One that waits gets a timer. If its inbox is not empty it gets a turn, which looks whether that is what it waits
    for: the crash may have come between a signal or an event and its wake-up.
    """
    unfinished, with_something = database.read(
        lambda conn: (sessions.unfinished(conn), inbox.sessions_with_something(conn)),
    )
    for session_id, project_id, durable, waits in unfinished:
        # Without durability it has to start from its beginning, whatever it waited for.
        if waits is None or not durable or session_id in with_something:
            scheduler.start(session_id, project_id)
        else:
            scheduler.expect(session_id, project_id, waits)
    return len(unfinished)
