"""Python environments: which there are, and whether anybody needs them."""

from typing import Final

from autokitteh_server.core.entities import Build
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.operations.deployments import find_deployment
from autokitteh_server.operations.services import Services
from autokitteh_server.runners.environments import Environment
from autokitteh_server.storage import builds
from autokitteh_server.storage.connection import Connection

#: What is left of an environment that was being made when a server died is swept after so long.
_UNFINISHED_US: Final = 24 * 3600 * 1_000_000


def list_used(services: Services) -> list[tuple[Environment, bool]]:
    """All environments, those used last first, each with whether a build has it."""
    found = services.setups.environments.list()
    used = _used(services)
    return [(each, each.id in used) for each in found]


def warm(services: Services, project: str) -> tuple[str, ...]:
    """Make ready what sessions of a project's ACTIVE build need: packages and a process. What to know of it.

    Raises NotFound, and FailedPrecondition if nothing is deployed or the packages cannot be installed.
    """

    def read(conn: Connection) -> tuple[str, Build]:
        deployment = find_deployment(conn, project)
        return deployment.project_id, builds.get(conn, deployment.build_id)

    return services.warm_up(*services.database.read(read))


def collect(services: Services) -> list[Environment]:
    """Remove the environments that no build has, and what was left half made; which they were.

    Raises FailedPrecondition if others have some.
    """
    environments = services.setups.environments
    if environments.is_shared:
        raise FailedPrecondition(
            "the configuration names a folder for environments (environment_folder), and others may use it, too",
            "Delete by hand what nobody needs.",
        )
    # First what there is, then what is used: what is made meanwhile is in neither, or held.
    found = environments.list()
    used = _used(services)
    environments.remove_unfinished(before=services.clock.now_us() - _UNFINISHED_US)
    return [each for each in found if each.id not in used and environments.remove(each.id)]


def _used(services: Services) -> set[str]:
    locks = services.database.read(builds.locks)
    return {services.setups.environments.id_of(lock) for lock in locks}
