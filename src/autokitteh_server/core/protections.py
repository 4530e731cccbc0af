"""What stands between sessions and everything else on a machine, for people who want to know."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether something is in force."""

    ON = "on"
    PARTLY = "partly"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """One thing that is, or is not, in force."""

    name: str
    state: State
    detail: str  # what it comes to, or why there is none: a sentence
    remedy: str = ""  # a sentence, where there is something to be done
