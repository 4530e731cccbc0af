"""A manifest as a value: what a project consists of, apart from its code."""

from dataclasses import dataclass, fields
from enum import StrEnum

from autokitteh_server.core.names import Entry

#: Names under which a project's manifest is looked for, in this order.
MANIFEST_FILES = ("autokitteh.yaml", "autokitteh.yml", "manifest.yaml")


class Version(StrEnum):
    """Version of the manifest's format. All differences between them are in this class."""

    V1 = "v1"
    V2 = "v2"

    @property
    def durable_by_default(self) -> bool:
        """What a trigger gets that says nothing about `is_durable`."""
        return self is Version.V1


class TriggerType(StrEnum):
    """Where the events of a trigger come from."""

    WEBHOOK = "webhook"
    SCHEDULE = "schedule"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    """A variable of a project or a connection, which code sees in its environment."""

    name: str
    value: str | None = None  # None: not given; what is set already is kept
    secret: bool = False
    description: str = ""

    def __repr__(self) -> str:
        value = "***" if self.secret else self.value  # reprs end up in logs
        return f"Var(name={self.name!r}, value={value!r}, secret={self.secret}, description={self.description!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Named credentials for an integration."""

    name: str
    integration: str
    vars: tuple[Var, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A source of events, which of them matter, and the function that gets them."""

    name: str
    type: TriggerType
    is_durable: bool
    call: Entry | None = None  # None: starts no session; code subscribes to it, or uses its URL
    event_type: str = ""  # "": any
    filter: str = ""  # CEL; "": no filter
    schedule: str = ""  # cron expression of a schedule
    timezone: str = ""  # of the schedule; "": UTC
    connection: str = ""  # name of one of the manifest's connections
    is_sync: bool = False  # a webhook whose sender waits for the session's outcome
    allow_overlap: bool = False  # a schedule: also while the session of an earlier tick is not over


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What each session of a project may use. None: what the server's settings say."""

    memory_bytes: int | None = None
    cpu_s: int | None = None
    processes: int | None = None
    open_files: int | None = None
    file_bytes: int | None = None

    def given(self) -> dict[str, int]:
        """Those that are said."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A project. Made by `parse_manifest`, which promises that names are unique, and that references lead somewhere."""

    version: Version
    name: str
    display_name: str = ""
    limits: Limits = Limits()
    vars: tuple[Var, ...] = ()
    connections: tuple[Connection, ...] = ()
    triggers: tuple[Trigger, ...] = ()
