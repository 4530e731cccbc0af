"""`ak project lint`: a look at a project's code before it is deployed."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.server import json_option, show_all, with_client
from autokitteh_server.cli.source import with_source
from autokitteh_server.cli.terminal import say, style, visible
from autokitteh_server.core.api_types.builds import Finding, Lint
from autokitteh_server.core.findings import Severity

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}

_EPILOG = """
\b
Examples:
  ak project lint my_project/
  ak project lint program.py --strict
  ak project lint -j | jq .id

A comment at the end of a line, `# ak: ignore[set-order]`, leaves findings of a rule out there. With an error the exit
code is 1, with --strict with a warning, too.
"""


@click.command(epilog=_EPILOG)
@with_source
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@json_option
@with_client
def lint(client: "Client", contents: dict[str, bytes], name: str, strict: bool, as_json: bool) -> int:
    """Say what in a project's code will not work, and what is hardly meant.

    Nothing is run and nothing deployed. PATH is a project's directory, a .py file or a .txtar archive; without it, what
    the options name, or the working directory.
    """
    found = client.projects.lint(Lint(files=contents, name=name))
    show_all(found, as_json, lambda findings: [line for each in findings for line in _render(each)])
    if not found and not as_json:
        say(f"Project {name}: nothing found")
    fatal = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return ExitCode.FAILED if any(each.severity in fatal for each in found) else ExitCode.DONE


def _render(finding: Finding) -> list[str]:
    severity = style(finding.severity, fg=_COLOURS[finding.severity])
    line = f"{visible(finding.file)}:{finding.line}: {severity} {finding.id} {visible(finding.message)}"
    return [line, f"    {visible(finding.remedy)}"] if finding.remedy else [line]
