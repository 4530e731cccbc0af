"""Sessions' rows, and every change of state. Each change names the state it starts from, and fails if that has gone.

Where an `epoch` is asked for, Fenced is raised if the session is not at it any more. Changes belong in
`Writer.transact` (or `write`, where there is no epoch), so that they commit together with their records.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import delete as sql_delete

from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.errors import FailedPrecondition, Fenced, NotFound
from autokitteh_server.core.states import SESSION_TRANSITIONS, SessionState
from autokitteh_server.storage import schema
from autokitteh_server.storage.values import dump_json, load_json, storable_text

_rows = schema.sessions

#: Sessions that start their successor and end make lines without an end: no more of one is looked at.
MAX_FOREBEARS: Final = 100


def _make_line_of() -> Select[Any]:
    columns = (_rows.c.id, _rows.c.parent_id, _rows.c.trigger_id, _rows.c.event_id)
    own = select(*columns, literal_column("0", Integer).label("distance")).where(_rows.c.id == bindparam("session_id"))
    line = own.cte("line", recursive=True)
    is_parent = (_rows.c.id == line.c.parent_id, line.c.distance < MAX_FOREBEARS)
    line = line.union_all(select(*columns, line.c.distance + 1).where(*is_parent))
    triggers, events, connections = schema.triggers, schema.events, schema.connections
    # One that was started again has no trigger, and its event may be deleted: between them they know it nearly always.
    source_id = func.coalesce(triggers.c.connection_id, events.c.source_id)
    started_by = (
        line.outerjoin(triggers, triggers.c.id == line.c.trigger_id)
        .outerjoin(events, events.c.id == line.c.event_id)
        .outerjoin(connections, connections.c.id == source_id)
    )
    columns_of_line = (line.c.id, triggers.c.name, connections.c.integration)
    return select(*columns_of_line).select_from(started_by).order_by(line.c.distance)


_LINE_OF = _make_line_of()


class Forebear(NamedTuple):
    """A session, or one that it descends from: what started it."""

    id: str
    trigger_name: str  # "": no trigger, or there is none any more
    integration: str  # whose event it was; "": none's


class Unfinished(NamedTuple):
    """As much of a session as it takes to know whether it should run now."""

    id: str
    project_id: str
    durable: bool
    waits: tuple[Wait, ...] | None


def create(conn: Connection, session: Session) -> None:
    """Store a new session. Its project and build must be there."""
    create_all(conn, [session])


def create_all(conn: Connection, new: Sequence[Session]) -> None:
    """Store new sessions. Their projects and builds must be there."""
    if new:
        conn.execute(insert(_rows), [_values(session) for session in new])


def get(conn: Connection, session_id: str) -> Session:
    """The session. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == session_id)).one_or_none()
    if row is None:
        raise _not_found(session_id)
    return _from_row(row)


def list(
    conn: Connection,
    project_id: str | None = None,
    state: SessionState | None = None,
    *,
    limit: int,
    after_id: str | None = None,
    deployment_id: str | None = None,
    event_id: str | None = None,
    parent_id: str | None = None,
) -> Sequence[Session]:
    """Sessions, newest first, those of whatever is given. `after_id`: the last one of the page before."""
    query: Select[Any] = select(_rows).order_by(_rows.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    if state is not None:
        query = query.where(_rows.c.state == state.value)
    for column, wanted in (
        (_rows.c.deployment_id, deployment_id),
        (_rows.c.event_id, event_id),
        (_rows.c.parent_id, parent_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if after_id is not None:
        query = query.where(_rows.c.id < after_id)
    return [_from_row(row) for row in conn.execute(query)]


def find(conn: Connection, prefix: str, *, limit: int) -> Sequence[str]:
    """The ids that begin with a text, newest first."""
    # Ids are ASCII: "~" sorts behind all of it.
    query = select(_rows.c.id).where(_rows.c.id >= prefix, _rows.c.id < prefix + "~")
    return conn.execute(query.order_by(_rows.c.id.desc()).limit(limit)).scalars().all()


def newest(conn: Connection) -> str | None:
    """The id of the newest session that no other session started; None if there is none."""
    query = select(_rows.c.id).where(_rows.c.parent_id.is_(None)).order_by(_rows.c.id.desc()).limit(1)
    return conn.execute(query).scalar_one_or_none()


def line_of(conn: Connection, session_id: str) -> Sequence[Forebear]:
    """A session, the one that started it, and so on, as far as they are there, up to `MAX_FOREBEARS`."""
    found = conn.execute(_LINE_OF, {"session_id": session_id})
    return [Forebear(row.id, row.name or "", row.integration or "") for row in found]


def unfinished(conn: Connection) -> Sequence[Unfinished]:
    """Every session that is not final, oldest first. Made for a hundred thousand of them."""
    columns = (_rows.c.id, _rows.c.project_id, _rows.c.durable, _rows.c.waits)
    query = select(*columns).where(text(schema.UNFINISHED)).order_by(_rows.c.id)
    return [Unfinished(row.id, row.project_id, row.durable, _load_waits(row.waits)) for row in conn.execute(query)]


def triggers_at_work(conn: Connection, trigger_ids: Collection[str]) -> frozenset[str]:
    """Those of these triggers that have started a session which is not over."""
    query = select(_rows.c.trigger_id).where(_rows.c.trigger_id.in_(trigger_ids), text(schema.UNFINISHED))
    return frozenset(conn.execute(query.distinct()).scalars())


def count_by_state(conn: Connection, project_id: str | None = None) -> dict[SessionState, int]:
    """How many sessions are in each state."""
    query = select(_rows.c.state, func.count()).group_by(_rows.c.state)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    return dict.fromkeys(SessionState, 0) | {SessionState(state): count for state, count in conn.execute(query)}


def claim(conn: Connection, session_id: str, *, now: int, has_process: bool = False) -> Session | None:
    """Make the caller its owner: a new epoch fences off any older one. What it waits for stays. None if it is final.

    Without a process that goes on with it, a session that is not durable starts from its beginning: its failures are
    the number of those starts. Raises NotFound.
    """
    starts_anew = case((or_(_rows.c.durable, literal(has_process)), _rows.c.failures), else_=_rows.c.failures + 1)
    running = SessionState.RUNNING
    claimed = conn.execute(
        update(_rows)
        .where(_rows.c.id == session_id, _is_in({running} | _states_before(running)))
        .values(epoch=_rows.c.epoch + 1, state=running.value, failures=starts_anew, updated_at=now)
        .returning(_rows)
    ).one_or_none()
    if claimed is not None:
        return _from_row(claimed)
    get(conn, session_id)
    return None


def park(conn: Connection, session_id: str, epoch: int, waits: Sequence[Wait], *, now: int) -> None:
    """Note what a running session waits for until its next turn."""
    _change(conn, session_id, epoch, {SessionState.RUNNING}, waits=_dump_waits(waits), updated_at=now)


def unpark(conn: Connection, session_id: str, epoch: int, *, now: int) -> None:
    """Note that a running session has work to do."""
    _change(conn, session_id, epoch, {SessionState.RUNNING}, waits=None, updated_at=now)


def finish(
    conn: Connection,
    session_id: str,
    epoch: int,
    state: SessionState,
    result: Any = None,
    error: str | None = None,
    *,
    now: int,
) -> None:
    """End a session in a final state, empty its inbox, and end its subscriptions."""
    assert state.is_final, state
    _change(
        conn,
        session_id,
        epoch,
        _states_before(state),
        state=state.value,
        result=None if result is None else dump_json(result),
        error=None if error is None else storable_text(error),
        waits=None,
        updated_at=now,
    )
    _forget_what_came(conn, session_id)


def stop(conn: Connection, session_id: str, reason: str, *, now: int) -> bool:
    """Stop a session whoever owns it: its owner is fenced off. False if it was final. Raises NotFound."""
    stopped = conn.execute(
        update(_rows)
        .where(_rows.c.id == session_id, _is_in(_states_before(SessionState.STOPPED)))
        .values(
            epoch=_rows.c.epoch + 1,
            state=SessionState.STOPPED.value,
            error=storable_text(reason),
            waits=None,
            updated_at=now,
        )
    ).rowcount
    if not stopped:
        get(conn, session_id)
        return False
    _forget_what_came(conn, session_id)
    return True


def count_failure(conn: Connection, session_id: str, epoch: int) -> int:
    """Count a turn that was lost to the death of its runner. Returns how many there have been in a row."""
    failures = conn.execute(
        update(_rows).where(_is_at(session_id, epoch)).values(failures=_rows.c.failures + 1).returning(_rows.c.failures)
    ).scalar_one_or_none()
    if failures is None:
        raise _fenced(session_id, epoch)
    return int(failures)


def reset_failures(conn: Connection, session_id: str, epoch: int) -> None:
    """Note progress: failures are counted from 0 again."""
    _change(conn, session_id, epoch, set(SessionState), failures=0)


def delete(conn: Connection, session_id: str) -> None:
    """Delete a final session with its journal and inbox. Raises NotFound, and FailedPrecondition if it is not final.

    Blobs stay, for others may share them.
    """
    found = select(_rows.c.state).where(_rows.c.id == session_id).with_for_update(key_share=True)
    state = conn.execute(found).scalar_one_or_none()
    if state is None:
        raise _not_found(session_id)
    if not SessionState(state).is_final:
        raise FailedPrecondition(f"session {session_id} is not over", "Stop it first.")
    # The row first: once that is locked nobody appends to the journal any more.
    conn.execute(sql_delete(_rows).where(_rows.c.id == session_id))
    conn.execute(sql_delete(schema.journal).where(schema.journal.c.session_id == session_id, text("idx >= 0")))
    conn.execute(sql_delete(schema.journal).where(schema.journal.c.session_id == session_id, text("idx < 0")))


def _values(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "project_id": session.project_id,
        "build_id": session.build_id,
        "state": session.state.value,
        "epoch": session.epoch,
        "failures": session.failures,
        "durable": session.durable,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "waits": _dump_waits(session.waits),
        "parent_id": session.parent_id,
        "entry": storable_text(session.entry),
        "memo": dump_json(session.memo),
        "error": None if session.error is None else storable_text(session.error),
        "result": None if session.result is None else dump_json(session.result),
        "vars": dump_json(session.vars),
        "event": dump_json(session.event),
        "deployment_id": session.deployment_id,
        "trigger_id": session.trigger_id,
        "event_id": session.event_id,
    }


def _change(conn: Connection, session_id: str, epoch: int, states: set[SessionState], **values: Any) -> None:
    changed = conn.execute(update(_rows).where(_is_at(session_id, epoch), _is_in(states)).values(**values)).rowcount
    if changed != 1:
        raise _fenced(session_id, epoch)


def _states_before(state: SessionState) -> set[SessionState]:
    return {before for before, after in SESSION_TRANSITIONS.items() if state in after}


def _is_in(states: set[SessionState]) -> ColumnElement[bool]:
    return _rows.c.state.in_(sorted(states))


def _is_at(session_id: str, epoch: int) -> ColumnElement[bool]:
    return and_(_rows.c.id == session_id, _rows.c.epoch == epoch)


def _forget_what_came(conn: Connection, session_id: str) -> None:
    conn.execute(sql_delete(schema.signals).where(schema.signals.c.session_id == session_id))
    conn.execute(sql_delete(schema.subscriptions).where(schema.subscriptions.c.session_id == session_id))


def _fenced(session_id: str, epoch: int) -> Fenced:
    return Fenced(f"session {session_id} is not at epoch {epoch} any more, or is final")


def _not_found(session_id: str) -> NotFound:
    return NotFound(f"there is no session {session_id}")


def _dump_waits(waits: Sequence[Wait] | None) -> str | None:
    if waits is None:
        return None
    return dump_json([[wait.task, wait.index, wait.kind, wait.deadline_at, wait.names] for wait in waits])


def _load_waits(stored: str | None) -> tuple[Wait, ...] | None:
    if stored is None:
        return None
    return tuple(
        Wait(task=task, index=index, kind=kind, deadline_at=deadline_at, names=tuple(names))
        for task, index, kind, deadline_at, names in load_json(stored)
    )


def _from_row(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        project_id=row.project_id,
        build_id=row.build_id,
        entry=row.entry,
        durable=row.durable,
        state=SessionState(row.state),
        event=load_json(row.event),
        vars=load_json(row.vars),
        memo=load_json(row.memo),
        parent_id=row.parent_id,
        deployment_id=row.deployment_id,
        trigger_id=row.trigger_id,
        epoch=row.epoch,
        waits=_load_waits(row.waits),
        failures=row.failures,
        result=None if row.result is None else load_json(row.result),
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
