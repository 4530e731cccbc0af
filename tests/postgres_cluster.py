"""A private PostgreSQL for tests: its own files, its own socket, no TCP, gone with the process that started it."""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class NoPostgreSQL(Exception):
    """The server's programs are not installed."""


def find_programs() -> Path:
    """The folder with `postgres` and `initdb`, the newest if there are several. Raises NoPostgreSQL."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    if (on_path := shutil.which("postgres")) is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NoPostgreSQL("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")


class Cluster:
    """A running server. Databases are copied from templates, which takes some 50 ms."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self._folder = folder
        self._process = process
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://tester@/{database}?host={self._folder}"

    def create_database(self, *, template: str = "template1") -> str:
        """Make a new database like the template; returns its name."""
        name = f"{template}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, statement: str) -> list[Any]:
        """Run a statement of administration and return its rows."""
        import psycopg  # late: without PostgreSQL the tests for it are skipped, not broken

        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            cursor = conn.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """End it at once, without regard for what is connected."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()


@contextmanager
def run_cluster() -> Iterator[Cluster]:
    """Start a server; it ends with the block. Raises NoPostgreSQL."""
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="ak-pg-"))  # short: the path of a socket has at most 107 bytes
    try:
        account = _choose_account()
        if account:
            os.chown(folder, account["user"], account["group"])
        initdb = ["initdb", "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        made = subprocess.run(
            [programs / initdb[0], *initdb[1:]], cwd=folder, capture_output=True, text=True, **account
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        cluster = Cluster(folder, _start(programs, folder, account))
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(programs: Path, folder: Path, account: dict[str, Any]) -> "subprocess.Popen[str]":
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "on", "max_connections": "60"}
    process = subprocess.Popen(
        [programs / "postgres", "-D", "data", *(f"--{name}={value}" for name, value in settings.items())],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        **account,
    )
    log = []
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "ready to accept connections" in line:
            # Somebody must go on reading, or the server would stop at a full pipe.
            threading.Thread(target=process.stderr.read, name="postgres-log", daemon=True).start()
            return process
    raise RuntimeError(f"PostgreSQL did not start: {''.join(log)}")


def _choose_account() -> dict[str, Any]:
    """Another account for the server, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoPostgreSQL("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`")


def _die_with_parent() -> None:
    # Also after SIGKILL of the tests no server stays behind. SIGQUIT: at once.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
