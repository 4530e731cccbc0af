"""Deployments' rows, and every change of state."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, text, update

from autokitteh_server.core.entities import Deployment
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.states import DEPLOYMENT_TRANSITIONS, DeploymentState
from autokitteh_server.storage import schema

_rows = schema.deployments

# Asked for every event: made once, for making a statement takes as long as running it.
_ACTIVE_OF = select(_rows).where(_rows.c.project_id.in_(bindparam("ids", expanding=True)), text("state = 'ACTIVE'"))


def create(conn: Connection, deployment: Deployment) -> None:
    """Store a new deployment. Its project and build must be there; of an ACTIVE one there may be no other."""
    conn.execute(
        insert(_rows).values(
            id=deployment.id,
            project_id=deployment.project_id,
            build_id=deployment.build_id,
            state=deployment.state.value,
            created_at=deployment.created_at,
            updated_at=deployment.updated_at,
        )
    )


def get(conn: Connection, deployment_id: str) -> Deployment:
    """The deployment. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == deployment_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    return _from_row(row)


def list(
    conn: Connection,
    project_id: str | None = None,
    state: DeploymentState | None = None,
    *,
    limit: int,
    after_id: str | None = None,
) -> Sequence[Deployment]:
    """Deployments, newest first. `after_id`: the last one of the page before."""
    query = select(_rows).order_by(_rows.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    if state is not None:
        query = query.where(_rows.c.state == state.value)
    if after_id is not None:
        query = query.where(_rows.c.id < after_id)
    return [_from_row(row) for row in conn.execute(query)]


def active_of(conn: Connection, project_ids: Collection[str]) -> dict[str, Deployment]:
    """The ACTIVE deployments of these projects, by project."""
    return {row.project_id: _from_row(row) for row in conn.execute(_ACTIVE_OF, {"ids": [*project_ids]})}


def activate(conn: Connection, deployment_id: str, *, now: int) -> None:
    """Make a deployment ACTIVE, in place of the one of its project that is. Raises NotFound."""
    deployment = get(conn, deployment_id)
    if deployment.state is DeploymentState.ACTIVE:
        return
    deactivate(conn, deployment.project_id, now=now)
    _change(conn, deployment_id, DeploymentState.ACTIVE, now=now)


def deactivate(conn: Connection, project_id: str, *, now: int) -> Deployment | None:
    """Have a project's ACTIVE deployment start no more sessions; which one that was.

    It is DRAINING as long as sessions of it are not over, and then INACTIVE.
    """
    active = active_of(conn, [project_id]).get(project_id)
    if active is not None:
        _change(conn, active.id, DeploymentState.DRAINING, now=now)
        settle(conn, active.id, now=now)
    return active


def settle(conn: Connection, deployment_id: str, *, now: int) -> bool:
    """Make a DRAINING deployment INACTIVE if all its sessions are over; whether that happened."""
    unfinished = exists().where(schema.sessions.c.deployment_id == _rows.c.id, text(f"sessions.{schema.UNFINISHED}"))
    drained = (
        update(_rows)
        .where(_rows.c.id == deployment_id, _rows.c.state == DeploymentState.DRAINING.value, ~unfinished)
        .values(state=DeploymentState.INACTIVE.value, updated_at=now)
    )
    return bool(conn.execute(drained).rowcount)


def remove(conn: Connection, deployment_id: str) -> None:
    """Delete a deployment. Its sessions stay. Raises NotFound, and FailedPrecondition if it is not INACTIVE."""
    # The state is asked for by what deletes: activating it may be under way elsewhere.
    idle = delete(_rows).where(_rows.c.id == deployment_id, _rows.c.state == DeploymentState.INACTIVE.value)
    if not conn.execute(idle).rowcount:
        state = get(conn, deployment_id).state
        remedy = "Deactivate it first." if state is DeploymentState.ACTIVE else "Wait for its sessions, or stop them."
        raise FailedPrecondition(f"deployment {deployment_id} is {state}", remedy)


def _change(conn: Connection, deployment_id: str, state: DeploymentState, *, now: int) -> None:
    before = [each.value for each, after in DEPLOYMENT_TRANSITIONS.items() if state in after]
    conn.execute(
        update(_rows)
        .where(_rows.c.id == deployment_id, _rows.c.state.in_(before))
        .values(state=state.value, updated_at=now)
    )


def _from_row(row: Row[Any]) -> Deployment:
    return Deployment(
        id=row.id,
        project_id=row.project_id,
        build_id=row.build_id,
        state=DeploymentState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
