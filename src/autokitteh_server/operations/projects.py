"""Projects as people handle them: list, make, delete, and get back as files."""

from collections.abc import Sequence

from autokitteh_server.core.entities import Project
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.operations.checks import check_name, check_text
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import projects
from autokitteh_server.storage.connection import Connection


def list_page(services: Services, *, limit: int, after_name: str = "") -> Sequence[Project]:
    """Projects by name. `after_name`: the last one of the page before."""
    return services.database.read(lambda conn: projects.list(conn, limit=limit, after_name=after_name))


def get(services: Services, which: str) -> Project:
    """A project by name or id. Raises NotFound."""
    return services.database.read(lambda conn: find_project(conn, which))


def create(services: Services, name: str, *, display_name: str = "") -> Project:
    """Make an empty project. Raises InvalidArgument for the name, and FailedPrecondition if there is one of it."""
    check_name("project", name)
    check_text("display_name", display_name)
    project = Project(
        id=services.new_id("prj"),
        name=name,
        display_name=display_name,
        store_slug=services.new_slug(),
        created_at=services.clock.now_us(),
    )

    def write(conn: Connection) -> None:
        if projects.get_or_create(conn, project).id != project.id:
            raise FailedPrecondition(f"there is a project named {name} already", "Give another name.")

    services.database.write(write)
    return project


def delete(services: Services, which: str) -> Project:
    """Delete a project with everything in it; what it was.

    Raises NotFound, and FailedPrecondition if one of its sessions is not over.
    """

    def write(conn: Connection) -> Project:
        project = find_project(conn, which)
        projects.delete_all_of(conn, project.id)
        return project

    return services.database.write(write)
