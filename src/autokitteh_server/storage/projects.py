"""Projects' rows."""

from sqlalchemy import Connection, Row, select

from autokitteh_server.core.entities import Project
from autokitteh_server.core.errors import NotFound
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of

_rows = schema.projects


def get_or_create(conn: Connection, project: Project) -> Project:
    """The project of this name: the one that is there, or else this one, which is stored."""
    values = {"id": project.id, "name": project.name, "created_at": project.created_at}
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
    row = conn.execute(select(_rows).where(_rows.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"there is no project named {name!r}")
    return _from_row(row)


def _from_row(row: Row[tuple[object, ...]]) -> Project:
    return Project(id=row.id, name=row.name, created_at=row.created_at)
