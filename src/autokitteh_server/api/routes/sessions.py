"""Sessions and their logs."""

from msgspec import UNSET

from autokitteh_server.api.context import Context
from autokitteh_server.api.event_stream import EventStream, pieces
from autokitteh_server.api.log_stream import follow_log, whole_log
from autokitteh_server.api.paging import make_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.session_log import LogLine, LogQuery, StreamQuery
from autokitteh_server.core.api_types.sessions import Session, SessionQuery, StartSession, StopSession
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, value_of
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.operations import sessions
from autokitteh_server.operations.session_log import LogEntry, line_of
from autokitteh_server.operations.session_tail import SessionTail, read_log


def list_(ctx: Context, *, query: SessionQuery) -> Page[Session]:
    """Sessions, newest first: those of whatever the query names."""
    return make_page(
        query,
        lambda limit, after: sessions.list_page(ctx.services, query, limit=limit, after_id=after),
        place=lambda session: session.id,
        show=Session.of,
    )


def start(ctx: Context, *, body: StartSession) -> Session:
    """Start a session by hand, on the build of the project's active deployment."""
    data = {} if body.data is UNSET else value_of(body.data, "data")
    return Session.of(
        sessions.start(ctx.services, body.project, body.entry, data=data, memo=body.memo, durable=body.durable)
    )


def get(ctx: Context, *, session: str) -> Session:
    """A session by its id, the beginning of it, or `last`: the newest one that no other session started."""
    return Session.of(sessions.get(ctx.services, session))


def log(ctx: Context, *, session: str, query: LogQuery) -> Page[LogLine]:
    """What happened in a session, in order, what is under way included."""
    portion = read_log(ctx.services, session)
    lines = [entry for entry in portion.entries if not query.kind or entry.kind == query.kind]

    def load(limit: int, after: str | None) -> list[LogEntry]:
        after_seq = _seq(after or "0", "cursor")
        return [entry for entry in lines if entry.seq > after_seq][:limit]

    return make_page(
        query, load, place=lambda entry: str(entry.seq), show=lambda entry: line_of(entry, portion.session.id)
    )


def stream_log(ctx: Context, *, session: str, query: StreamQuery) -> EventStream:
    """A session's log as server-sent events: each entry once it is over, and then `end` with the session.

    The id of an event is its place in the log: `Last-Event-ID`, or `after`, says where to go on. Without `follow` the
    stream ends with what there is now, and has what is under way as well.
    """
    after = _seq(ctx.last_event_id, "Last-Event-ID") if ctx.last_event_id else query.after
    if not query.follow:
        return EventStream(pieces(whole_log(read_log(ctx.services, session), after)))
    session_id = sessions.get(ctx.services, session).id
    return EventStream(follow_log(ctx.surface.hub, SessionTail(ctx.services, session_id), session_id, after))


def stop(ctx: Context, *, session: str, body: StopSession) -> Session:
    """Stop a session: after the activity under way, or with `force` at once. The session as it is then."""
    return Session.of(sessions.stop(ctx.services, session, force=body.force))


def restart(ctx: Context, *, session: str) -> Session:
    """Start a new session with the same entry, event and memo, on the active build or else the same one."""
    return Session.of(sessions.restart(ctx.services, session))


def delete(ctx: Context, *, session: str) -> None:
    """Delete a session that is over, with its log."""
    sessions.delete(ctx.services, session)


def _seq(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidArgument(f"{name}: {text!r:.50} is no place in a log", "Give one that the server has given.")
    return int(text)


ROUTES = (
    Route("GET", "/sessions", Scope.READ, list_, "List sessions"),
    Route("POST", "/sessions", Scope.WRITE, start, "Start a session", status=201),
    Route("GET", "/sessions/{session}", Scope.READ, get, "Get a session"),
    Route("DELETE", "/sessions/{session}", Scope.WRITE, delete, "Delete a session that is over"),
    Route("GET", "/sessions/{session}/log", Scope.READ, log, "Read a session's log"),
    Route("GET", "/sessions/{session}/log/stream", Scope.READ, stream_log, "Follow a session's log"),
    Route("POST", "/sessions/{session}/stop", Scope.WRITE, stop, "Stop a session"),
    Route("POST", "/sessions/{session}/restart", Scope.WRITE, restart, "Start a session again", status=201),
)
