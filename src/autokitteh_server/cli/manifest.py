"""`ak manifest`: what manifests may contain, whether one is good, and what it would change."""

import json
from pathlib import Path

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.terminal import complain, say, write_lines

_HERE = "autokitteh_server.cli.manifest"
_COMMANDS = {
    "schema": Lazy(f"{_HERE}:schema", "Print the JSON Schema of manifests, for editors."),
    "validate": Lazy(f"{_HERE}:validate", "Say what is wrong with a manifest."),
    "plan": Lazy("autokitteh_server.cli.manifest_changes:plan", "Show what applying a manifest would do."),
    "apply": Lazy("autokitteh_server.cli.manifest_changes:apply", "Make a project what its manifest says."),
}

_EPILOG = """
\b
Examples:
  ak manifest schema > autokitteh.schema.json
  ak manifest validate autokitteh.yaml
  ak manifest validate my_project/
  ak manifest plan my_project/
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def manifest() -> None:
    """Check manifests (autokitteh.yaml), and apply them."""


@click.command(epilog=_EPILOG)
def schema() -> None:
    """Print the JSON Schema of manifests, for editors."""
    from autokitteh_server.core.manifest_schema import manifest_json_schema  # not needed for help

    write_lines([json.dumps(manifest_json_schema(), indent=2)])


@click.command(epilog=_EPILOG)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-j", "--json", "as_json", is_flag=True, help="The problems, a JSON object a line.")
def validate(path: Path, as_json: bool) -> int:
    """Say what is wrong with a manifest.

    PATH is the file, or a project's directory. All problems are told at once; with any, the exit code is 40.
    """
    # Reading YAML takes an import that help can do without.
    from autokitteh_server.core.manifest_problems import ManifestError
    from autokitteh_server.operations.manifest_files import load_manifest

    try:
        found, file = load_manifest(path)
    except ManifestError as error:
        if as_json:
            write_lines([json.dumps(problem.to_json(), ensure_ascii=False) for problem in error.problems])
        else:
            complain(str(error))
        return ExitCode.INVALID_ARGUMENT
    if not as_json:
        say(f"{file}: fine: project {found.name}, {_count(len(found.triggers), 'trigger')}, "
            f"{_count(len(found.connections), 'connection')}, {_count(len(found.vars), 'var')}")  # fmt: skip
    return ExitCode.DONE


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
