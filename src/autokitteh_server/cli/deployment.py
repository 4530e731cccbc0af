"""`ak deployment`: which build of a project is live."""

from typing import TYPE_CHECKING

import click
from msgspec import UNSET

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.names import NameOf, project_names, with_id
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.builds import CreateDeployment, Deployment, DeploymentQuery
from autokitteh_server.core.states import DeploymentState

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.deployment"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List deployments, the newest first."),
    "get": Lazy(f"{_HERE}:get", "Show a deployment."),
    "create": Lazy(f"{_HERE}:create", "Deploy a build that is there."),
    "activate": Lazy(f"{_HERE}:activate", "Make a deployment the active one of its project."),
    "deactivate": Lazy(f"{_HERE}:deactivate", "Have a deployment start no more sessions."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a deployment that is inactive."),
}

_EPILOG = """
\b
Examples:
  ak deployment list --project my_project
  ak deployment activate dep_01m83...     # back to an earlier one
  ak deployment deactivate my_project

DEP is a deployment's id; to get or deactivate the active one, its project's name will do.
"""

_deployment_argument = click.argument("which", metavar="DEP")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def deployment() -> None:
    """Say which build of a project is live."""


@click.command("list", epilog=_EPILOG)
@project_option
@click.option("--state", type=click.Choice([state.value for state in DeploymentState], case_sensitive=False))
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, state: str | None, limit: int, as_json: bool) -> None:
    """List deployments, the newest first."""
    query = DeploymentQuery(project=project, state=DeploymentState(state.upper()) if state else UNSET)
    show_all(client.deployments.list(query, limit), as_json, lambda found: _render_list(found, project_names(client)))


@click.command(epilog=_EPILOG)
@_deployment_argument
@json_option
@with_client
def get(client: "Client", which: str, as_json: bool) -> None:
    """Show a deployment."""
    show(client.deployments.get(which), as_json, lambda found: _render(found, project_names(client)))


@click.command(epilog=_EPILOG)
@click.argument("build", metavar="BLD")
@click.option("--activate/--no-activate", "is_active", default=True, show_default=True, help="Make it the active one.")
@json_option
@with_client
def create(client: "Client", build: str, is_active: bool, as_json: bool) -> None:
    """Deploy a build that is there.

    Its id is printed. The manifest in the build is not applied: `ak deploy` does that.
    """
    made = client.deployments.create(CreateDeployment(build=build, activate=is_active))
    show(made, as_json, lambda made: [made.id])


@click.command(epilog=_EPILOG)
@_deployment_argument
@json_option
@with_client
def activate(client: "Client", which: str, as_json: bool) -> None:
    """Make a deployment the active one of its project."""
    show(client.deployments.activate(which), as_json, _render_state)


@click.command(epilog=_EPILOG)
@_deployment_argument
@json_option
@with_client
def deactivate(client: "Client", which: str, as_json: bool) -> None:
    """Have a deployment start no more sessions.

    Those that it has started go on; it is DRAINING until they are over.
    """
    show(client.deployments.deactivate(which), as_json, _render_state)


@click.command(epilog=_EPILOG)
@_deployment_argument
@with_client
def delete(client: "Client", which: str) -> None:
    """Delete a deployment that is inactive.

    Its build and its sessions stay.
    """
    client.deployments.delete(which)
    say(f"Deleted deployment {which}")


def _render_list(deployments: list[Deployment], project_of: NameOf) -> list[str]:
    rows = [
        (each.id, each.state.value, local_time(each.created_at), each.build_id, project_of(each.project_id))
        for each in deployments
    ]
    return render_table(("ID", "STATE", "CREATED", "BUILD", "PROJECT"), rows)


def _render(deployment: Deployment, project_of: NameOf) -> list[str]:
    return render_fields(
        {
            "id": deployment.id,
            "state": deployment.state.value,
            "project": with_id(project_of, deployment.project_id),
            "build": deployment.build_id,
            "created": local_time(deployment.created_at),
            "changed": local_time(deployment.updated_at),
        }
    )


def _render_state(deployment: Deployment) -> list[str]:
    return [f"{deployment.id}  {deployment.state}"]
