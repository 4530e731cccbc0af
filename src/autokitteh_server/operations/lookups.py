"""Finding what people name: each function takes a name or an id, and raises NotFound with where to look."""

from collections.abc import Sequence

from msgspec import UNSET

from autokitteh_server.core.api_types.sessions import SessionQuery
from autokitteh_server.core.entities import Event, Project, Session
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.storage import events, projects, sessions
from autokitteh_server.storage.connection import Connection

#: The name of the newest event, and of the newest session that no other one started.
LAST = "last"

_PREFIX = "ses_"
_SHOWN = 10  # candidates in a message


def find_project(conn: Connection, which: str) -> Project:
    """The project of this name or id."""
    try:
        return projects.get(conn, which) if is_id(which, "prj") else projects.get_by_name(conn, which)
    except NotFound as error:
        raise NotFound(error.message, "`ak project list` shows those there are.") from error


def find_event(conn: Connection, which: str) -> Event:
    """The event of this id, or with `last` the newest one."""
    if which != LAST:
        try:
            return events.get(conn, which)
        except NotFound as error:
            raise NotFound(error.message, "`ak event list` shows those there are.") from error
    newest = events.list(conn, limit=1)
    if not newest:
        raise NotFound("there are no events yet", "Send one to a webhook, or with `ak event dispatch`.")
    return newest[0]


def find_session(conn: Connection, which: str) -> str:
    """The id of a session. `which`: its id, the beginning of it, or `last`.

    Raises NotFound, and InvalidArgument for the beginning of several.
    """
    if which == LAST:
        newest = sessions.newest(conn)
        if newest is None:
            raise NotFound("there are no sessions yet", "Start one with `ak session start` or `ak run`.")
        return newest
    given = which.lower()
    prefix = given if given.startswith(_PREFIX) or _PREFIX.startswith(given) else _PREFIX + given
    found = sessions.find(conn, prefix, limit=_SHOWN + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"there is no session {which}", "`ak session list` shows those there are.")
    listed = "\n".join(f"  {session_id}" for session_id in found[:_SHOWN])
    raise InvalidArgument(f"more than one session begins with {which}", f"Write more of the id:\n{listed}")


def list_sessions(conn: Connection, query: SessionQuery, *, limit: int, after_id: str | None) -> Sequence[Session]:
    """Sessions, newest first, those of whatever the query names."""
    return sessions.list(
        conn,
        project_id=find_project(conn, query.project).id if query.project else None,
        state=None if query.state is UNSET else query.state,
        limit=limit,
        after_id=after_id,
        deployment_id=query.deployment or None,
        event_id=query.event or None,
        parent_id=query.parent or None,
    )
