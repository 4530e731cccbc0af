"""Builds."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import make_page
from autokitteh_server.api.route import LARGE, Route
from autokitteh_server.core.api_types.builds import Build, BuildFiles, CreateBuild
from autokitteh_server.core.api_types.connections import OfProject
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page
from autokitteh_server.operations import builds
from autokitteh_server.operations.sources import source_of


def list_(ctx: Context, *, query: OfProject) -> Page[Build]:
    """Builds, newest first."""
    return make_page(
        query,
        lambda limit, after: builds.list_page(ctx.services, query.project, limit=limit, after_id=after),
        place=lambda build: build.id,
        show=Build.of,
    )


def create(ctx: Context, *, body: CreateBuild) -> Build:
    """Make a build without deploying it, or give the one that is equal."""
    return Build.of(builds.create(ctx.services, source_of(body.files, body.project), project=body.project))


def get(ctx: Context, *, build: str) -> Build:
    """A build by its id."""
    return Build.of(builds.get(ctx.services, build))


def files(ctx: Context, *, build: str) -> BuildFiles:
    """What is in a build."""
    return BuildFiles(files=builds.files(ctx.services, build))


def delete(ctx: Context, *, build: str) -> None:
    """Delete a build. No deployment and no session may have it."""
    builds.delete(ctx.services, build)


ROUTES = (
    Route("GET", "/builds", Scope.READ, list_, "List builds"),
    Route("POST", "/builds", Scope.WRITE, create, "Make a build", status=201, body_bytes=LARGE),
    Route("GET", "/builds/{build}", Scope.READ, get, "Get a build"),
    Route("GET", "/builds/{build}/files", Scope.READ, files, "Read a build's files"),
    Route("DELETE", "/builds/{build}", Scope.WRITE, delete, "Delete a build"),
)
