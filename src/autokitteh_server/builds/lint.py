"""The rules by which `ak project lint` looks at a project, as a table, and what they find.

Nothing is run. A rule is silent where it can't be sure, so that what is found is worth looking at.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from autokitteh_server.builds import lint_rules as rules
from autokitteh_server.builds.lint_rules import Project, Spot
from autokitteh_server.builds.source import Source
from autokitteh_server.core.findings import Finding, Severity

#: At the end of a line, in a comment: findings of these rules are left out there.
_IGNORED = re.compile(rb"#\s*ak:\s*ignore\[([a-z, -]+)\]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to look for."""

    id: str  # stands in people's files and programs: never changed
    severity: Severity
    title: str
    about: str  # for the reference: why it matters, in which cases
    check: Callable[[Project], Iterable[Spot]]
    can_be_ignored: bool = True  # False: it stands against deploying, whatever a comment says


RULES: tuple[Rule, ...] = (
    Rule(
        id="syntax",
        severity=Severity.ERROR,
        title="A file is not Python",
        about="The syntax is that of the Python which runs the server.",
        check=rules.syntax,
        can_be_ignored=False,
    ),
    Rule(
        id="missing-entry",
        severity=Severity.ERROR,
        title="A trigger calls what is not there",
        about="Its `call` names a file that the project does not have, or a function that is not at its top level.",
        check=rules.missing_entry,
        can_be_ignored=False,
    ),
    Rule(
        id="bad-requirement",
        severity=Severity.ERROR,
        title="`requirements.txt` cannot be used",
        about="A line is no requirement, names a path, or asks for a promised package in a version that is not "
        "promised.",
        check=rules.bad_requirement,
        can_be_ignored=False,
    ),
    Rule(
        id="durable-only",
        severity=Severity.ERROR,
        title="A session that is not durable waits for a signal",
        about="`next_signal` is called in what a trigger without `is_durable: true` calls, itself or through other "
        "functions.",
        check=rules.durable_only,
    ),
    Rule(
        id="promised-package",
        severity=Severity.WARNING,
        title="`requirements.txt` repeats a promised package",
        about="It is there anyway, and a version in `requirements.txt` that fits today may not do so for ever.",
        check=rules.repeated_promise,
    ),
    Rule(
        id="unused-connection",
        severity=Severity.WARNING,
        title="Nothing uses a connection",
        about="The manifest declares it, but no trigger has it, and its name is in no text of the code or var of the "
        "project.",
        check=rules.unused_connection,
    ),
    Rule(
        id="unknown-connection",
        severity=Severity.WARNING,
        title="Code names a connection that the manifest does not declare",
        about="A client such as `slack_client` is made for it. That fails, unless somebody makes the connection by "
        "hand. Without a manifest there is nothing to compare with.",
        check=rules.unknown_connection,
    ),
    Rule(
        id="late-import",
        severity=Severity.WARNING,
        title="An import in a function will hardly succeed",
        about="The module is neither the project's, nor Python's, nor promised, and no package in `requirements.txt` "
        "is called like it. Imports in a `try` that catches ImportError are left alone.",
        check=rules.unresolved_late_import,
    ),
    Rule(
        id="set-order",
        severity=Severity.WARNING,
        title="Activities happen in the order of a set",
        about="A durable session loops over a set and does something that is recorded. Texts and numbers in sets come "
        "in the same order in a replay; other objects do not, and the replay fails.",
        check=rules.order_of_set,
    ),
    Rule(
        id="whole-clients",
        severity=Severity.INFO,
        title="All clients of a family are imported",
        about="`from autokitteh import google` may use any of them, so the project's environment gets the packages of "
        "all. `from autokitteh.google import gmail_client` takes less.",
        check=rules.whole_clients,
    ),
)


def find_findings(source: Source) -> list[Finding]:
    """What the rules find in a project, each once, by file, line and rule; without what its lines say to ignore."""
    project = Project(source)
    comments = _Comments(source.files)
    found = {
        _finding(rule, spot)
        for rule in RULES
        for spot in rule.check(project)
        if not (rule.can_be_ignored and rule.id in comments.ignored_at(spot))
    }
    return sorted(found, key=lambda each: (each.file, each.line, each.id, each.message))


def _finding(rule: Rule, spot: Spot) -> Finding:
    return Finding(
        id=rule.id,
        severity=rule.severity,
        file=spot.file,
        line=spot.line,
        message=spot.message,
        remedy=spot.remedy,
    )


class _Comments:
    """What the comments at the ends of lines switch off."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._lines: dict[str, list[bytes]] = {}

    def ignored_at(self, spot: Spot) -> set[str]:
        """The rules that are not to be applied to a line."""
        if spot.file not in self._lines:
            self._lines[spot.file] = self._files.get(spot.file, b"").split(b"\n")
        lines = self._lines[spot.file]
        comment = _IGNORED.search(lines[spot.line - 1]) if 0 < spot.line <= len(lines) else None
        return {each.strip() for each in comment[1].decode().split(",")} if comment else set()
