"""`ak project`: what is deployed, as a whole."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.server import json_option, limit_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say, warn, write_bytes
from autokitteh_server.core.api_types.projects import CreateProject, Project

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.project"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List projects, by name."),
    "get": Lazy(f"{_HERE}:get", "Show a project."),
    "create": Lazy(f"{_HERE}:create", "Make an empty project."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a project with everything in it."),
    "export": Lazy(f"{_HERE}:export", "Get a project back as files."),
    "lint": Lazy(
        "autokitteh_server.cli.lint:lint", "Say what in a project's code will not work, and what is hardly meant."
    ),
}

_EPILOG = """
\b
Examples:
  ak project list
  ak project export my_project --to backup/
  ak project export my_project > my_project.txtar
  ak project lint my_project/

NAME is a project's name or id. Deploying makes a project, too: see `ak deploy`.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def project() -> None:
    """Look at projects, make, export and delete them."""


@click.command("list", epilog=_EPILOG)
@limit_option
@json_option
@with_client
def list_(client: "Client", limit: int, as_json: bool) -> None:
    """List projects, by name."""
    show_all(client.projects.list(limit), as_json, _render_list)


@click.command(epilog=_EPILOG)
@click.argument("name")
@json_option
@with_client
def get(client: "Client", name: str, as_json: bool) -> None:
    """Show a project."""
    show(client.projects.get(name), as_json, _render)


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--display-name", metavar="TEXT", default="", help="What people see.")
@json_option
@with_client
def create(client: "Client", name: str, display_name: str, as_json: bool) -> None:
    """Make an empty project.

    Its id is printed.
    """
    made = client.projects.create(CreateProject(name=name, display_name=display_name))
    show(made, as_json, lambda made: [made.id])


@click.command(epilog=_EPILOG)
@click.argument("name")
@with_client
def delete(client: "Client", name: str) -> None:
    """Delete a project with everything in it.

    That is its connections, triggers, vars, builds, events, sessions and stored values. No session may be under way.
    """
    client.projects.delete(name)
    say(f"Deleted project {name}")


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--to", "folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@with_client
def export(client: "Client", name: str, folder: Path | None) -> None:
    """Get a project back as files.

    With a manifest that says what the project is now, such that deploying them changes nothing. Values of secret vars
    are left out. Without --to they are written to standard output, as an archive that `ak deploy` takes;
    it gives a newline to files without one at their end, and says so.
    """
    from autokitteh_server.core.txtar import Archive, ends_in_newline, render_txtar  # not needed for help

    files = client.projects.export(name).files
    if folder is None:
        write_bytes(render_txtar(Archive(comment=b"", files=files)))
        if changed := [path for path, content in files.items() if not ends_in_newline(content)]:
            warn(f"An archive can't be without a newline at the end of {', '.join(changed)}. Use --to to keep it so.")
        return
    _write(folder, files)
    say(f"Exported project {name} to {folder}")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument  # not needed for help
    from autokitteh_server.core.names import path_problem

    for path in files:
        # What a server says is not taken for granted: nothing shall be written outside of the folder.
        if problem := path_problem(path):
            raise InvalidArgument(f"the server sends a file {path!r}: {problem}")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise FailedPrecondition(f"{folder} is not empty", "Give a folder that does not exist yet.")
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        where = error.filename or folder
        raise FailedPrecondition(f"{where}: cannot be written: {error.strerror}", "Give another folder.") from error


def _render_list(projects: list[Project]) -> list[str]:
    rows = [(each.name, each.display_name, local_time(each.created_at), each.id) for each in projects]
    return render_table(("NAME", "DISPLAY NAME", "CREATED", "ID"), rows)


def _render(project: Project) -> list[str]:
    return render_fields(
        {
            "id": project.id,
            "name": project.name,
            "display name": project.display_name,
            "store": project.store_url or "",
            "created": local_time(project.created_at),
        }
    )
