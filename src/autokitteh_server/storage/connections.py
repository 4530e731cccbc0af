"""Connections' rows."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection as Conn
from sqlalchemy import Row, bindparam, delete, exists, insert, or_, select, text, update

from autokitteh_server.core.entities import CheckResult, Connection
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.storage import schema
from autokitteh_server.storage.values import storable_text

_rows = schema.connections

# Asked at the end of every session: made once, for making a statement takes as long as running it.
_AWAITED_IN = (
    select(_rows.c.id)
    .where(
        _rows.c.project_id == bindparam("project_id"),
        _rows.c.integration == bindparam("integration"),
        exists().where(schema.deployments.c.project_id == _rows.c.project_id, text("deployments.state = 'ACTIVE'")),
        or_(
            exists().where(schema.triggers.c.connection_id == _rows.c.id),
            exists().where(schema.subscriptions.c.source_id == _rows.c.id),
        ),
    )
    .order_by(_rows.c.name)
)


def create(conn: Conn, connection: Connection) -> None:
    """Store a new connection. Its project must be there, and the name be free in it."""
    conn.execute(insert(_rows).values(**_values(connection)))


def update_row(conn: Conn, connection: Connection) -> None:
    """Store a connection anew."""
    conn.execute(update(_rows).where(_rows.c.id == connection.id).values(**_values(connection)))


def save_check(conn: Conn, connection_id: str, result: CheckResult) -> None:
    """Store what came of trying a connection, in place of the time before."""
    values = {
        "checked_at": result.checked_at,
        "check_code": result.code,
        "check_message": storable_text(result.message),
        "check_remedy": result.remedy,
    }
    conn.execute(update(_rows).where(_rows.c.id == connection_id).values(**values))


def get(conn: Conn, connection_id: str) -> Connection:
    """The connection. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == connection_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no connection {connection_id}")
    return _from_row(row)


def of_ids(conn: Conn, connection_ids: Collection[str]) -> Sequence[Connection]:
    """Those of these connections that there are."""
    return [_from_row(row) for row in conn.execute(select(_rows).where(_rows.c.id.in_(connection_ids)))]


def find_by_name(conn: Conn, project_id: str, name: str) -> Connection | None:
    """The project's connection of this name, if there is one."""
    query = select(_rows).where(_rows.c.project_id == project_id, _rows.c.name == name)
    row = conn.execute(query).one_or_none()
    return None if row is None else _from_row(row)


def list(conn: Conn, project_id: str | None = None) -> Sequence[Connection]:
    """The connections of a project, or all there are, by project and name."""
    query = select(_rows).order_by(_rows.c.project_id, _rows.c.name)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    return [_from_row(row) for row in conn.execute(query)]


def deployed(conn: Conn, integrations: Collection[str]) -> Sequence[Connection]:
    """The connections of these integrations in projects that have an ACTIVE deployment."""
    active = schema.deployments
    query = select(_rows).join(active, (active.c.project_id == _rows.c.project_id) & (active.c.state == "ACTIVE"))
    return [_from_row(row) for row in conn.execute(query.where(_rows.c.integration.in_(integrations)))]


def awaited(conn: Conn, integrations: Collection[str]) -> Sequence[Connection]:
    """Those of them of which somebody wants events: a trigger, or a session that has subscribed."""
    ids = {each.id: each for each in deployed(conn, integrations)}
    triggers, subscriptions = schema.triggers, schema.subscriptions
    by_triggers = select(triggers.c.connection_id).where(triggers.c.connection_id.in_(ids))
    by_sessions = select(subscriptions.c.source_id).where(subscriptions.c.source_id.in_(ids))
    return [ids[found] for found in conn.execute(by_triggers.union(by_sessions)).scalars()]


def awaited_in(conn: Conn, project_id: str, integration: str) -> Sequence[str]:
    """The ids of an integration's connections in a project, if that is deployed, of which somebody wants events."""
    return conn.execute(_AWAITED_IN, {"project_id": project_id, "integration": integration}).scalars().all()


def remove(conn: Conn, connection_id: str) -> None:
    """Delete a connection with its vars. Raises NotFound, and FailedPrecondition if a trigger uses it."""
    connection = get(conn, connection_id)
    triggers = schema.triggers
    using = conn.execute(select(triggers.c.name).where(triggers.c.connection_id == connection_id)).scalars().first()
    if using is not None:
        raise FailedPrecondition(
            f"trigger {using} gets its events from connection {connection.name}", "Delete the trigger first."
        )
    conn.execute(delete(schema.variables).where(schema.variables.c.owner_id == connection_id))
    conn.execute(delete(_rows).where(_rows.c.id == connection_id))


def _values(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "project_id": connection.project_id,
        "name": connection.name,
        "integration": connection.integration,
        "is_declared": connection.is_declared,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    }


def _from_row(row: Row[Any]) -> Connection:
    return Connection(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        integration=row.integration,
        is_declared=row.is_declared,
        checked=None if row.checked_at is None else _check_from_row(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _check_from_row(row: Row[Any]) -> CheckResult:
    return CheckResult(
        code=row.check_code, message=row.check_message, remedy=row.check_remedy, checked_at=row.checked_at
    )
