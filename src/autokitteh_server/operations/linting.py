"""A look at a project's code before it is deployed: what will not work, and what is hardly meant."""

from collections.abc import Sequence

from autokitteh_server.builds.lint import find_findings
from autokitteh_server.builds.source import Source
from autokitteh_server.core.findings import Finding


def lint(source: Source) -> Sequence[Finding]:
    """What there is to say about a source, by file and line. Nothing is run, kept or changed."""
    return find_findings(source)
