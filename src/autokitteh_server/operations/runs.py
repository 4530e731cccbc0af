"""Running a project's source as one session: what `ak run` does, short of showing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autokitteh_server.builds.entries import find_entry
from autokitteh_server.builds.source import Source, load_source
from autokitteh_server.builds.syntax import check_syntax
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import Build, BuildSetup, Project, Session
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations.build_rows import save_build
from autokitteh_server.storage import projects, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

#: Unfinished sessions among which the one to be taken up again is looked for, the newest first.
_LOOK_BACK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What is to be run, and with what."""

    source: Source
    entry: str  # "file.py:function"
    durable: bool
    data: Any = None  # the event's data: a JSON value
    vars: Mapping[str, str]


def plan_run(
    source: Source,
    *,
    entry: str | None = None,
    durable: bool | None = None,
    data: Any = None,
    vars: Mapping[str, str] | None = None,
) -> RunOrder:
    """Check a source, and decide what a run of it is.

    The manifest's vars come first, `vars` over them. Durable unless said otherwise: by `durable`, or by the trigger
    that calls the entry. Raises InvalidArgument for code that is not Python or an entry that does not exist.
    """
    problems = check_syntax(source)
    if problems:
        raise ManifestError(problems)
    found = find_entry(source, entry)
    manifest = source.manifest
    values = {var.name: var.value or "" for var in manifest.vars} if manifest else {}
    return RunOrder(
        source=source,
        entry=str(found),
        durable=_is_durable(source, str(found)) if durable is None else durable,
        data=data,
        vars=values | dict(vars or {}),
    )


def load_run(path: Path, **choices: Any) -> RunOrder:
    """Read what is at a path, and decide what a run of it is. Takes what `plan_run` takes, raises what it raises.

    And what `load_source` raises: NotFound, InvalidArgument, FailedPrecondition.
    """
    return plan_run(load_source(path), **choices)


def submit_run(
    database: Database, order: RunOrder, setup: BuildSetup | None = None, *, now: int, new_id: IdSource
) -> tuple[Session, bool]:
    """Make the session of a run, with its project and build; and whether it is one that was made earlier.

    A session of the very same run that is not over is given back instead of a new one: so a run that was cut off is
    taken up again by giving the same order again.
    """

    def submit(conn: Connection) -> tuple[Session, bool]:
        project = projects.get_or_create(conn, Project(id=new_id("prj"), name=order.source.name, created_at=now))
        build = save_build(conn, project, order.source, setup, now=now, new_id=new_id)
        session = _new_session(project, build, order, now=now, new_id=new_id)
        earlier = _find_same(conn, session)
        if earlier is not None:
            return earlier, True
        sessions.create(conn, session)
        return session, False

    result = database.write(submit)
    crash_point("session.created")
    return result


def _is_durable(source: Source, entry: str) -> bool:
    if source.manifest is None:
        return True
    called = [trigger.is_durable for trigger in source.manifest.triggers if str(trigger.call) == entry]
    # Without a trigger it is started by hand, which is for looking at it: nothing speaks against durability.
    return all(called)


def _new_session(project: Project, build: Build, order: RunOrder, *, now: int, new_id: IdSource) -> Session:
    return Session(
        id=new_id("ses"),
        project_id=project.id,
        build_id=build.id,
        entry=order.entry,
        durable=order.durable,
        state=SessionState.CREATED,
        event={"data": {} if order.data is None else order.data, "event_id": None, "event_type": None},
        vars=dict(order.vars),
        created_at=now,
        updated_at=now,
    )


def _find_same(conn: Connection, wanted: Session) -> Session | None:
    def inputs(session: Session) -> tuple[Any, ...]:
        return (session.build_id, session.entry, session.durable, session.event, session.vars, session.parent_id)

    return next(
        (
            session
            for state in (SessionState.CREATED, SessionState.RUNNING)
            for session in sessions.list(conn, project_id=wanted.project_id, state=state, limit=_LOOK_BACK)
            if inputs(session) == inputs(wanted)
        ),
        None,
    )
