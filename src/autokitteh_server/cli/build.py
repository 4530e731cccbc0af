"""`ak build`: snapshots of projects' files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.names import NameOf, project_names, with_id
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say
from autokitteh_server.core.api_types.builds import Build, CreateBuild
from autokitteh_server.core.api_types.connections import OfProject

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.build"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List builds, the newest first."),
    "get": Lazy(f"{_HERE}:get", "Show a build and its files."),
    "create": Lazy(f"{_HERE}:create", "Make a build, without deploying it."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a build."),
}

_EPILOG = """
\b
Examples:
  ak build list --project my_project
  ak build create examples/hello --project my_project

BLD is a build's id.
"""

_build_argument = click.argument("which", metavar="BLD")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def build() -> None:
    """Look at builds, make and delete them."""


@click.command("list", epilog=_EPILOG)
@project_option
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, limit: int, as_json: bool) -> None:
    """List builds, the newest first."""
    show_all(
        client.builds.list(OfProject(project=project), limit),
        as_json,
        lambda found: _render_list(found, project_names(client)),
    )


@click.command(epilog=_EPILOG)
@_build_argument
@json_option
@with_client
def get(client: "Client", which: str, as_json: bool) -> None:
    """Show a build and its files."""
    show(client.builds.get(which), as_json, lambda found: _render(found, project_names(client)))


@click.command(epilog=_EPILOG)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--project", metavar="NAME", default="", help="Of which project it is. Default: the manifest's.")
@json_option
@with_client
def create(client: "Client", path: Path, project: str, as_json: bool) -> None:
    """Make a build, without deploying it.

    PATH is a project's directory, a .py file or a .txtar archive. The id is printed; equal files have one build.
    """
    from autokitteh_server.builds.gather import gather_source  # not needed for help

    files = gather_source(path).files
    made = client.builds.create(CreateBuild(files=dict(files), project=project))
    show(made, as_json, lambda made: [made.id])


@click.command(epilog=_EPILOG)
@_build_argument
@with_client
def delete(client: "Client", which: str) -> None:
    """Delete a build.

    No deployment and no session may have it.
    """
    client.builds.delete(which)
    say(f"Deleted build {which}")


def _render_list(builds: list[Build], project_of: NameOf) -> list[str]:
    rows = [
        (each.id, local_time(each.created_at), str(len(each.files)), each.digest[:12], project_of(each.project_id))
        for each in builds
    ]
    return render_table(("ID", "CREATED", "FILES", "DIGEST", "PROJECT"), rows)


def _render(build: Build, project_of: NameOf) -> list[str]:
    fields = {
        "id": build.id,
        "project": with_id(project_of, build.project_id),
        "created": local_time(build.created_at),
        "digest": build.digest,
    }
    return [*render_fields(fields), "", *build.files]
