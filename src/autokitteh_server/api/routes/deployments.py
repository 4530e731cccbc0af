"""Deployments."""

from msgspec import UNSET

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import make_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.builds import CreateDeployment, Deployment, DeploymentQuery
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page
from autokitteh_server.operations import deployments


def list_(ctx: Context, *, query: DeploymentQuery) -> Page[Deployment]:
    """Deployments, newest first."""
    return make_page(
        query,
        lambda limit, after: deployments.list_page(
            ctx.services, query.project, None if query.state is UNSET else query.state, limit=limit, after_id=after
        ),
        place=lambda deployment: deployment.id,
        show=Deployment.of,
    )


def create(ctx: Context, *, body: CreateDeployment) -> Deployment:
    """Make a deployment of a build that is there."""
    return Deployment.of(deployments.create(ctx.services, body.build, activate=body.activate))


def get(ctx: Context, *, deployment: str) -> Deployment:
    """A deployment by its id; or a project's active one, by the project's name or id."""
    return Deployment.of(deployments.get(ctx.services, deployment))


def activate(ctx: Context, *, deployment: str) -> Deployment:
    """Make a deployment the active one of its project."""
    return Deployment.of(deployments.activate(ctx.services, deployment))


def deactivate(ctx: Context, *, deployment: str) -> Deployment:
    """Have a deployment start no more sessions. Those it has started go on."""
    return Deployment.of(deployments.deactivate(ctx.services, deployment))


def delete(ctx: Context, *, deployment: str) -> None:
    """Delete a deployment that is inactive. Its build and its sessions stay."""
    deployments.delete(ctx.services, deployment)


ROUTES = (
    Route("GET", "/deployments", Scope.READ, list_, "List deployments"),
    Route("POST", "/deployments", Scope.WRITE, create, "Make a deployment", status=201),
    Route("GET", "/deployments/{deployment}", Scope.READ, get, "Get a deployment"),
    Route("POST", "/deployments/{deployment}/activate", Scope.WRITE, activate, "Activate a deployment"),
    Route("POST", "/deployments/{deployment}/deactivate", Scope.WRITE, deactivate, "Deactivate a deployment"),
    Route("DELETE", "/deployments/{deployment}", Scope.WRITE, delete, "Delete a deployment"),
)
