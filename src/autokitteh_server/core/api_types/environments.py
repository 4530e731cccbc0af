"""Python environments, and what keeps sessions apart, as the HTTP API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from autokitteh_server.core import protections
from autokitteh_server.core.protections import State


class Environment(Struct, frozen=True, kw_only=True):
    """A Python environment that was made for builds."""

    id: str
    packages: Annotated[list[str], Meta(description="What is in it, as name==version")]
    size_bytes: int
    is_used: Annotated[bool, Meta(description="Whether a build has it")]


class Environments(Struct, frozen=True, kw_only=True):
    """All that there are."""

    environments: list[Environment]


class Removed(Struct, frozen=True, kw_only=True):
    """Environments that were removed."""

    environments: list[Environment]


class Warm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project whose sessions are to start fast."""

    project: Annotated[str, Meta(description="Name or id of the project")]


class Warmed(Struct, frozen=True, kw_only=True):
    """What came of making it ready."""

    lines: Annotated[list[str], Meta(description="What to know of how its sessions start, for people; mostly nothing")]


class Protection(Struct, frozen=True, kw_only=True):
    """One thing that keeps sessions from the server and from one another, or does not."""

    name: str
    state: State
    detail: str
    remedy: str = ""

    @classmethod
    def of(cls, found: protections.Protection) -> Self:
        return cls(name=found.name, state=found.state, detail=found.detail, remedy=found.remedy)


class Examination(Struct, frozen=True, kw_only=True):
    """What is in force on the server's machine."""

    protections: list[Protection]
