"""Projects' rows."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, delete, select, text, update

from autokitteh_server.core.entities import Project
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of

_rows = schema.projects


def get_or_create(conn: Connection, project: Project) -> Project:
    """The project of this name: the one that is there, or else this one, which is stored."""
    values = {
        "id": project.id,
        "name": project.name,
        "created_at": project.created_at,
        "display_name": project.display_name,
        "store_slug": project.store_slug,
    }
    conn.execute(dialect_of(conn).insert(_rows).values(values).on_conflict_do_nothing(index_elements=[_rows.c.name]))
    return _from_row(conn.execute(select(_rows).where(_rows.c.name == project.name)).one())


def get(conn: Connection, project_id: str) -> Project:
    """The project. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == project_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no project {project_id}")
    return _from_row(row)


def get_by_name(conn: Connection, name: str) -> Project:
    """The project of this name. Raises NotFound."""
    found = find_by_name(conn, name)
    if found is None:
        raise NotFound(f"there is no project named {name!r}")
    return found


def find_by_name(conn: Connection, name: str) -> Project | None:
    """The project of this name, if there is one."""
    row = conn.execute(select(_rows).where(_rows.c.name == name)).one_or_none()
    return None if row is None else _from_row(row)


def lock(conn: Connection, project_id: str) -> Project:
    """The project, with all other transactions kept from changing it until this one ends. Raises NotFound."""
    # SQLite needs no such words: there is one transaction that writes.
    row = conn.execute(select(_rows).where(_rows.c.id == project_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"there is no project {project_id}")
    return _from_row(row)


def find_by_store_slug(conn: Connection, slug: str) -> Project | None:
    """The project whose published values are under this slug, if there is one."""
    row = conn.execute(select(_rows).where(_rows.c.store_slug == slug)).one_or_none()
    return None if row is None else _from_row(row)


def list(conn: Connection, *, limit: int, after_name: str = "") -> Sequence[Project]:
    """Projects by name. `after_name`: the last one of the page before."""
    query = select(_rows).where(_rows.c.name > after_name).order_by(_rows.c.name).limit(limit)
    return [_from_row(row) for row in conn.execute(query)]


def update_row(conn: Connection, project: Project) -> None:
    """Store a project's names and slug anew."""
    values = {"name": project.name, "display_name": project.display_name, "store_slug": project.store_slug}
    conn.execute(update(_rows).where(_rows.c.id == project.id).values(**values))


def delete_all_of(conn: Connection, project_id: str) -> None:
    """Delete a project with everything in it. Blobs stay, for others may share them.

    Raises NotFound, and FailedPrecondition if a session of it is not over.
    """
    get(conn, project_id)
    sessions = schema.sessions
    unfinished = select(sessions.c.id).where(sessions.c.project_id == project_id, text(schema.UNFINISHED)).limit(1)
    if (left := conn.execute(unfinished).scalar_one_or_none()) is not None:
        raise FailedPrecondition(f"session {left} of the project is not over", "Stop its sessions first.")
    of_project = select(sessions.c.id).where(sessions.c.project_id == project_id)
    connections, builds = schema.connections, schema.builds
    owners = select(connections.c.id).where(connections.c.project_id == project_id)
    for condition in ("idx >= 0", "idx < 0"):  # each has an index of its own
        conn.execute(delete(schema.journal).where(schema.journal.c.session_id.in_(of_project), text(condition)))
    conn.execute(delete(sessions).where(sessions.c.project_id == project_id))
    conn.execute(delete(schema.variables).where(schema.variables.c.owner_id.in_(owners)))
    conn.execute(delete(schema.variables).where(schema.variables.c.owner_id == project_id))
    sources = select(schema.events.c.source_id).where(schema.events.c.project_id == project_id)
    conn.execute(delete(schema.event_keys).where(schema.event_keys.c.source_id.in_(sources)))
    for table in (schema.events, schema.triggers, connections, schema.deployments, schema.store_values):
        conn.execute(delete(table).where(table.c.project_id == project_id))
    of_builds = select(builds.c.id).where(builds.c.project_id == project_id)
    conn.execute(delete(schema.build_files).where(schema.build_files.c.build_id.in_(of_builds)))
    conn.execute(delete(builds).where(builds.c.project_id == project_id))
    conn.execute(delete(_rows).where(_rows.c.id == project_id))


def _from_row(row: Row[tuple[object, ...]]) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        store_slug=row.store_slug,
        created_at=row.created_at,
    )
