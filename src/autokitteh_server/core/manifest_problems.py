"""What is wrong with a text that a person wrote, with its place in it; and the collector that lets all be told at once.

Manifests have such problems, and so have the files of Python beside them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, Self

from autokitteh_server.core.errors import InvalidArgument


class Place(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend, and how."""

    message: str  # what is wrong: a clause without a full stop
    line: int = 1
    column: int = 1
    file: str = ""
    path: str = ""  # of the field, such as "project.triggers[0].call"; "" for a text without fields
    remedy: str = ""  # a sentence, or ""
    excerpt: str = ""  # the offending line, where showing it helps

    def to_json(self) -> dict[str, str | int]:
        """The problem as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " + (f"{self.path}: " if self.path else "")
        text = where + self.message + (f". {self.remedy}" if self.remedy else "")
        return f"{text}\n    {self.excerpt}" if self.excerpt else text


class TextError(InvalidArgument):
    """A text cannot be used. `problems` are all that were found, by position; its text has one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class ManifestError(TextError):
    """A manifest cannot be used."""

    code = "invalid_manifest"


@dataclass(slots=True)
class Problems:
    """Collects the problems of one file."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, place: Place, path: str, message: str, remedy: str = "") -> None:
        self.found.append(
            Problem(message=message, line=place.line, column=place.column, file=self.file, path=path, remedy=remedy)
        )

    def raise_if_any(self) -> None:
        """Raises ManifestError if something was found."""
        if self.found:
            raise ManifestError(self.found)
