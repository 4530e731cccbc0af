"""Builds as people handle them. Deploying makes one; it can be made without being deployed."""

from collections.abc import Sequence

from autokitteh_server.builds.source import Source
from autokitteh_server.builds.syntax import check_syntax
from autokitteh_server.core.entities import Build
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.operations.build_rows import save_build
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import builds
from autokitteh_server.storage.connection import Connection


def list_page(services: Services, project: str = "", *, limit: int, after_id: str | None = None) -> Sequence[Build]:
    """Builds, newest first. `after_id`: the last one of the page before. Raises NotFound for the project."""
    return services.database.read(
        lambda conn: builds.list(
            conn, find_project(conn, project).id if project else None, limit=limit, after_id=after_id
        )
    )


def get(services: Services, build_id: str) -> Build:
    """A build. Raises NotFound."""
    return services.database.read(lambda conn: builds.get(conn, build_id))


def files(services: Services, build_id: str) -> dict[str, bytes]:
    """The contents of a build's files by path. Raises NotFound."""

    def read(conn: Connection) -> dict[str, bytes]:
        builds.get(conn, build_id)
        return builds.read_files(conn, build_id)

    return services.database.read(read)


def create(services: Services, source: Source, *, project: str = "") -> Build:
    """Make a build without deploying it, or give the one that is equal. The project is the source's unless given.

    Raises ManifestError for code that is not Python and packages that cannot be installed, NotFound for the project.
    """
    if problems := check_syntax(source):
        raise ManifestError(problems)
    # Before the work that it may be to make an environment.
    found = services.database.read(lambda conn: find_project(conn, project or source.name))
    prepared = services.setups.prepare(source)
    with services.setups.environments.held(prepared.environment):
        now = services.clock.now_us()
        return services.database.write(
            lambda conn: save_build(conn, found, source, prepared.setup, now=now, new_id=services.new_id)
        )


def delete(services: Services, build_id: str) -> Build:
    """Delete a build; what it was. Raises NotFound, and FailedPrecondition if a deployment or session has it."""

    def write(conn: Connection) -> Build:
        build = builds.get(conn, build_id)
        builds.remove(conn, build_id)
        return build

    return services.database.write(write)
