"""What a look at a project's code found: less than what stands against deploying it, or the same."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # it cannot work
    WARNING = "warning"  # it is hardly meant
    INFO = "info"  # it works; good to know


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that somebody should look at."""

    id: str  # of the rule; it stays the same
    severity: Severity
    file: str
    line: int  # from 1
    message: str  # what is wrong: a clause without a full stop
    remedy: str  # a sentence, or ""
