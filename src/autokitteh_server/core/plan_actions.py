"""The steps of a plan. As text each is a line for people, which never has a value of a var in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from autokitteh_server.core.manifest import Connection, Trigger, Var


class Verb(StrEnum):
    CREATE = "+"
    UPDATE = "~"
    REMOVE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step."""

    noun: ClassVar[str] = ""

    verb: Verb
    name: str
    detail: str = ""

    @property
    def path(self) -> str:
        """What it is done to, within the project."""
        return self.name

    def __str__(self) -> str:
        return f"{self.verb} {self.noun} {self.path}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectAction(Action):
    """A project is made, or gets another name to be shown."""

    noun: ClassVar[str] = "project"

    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VarAction(Action):
    """A var of the project or of a connection is set or removed."""

    noun: ClassVar[str] = "var"

    connection: str = ""  # "": of the project
    wanted: Var | None = None  # None: removed. Its value None: what is there is kept; nothing there: ""

    @property
    def path(self) -> str:
        return f"{self.connection}/{self.name}" if self.connection else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAction(Action):
    """A connection is made, changed, or removed with its vars. The vars that it is to have are actions of their own."""

    noun: ClassVar[str] = "connection"

    wanted: Connection | None = None  # None: removed


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerAction(Action):
    """A trigger is made, changed or removed."""

    noun: ClassVar[str] = "trigger"

    wanted: Trigger | None = None  # None: removed
