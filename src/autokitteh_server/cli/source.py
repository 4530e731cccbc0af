"""The options by which commands are told which project's files are meant."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_OPTIONS = (
    click.argument("path", type=click.Path(path_type=Path), required=False),
    click.option("--manifest", metavar="FILE", type=click.Path(path_type=Path), help="In place of the project's own."),
    click.option("--dir", "directory", metavar="DIR", type=click.Path(path_type=Path), help="Where the code is."),
    click.option(
        "--file", "files", metavar="FILE", type=click.Path(path_type=Path), multiple=True, help="One more file."
    ),
    click.option("--name", metavar="NAME", default="", help="The project's name, in place of the manifest's."),
)


def with_source(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options. It gets what they name instead: `contents`, a project's files, and its `name`."""

    @functools.wraps(command)
    def gathered(
        *args: Any,
        path: Path | None,
        manifest: Path | None,
        directory: Path | None,
        files: tuple[Path, ...],
        name: str,
        **kwargs: Any,
    ) -> Any:
        from autokitteh_server.builds.gather import gather_source  # not needed for help

        source = gather_source(path, manifest=manifest, directory=directory, files=files, name=name)
        return command(*args, contents=dict(source.files), name=source.name, **kwargs)

    wrapped: Callable[..., Any] = gathered
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
