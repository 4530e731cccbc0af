"""`ak manifest plan|apply`: what a manifest would change, and having it done."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.deploy import render_webhooks
from autokitteh_server.cli.server import json_option, show, with_client
from autokitteh_server.core.api_types.builds import Applied, ManifestText, Plan

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_name = click.option("--name", metavar="NAME", default="", help="The project's name, in place of the manifest's.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@_name
@json_option
@with_client
def plan(client: "Client", path: Path, name: str, as_json: bool) -> None:
    """Show what applying a manifest would do.

    PATH is the file, or a project's directory.
    """
    show(client.projects.plan(_read(path, name)), as_json, _render_plan)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@_name
@json_option
@with_client
def apply(client: "Client", path: Path, name: str, as_json: bool) -> None:
    """Make a project what its manifest says.

    PATH is the file, or a project's directory. The code is left alone: `ak deploy` does both.
    """
    show(client.projects.apply(_read(path, name)), as_json, _render_applied)


def _read(path: Path, name: str) -> ManifestText:
    from autokitteh_server.operations.manifest_files import read_manifest  # not needed for help

    text, file = read_manifest(path)
    return ManifestText(text=text, file=str(file), name=name)


def _render_plan(plan: Plan) -> list[str]:
    return [*plan.lines, *(["Nothing to do."] if plan.is_empty else [])]


def _render_applied(applied: Applied) -> list[str]:
    return [*(applied.lines or ["Nothing to do."]), *render_webhooks(applied.webhooks)]
