"""Sessions as people handle them: start, look at, stop, start again, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from autokitteh_server.builds.entries import check_entry
from autokitteh_server.builds.source import Source
from autokitteh_server.core.api_types.sessions import SessionQuery
from autokitteh_server.core.entities import Project, Session
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.core.names import Entry, parse_entry
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations.lookups import find_project, find_session, list_sessions
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import blobs, builds, deployments, sessions, triggers
from autokitteh_server.storage.connection import Connection


def start(
    services: Services,
    project: str,
    entry: str,
    *,
    data: Any = None,
    memo: Mapping[str, str] | None = None,
    durable: bool | None = None,
) -> Session:
    """Start a session by hand, on the build of the project's active deployment.

    Durable unless told otherwise, or unless a trigger that calls the entry is not. Raises NotFound for the project,
    InvalidArgument for the entry, and FailedPrecondition if nothing is deployed.
    """
    parsed = parse_entry(entry)
    now = services.clock.now_us()

    def create(conn: Connection) -> Session:
        found = find_project(conn, project)
        deployment = deployments.active_of(conn, [found.id]).get(found.id)
        if deployment is None:
            raise FailedPrecondition(f"project {found.name} is not deployed", "Deploy it first: `ak deploy PATH`.")
        _check_entry(conn, deployment.build_id, parsed)
        session = Session(
            id=services.new_id("ses"),
            project_id=found.id,
            build_id=deployment.build_id,
            deployment_id=deployment.id,
            entry=str(parsed),
            durable=_is_durable(conn, found, str(parsed)) if durable is None else durable,
            state=SessionState.CREATED,
            event={"data": {} if data is None else data, "event_id": None, "event_type": None},
            memo=dict(memo or {}),
            created_at=now,
            updated_at=now,
        )
        sessions.create(conn, session)
        return session

    return _begin(services, services.database.write(create))


def get(services: Services, which: str) -> Session:
    """A session by its id, the beginning of it, or `last`. Raises NotFound and InvalidArgument."""
    return services.database.read(lambda conn: sessions.get(conn, find_session(conn, which)))


def list_page(services: Services, query: SessionQuery, *, limit: int, after_id: str | None = None) -> Sequence[Session]:
    """Sessions, newest first, those of whatever the query names. Raises NotFound for a project that does not exist."""
    return services.database.read(lambda conn: list_sessions(conn, query, limit=limit, after_id=after_id))


def stop(services: Services, which: str, *, force: bool = False) -> Session:
    """Stop a session: after the activity under way, or with `force` at once; it as it is then.

    Raises NotFound, and FailedPrecondition if it is over.
    """
    session = get(services, which)
    if session.state.is_final:
        raise FailedPrecondition(f"session {session.id} is {session.state}", "It needs no stopping.")
    services.scheduler.stop(session.id, force=force)
    return get(services, session.id)


def restart(services: Services, which: str) -> Session:
    """A new session that does what an earlier one was to do: with its entry, event and memo.

    On the build of the project's active deployment, or the earlier one's own. Raises NotFound, and InvalidArgument
    if the code has no such entry any more.
    """
    now = services.clock.now_us()

    def create(conn: Connection) -> Session:
        earlier = sessions.get(conn, find_session(conn, which))
        deployment = deployments.active_of(conn, [earlier.project_id]).get(earlier.project_id)
        build_id = deployment.build_id if deployment else earlier.build_id
        _check_entry(conn, build_id, parse_entry(earlier.entry))
        session = Session(
            id=services.new_id("ses"),
            project_id=earlier.project_id,
            build_id=build_id,
            deployment_id=deployment.id if deployment else None,
            entry=earlier.entry,
            durable=earlier.durable,
            state=SessionState.CREATED,
            event=earlier.event,
            vars=earlier.vars,
            memo=earlier.memo,
            created_at=now,
            updated_at=now,
        )
        sessions.create(conn, session)
        return session

    return _begin(services, services.database.write(create))


def delete(services: Services, which: str) -> None:
    """Delete a session that is over, with its log. Raises NotFound, and FailedPrecondition if it is not over."""
    services.database.write(lambda conn: sessions.delete(conn, find_session(conn, which)))


def _begin(services: Services, session: Session) -> Session:
    services.scheduler.start(session.id, session.project_id)
    return session


def _check_entry(conn: Connection, build_id: str, entry: Entry) -> None:
    """Before a session exists that could only fail."""
    build = builds.get(conn, build_id)
    content = build.files.get(entry.file)
    # Of the other files the paths are enough, for hints.
    files = dict.fromkeys(build.files, b"") | ({entry.file: blobs.get(conn, content)} if content else {})
    try:
        check_entry(Source(name="", files=files, manifest=None, manifest_path=None), entry)
    except InvalidArgument as error:
        raise InvalidArgument(f"entry: {error.message}", error.remedy) from error


def _is_durable(conn: Connection, project: Project, entry: str) -> bool:
    # Without a trigger it is started by hand, which is for looking at it: nothing speaks against durability.
    return all(trigger.is_durable for trigger in triggers.list(conn, project.id) if trigger.call == entry)
