"""Deployments as people handle them: which build of a project is live."""

from collections.abc import Sequence

from autokitteh_server.core.entities import Build, Deployment
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.ids import is_id
from autokitteh_server.core.states import DeploymentState
from autokitteh_server.operations.calls import check_calls
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import builds, deployments, triggers
from autokitteh_server.storage.connection import Connection


def list_page(
    services: Services,
    project: str = "",
    state: DeploymentState | None = None,
    *,
    limit: int,
    after_id: str | None = None,
) -> Sequence[Deployment]:
    """Deployments, newest first. `after_id`: the last one of the page before. Raises NotFound for the project."""

    def read(conn: Connection) -> Sequence[Deployment]:
        project_id = find_project(conn, project).id if project else None
        return deployments.list(conn, project_id, state, limit=limit, after_id=after_id)

    return services.database.read(read)


def get(services: Services, which: str) -> Deployment:
    """A deployment by its id; or a project's ACTIVE one, by the project's name or id.

    Raises NotFound, and FailedPrecondition for a project that has none.
    """
    return services.database.read(lambda conn: find_deployment(conn, which))


def create(services: Services, build_id: str, *, activate: bool = True) -> Deployment:
    """Make a deployment of a build: ACTIVE in place of the project's present one, or else INACTIVE.

    Raises NotFound, and FailedPrecondition if the build lacks what the project's triggers call.
    """
    now = services.clock.now_us()

    def write(conn: Connection) -> Deployment:
        build = builds.get(conn, build_id)
        made = Deployment(
            id=services.new_id("dep"),
            project_id=build.project_id,
            build_id=build.id,
            state=DeploymentState.INACTIVE,
            created_at=now,
            updated_at=now,
        )
        deployments.create(conn, made)
        return _activate(conn, made, now=now) if activate else made

    return services.database.write(write)


def activate(services: Services, deployment_id: str) -> Deployment:
    """Make a deployment ACTIVE in place of its project's present one.

    Raises NotFound, and FailedPrecondition if its build lacks what the project's triggers call.
    """
    now = services.clock.now_us()
    active = services.database.write(lambda conn: _activate(conn, deployments.get(conn, deployment_id), now=now))
    services.feeds_changed()
    return active


def deactivate(services: Services, which: str) -> Deployment:
    """Have a deployment start no more sessions. Those it has started go on: it is DRAINING until they are over.

    `which` is its id, or its project's name or id. Raises NotFound, and FailedPrecondition if it is not ACTIVE.
    """
    now = services.clock.now_us()

    def write(conn: Connection) -> Deployment:
        found = find_deployment(conn, which)
        if found.state is not DeploymentState.ACTIVE:
            raise FailedPrecondition(f"deployment {found.id} is {found.state}", "It starts no sessions already.")
        deployments.deactivate(conn, found.project_id, now=now)
        return deployments.get(conn, found.id)

    deactivated = services.database.write(write)
    services.feeds_changed()
    return deactivated


def delete(services: Services, deployment_id: str) -> Deployment:
    """Delete a deployment; what it was. Its build and its sessions stay.

    Raises NotFound, and FailedPrecondition if it is not INACTIVE.
    """

    def write(conn: Connection) -> Deployment:
        found = deployments.get(conn, deployment_id)
        deployments.remove(conn, deployment_id)
        return found

    return services.database.write(write)


def find_deployment(conn: Connection, which: str) -> Deployment:
    """See `get`."""
    if is_id(which, "dep"):
        return deployments.get(conn, which)
    project = find_project(conn, which)
    active = deployments.active_of(conn, [project.id]).get(project.id)
    if active is None:
        raise FailedPrecondition(f"project {project.name} is not deployed", "Deploy it first: `ak deploy PATH`.")
    return active


def _activate(conn: Connection, deployment: Deployment, *, now: int) -> Deployment:
    # An older build may not have what the triggers call by now: each of their events would start a failure.
    check_calls(conn, deployment.build_id, triggers.list(conn, deployment.project_id))
    deployments.activate(conn, deployment.id, now=now)
    return deployments.get(conn, deployment.id)


def newest_active(services: Services, *, limit: int) -> list[tuple[Deployment, Build]]:
    """The ACTIVE deployments with their builds, the newest first."""

    def read(conn: Connection) -> list[tuple[Deployment, Build]]:
        found = deployments.list(conn, state=DeploymentState.ACTIVE, limit=limit)
        return [(each, builds.get(conn, each.build_id)) for each in found]

    return services.database.read(read)
