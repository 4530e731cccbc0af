"""The settings of a server, each with its kind, default and help: all else about them is made from these classes.

A setting's key is its way through the fields, such as `http.addr`; its variable is `AK_HTTP__ADDR`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autokitteh_runner.protocol import Limits
from autokitteh_server.config_kinds import (
    ADDRESS,
    CRASH_POINT,
    DATABASE,
    FLAG,
    HOSTS,
    NUMBER,
    PATH,
    PATHS,
    POSITIVE,
    SECRET_KEY,
    URL,
    choice,
    describe,
    setting,
    whole_number,
)

_ANY_HOST = frozenset({"", "0.0.0.0", "[::]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """The door to the network."""

    addr: str = setting(ADDRESS, "where the server listens", "127.0.0.1:9980")
    service_url: str = setting(
        URL, "under which others reach the server, for the URLs that it tells them", "", words="from `http.addr`"
    )
    allowed_hosts: tuple[str, ...] = setting(
        HOSTS, "names of the server, beside those in `http.addr` and `http.service_url`, that requests may use", ()
    )
    webhook_body_bytes: int = setting(whole_number(1), "the largest body of a webhook", 524_288)
    service_body_bytes: int = setting(
        whole_number(1), "the largest body of what a service sends; GitHub's have up to 25 MiB", 26_214_400
    )
    sync_timeout_s: float = setting(POSITIVE, "how long the sender of a sync webhook waits for its session", 30.0)

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where the server listens; the host without brackets."""
        host, _, port = self.addr.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def public_url(self) -> str:
        """What others are told, without a slash at the end."""
        host, _, port = self.addr.rpartition(":")
        return self.service_url or f"http://{'127.0.0.1' if host in _ANY_HOST else host}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long things are kept. 0 is for ever."""

    events_days: float = setting(NUMBER, "days for which events are kept; 0: for ever", 30.0)
    sessions_days: float = setting(NUMBER, "days for which sessions that are over are kept; 0: for ever", 90.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the server says about itself."""

    level: str = setting(choice("debug", "info", "warning", "error"), "the least that is worth a line", "info")
    format: str = setting(choice("auto", "text", "json"), "auto: text on a terminal, otherwise JSON lines", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationSettings:
    """What keeps sessions from the server and from one another."""

    mode: str = setting(
        choice("auto", "off"),
        "auto: all that this machine can do, which `ak doctor` tells; off: sessions may do what the server may",
        "auto",
    )
    read_paths: tuple[Path, ...] = setting(PATHS, "files and folders that sessions may read, too", ())
    write_paths: tuple[Path, ...] = setting(PATHS, "files and folders that sessions may write, too", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server needs to know before it starts."""

    data_dir: Path = field(
        metadata=describe(PATH, "the folder of the server's files", "`autokitteh` in the XDG data directory")
    )
    db: str = setting(DATABASE, "the database", "", words="SQLite in the data folder")
    durable: bool = setting(FLAG, "false: a power cut may lose what was committed; for throw-away stores", True)
    max_runners: int = setting(
        whole_number(1),
        "sessions that run at once; one that waits in a slow call is among them",
        make=lambda: max(32, 16 * (os.cpu_count() or 1)),
        words="16 for each processor, at least 32",
    )
    max_warm: int = setting(whole_number(0), "processes of waiting sessions that are kept", 16)
    max_failures: int = setting(whole_number(1), "deaths of its process in a row, after which a session fails", 3)
    effects_per_turn: int | None = setting(
        whole_number(1), "throw a session's process away after so many effects; for tests of replay"
    )
    environment: str = setting(
        choice("imported", "full", "server"),
        "the packages that a project has: of the promised ones those that its code imports (imported) or all (full), "
        "and its requirements.txt; or those that are installed beside the server, and nothing else (server)",
        "imported",
    )
    environment_folder: Path | None = setting(  # noqa: RUF009 - a function that makes a field, like `field`
        PATH, "where environments are kept", words="`environments` in the data folder"
    )
    environment_source_builds: bool = setting(
        FLAG, "install packages that have to be built first, which runs their code as the server's user", False
    )
    fork_server_idle_s: float = setting(
        POSITIVE, "after so long without a session the process that starts a project's sessions is ended", 1800.0
    )
    limits: Limits = field(default_factory=Limits)
    isolation: IsolationSettings = field(default_factory=IsolationSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    secret_key: str = setting(
        SECRET_KEY, "the key for secrets: 32 bytes in base64url; the first seals, others only open", ""
    )
    secret_key_file: Path | None = setting(  # noqa: RUF009 - a function that makes a field, like `field`
        PATH, "a file with the key instead", words="`secret-key` in the data folder, made at the first start"
    )
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    stop_grace_s: float = setting(NUMBER, "how long activities may go on when the server stops", 10.0)
    log: LogSettings = field(default_factory=LogSettings)
    crash_at: str = setting(CRASH_POINT, "a place in the program to die at; for tests of recovery", "")

    @property
    def environments(self) -> Path:
        """The folder of environments."""
        return self.environment_folder or self.data_dir / "environments"

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.db or f"sqlite:///{self.data_dir / 'autokitteh.db'}"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where a server keeps its data unless told otherwise: AK_DATA_DIR, or a folder in the XDG data directory."""
    if given := environ.get("AK_DATA_DIR"):
        return Path(given).expanduser()
    data_home = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "autokitteh"


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Where is kept what can be made again: a folder in the XDG cache directory."""
    return Path(environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "autokitteh"
