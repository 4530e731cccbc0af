"""Where the running code stands: in workflow code of some task, or somewhere calls are made directly.

A context variable holds the scope. Threads begin without one and so are outside; asyncio hands it to its tasks.
"""

from contextvars import ContextVar
from enum import Enum, auto
from typing import Final


class Task:
    """A task of workflow code: its path, and how far each of its counters has come.

    "0" is the main task; its children are "0.0", "0.1" in order of creation, theirs "0.1.0" and so on.
    """

    __slots__ = ("children", "next_index", "path", "prints")

    def __init__(self, path: str) -> None:
        self.path = path
        self.next_index = 0  # of effects and notes
        self.children = 0
        self.prints = 0  # lines printed: they have a numbering of their own

    def take_index(self) -> int:
        """The position of the next effect."""
        index = self.next_index
        self.next_index = index + 1
        return index

    def child(self) -> "Task":
        """A new child, numbered in order of creation."""
        path = f"{self.path}.{self.children}"
        self.children += 1
        return Task(path)


class Inhibited:
    """Workflow code under `inhibit_activities`: calls are direct, the SDK's effects go on in the same task."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task


class Outside(Enum):
    """Places where nothing is an effect of workflow code."""

    ACTIVITY = auto()
    LOADING = auto()  # a project module's own statements are being run


Scope = Task | Inhibited | Outside | None

scope: Final[ContextVar[Scope]] = ContextVar("autokitteh_scope", default=None)


def workflow_task() -> Task | None:
    """The task whose workflow code is running, or None where it is not workflow code."""
    here = scope.get()
    if type(here) is Task:
        return here
    return here.task if type(here) is Inhibited else None
