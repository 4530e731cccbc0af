"""Projects."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import make_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.projects import CreateProject, Exported, Project
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, PageQuery
from autokitteh_server.operations import projects


def list_(ctx: Context, *, query: PageQuery) -> Page[Project]:
    """Projects, by name."""
    return make_page(
        query,
        lambda limit, after: projects.list_page(ctx.services, limit=limit, after_name=after or ""),
        place=lambda project: project.name,
        show=lambda project: Project.of(project, ctx.surface.public_url),
    )


def create(ctx: Context, *, body: CreateProject) -> Project:
    """Make an empty project. Deploying makes one, too."""
    made = projects.create(ctx.services, body.name, display_name=body.display_name)
    return Project.of(made, ctx.surface.public_url)


def get(ctx: Context, *, project: str) -> Project:
    """A project by name or id."""
    return Project.of(projects.get(ctx.services, project), ctx.surface.public_url)


def delete(ctx: Context, *, project: str) -> None:
    """Delete a project with everything in it. Its sessions must be over."""
    projects.delete(ctx.services, project)


def export(ctx: Context, *, project: str) -> Exported:
    """A project's files, with a manifest that says what it is now. Values of secret vars are left out."""
    return Exported(files=projects.export_project(ctx.services, project))


ROUTES = (
    Route("GET", "/projects", Scope.READ, list_, "List projects"),
    Route("POST", "/projects", Scope.WRITE, create, "Make a project", status=201),
    Route("GET", "/projects/{project}", Scope.READ, get, "Get a project"),
    Route("DELETE", "/projects/{project}", Scope.WRITE, delete, "Delete a project"),
    Route("GET", "/projects/{project}/export", Scope.READ, export, "Export a project"),
)
