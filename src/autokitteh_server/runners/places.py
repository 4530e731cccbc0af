"""What a session's process needs to be what it is: which Python, which packages, whose rights."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where sessions run whose fork server may be the same one."""

    python: Path  # the interpreter: of an environment, or the bare one
    has_packages: bool  # False: there is the standard library alone
    modules: tuple[str, ...] = ()  # third-party modules that are imported before the first fork
    environment: str = ""  # its id, for people; "": it is none that was made for a project
    user: int | None = None  # whom it runs as, by number; None: as the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of starting a fork server."""

    failed: dict[str, str]  # modules that could not be imported, and why
    threads: tuple[str, ...]  # the module that started a thread when it was imported, if any
    descriptors: tuple[str, ...]  # what imports left open
    confinement: dict[str, object]  # what is in force, as `confine_fork_server` says it

    @property
    def is_fit(self) -> bool:
        """Whether it can be forked from."""
        return not self.threads and not self.descriptors

    @property
    def why_unfit(self) -> str:
        """For people; "" if it is fit."""
        if self.threads:
            return f"importing {self.threads[0]} starts a thread"
        return f"imports leave open what cannot be shared: {', '.join(self.descriptors)}" if self.descriptors else ""
