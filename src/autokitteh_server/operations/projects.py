"""Projects as people handle them: list, make, delete, and get back as files."""

from collections.abc import Sequence
from dataclasses import replace

from autokitteh_server.builds.source import has_secret_values
from autokitteh_server.core.entities import Project
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest import MANIFEST_FILES, Limits
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.manifest_render import render_manifest
from autokitteh_server.core.plan import make_plan
from autokitteh_server.core.plan_state import ProjectState, manifest_of
from autokitteh_server.operations.applying import load_state
from autokitteh_server.operations.checks import check_name, check_text
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import builds, deployments, projects
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

    deleted = services.database.write(write)
    services.feeds_changed()
    return deleted


def export_project(services: Services, which: str) -> dict[str, bytes]:
    """A project's files by path: its active build's, with a manifest that says what the project is now.

    Deploying them changes nothing. The manifest is the one that was deployed, if that says it all; otherwise a new
    one, in which values of secret vars are left out: they stay where they are. Raises NotFound.
    """

    def read(conn: Connection) -> dict[str, bytes]:
        project = find_project(conn, which)
        active = deployments.active_of(conn, [project.id]).get(project.id)
        files = builds.read_files(conn, active.build_id) if active else {}
        return _with_manifest(files, load_state(conn, project.name, services.box))

    return services.database.read(read)


def _with_manifest(files: dict[str, bytes], state: ProjectState) -> dict[str, bytes]:
    path = next((path for path in MANIFEST_FILES if path in files), MANIFEST_FILES[0])
    if path in files and _says_all(files[path], state):
        return files
    present = replace(manifest_of(state), limits=_limits_of(files.get(path)))
    return dict(sorted({**files, path: render_manifest(present).encode()}.items()))


def _limits_of(manifest: bytes | None) -> Limits:
    """What sessions may use, which the build says alone."""
    try:
        return parse_manifest(manifest).limits if manifest is not None else Limits()
    except ManifestError:
        return Limits()


def _says_all(text: bytes, state: ProjectState) -> bool:
    try:
        manifest = parse_manifest(text)
        plan = make_plan(manifest, state)
    except (ManifestError, FailedPrecondition):
        return False
    return manifest.name == state.name and not (plan.lines or has_secret_values(manifest))
