"""Python environments for projects: made once for all that want the same, never changed, removed when nobody does.

An environment is a virtual environment of uv's, in a folder named by the hash of what is in it: the Python and the
exact versions (its lock). What was resolved from the same requirements once is not resolved again. Where nothing is
required there is no folder: that is Python with its standard library alone.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

from autokitteh_server.runners.uv import Uv

#: The file in an environment's folder that says that it is whole, and what is in it.
_ABOUT: Final = "autokitteh.json"
_UNFINISHED: Final = ".unfinished-"
_LOCKS: Final = "locks"

#: Raised with what would make an environment of the same lock another one.
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an environment is to hold."""

    requirements: tuple[str, ...] = ()  # lines of a requirements file, options among them
    constraints: tuple[str, ...] = ()  # what must hold of packages, should they come in

    @property
    def is_nothing(self) -> bool:
        """Whether Python itself will do."""
        return not any(not line.startswith("-") for line in self.requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One that has been made."""

    id: str
    folder: Path
    lock: str  # what is in it: options of the installation, and then packages, one a line
    size_bytes: int

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> list[str]:
        """What is in it, as name==version."""
        return [line for line in self.lock.splitlines() if line and not line.startswith("-")]


class Environments:
    """The environments below one folder. Threads and processes may share it."""

    def __init__(
        self, parent: Path, uv: Uv, *, python: Path | None = None, builds_sources: bool = False, is_shared: bool = False
    ) -> None:
        """`python`: the interpreter that environments are made with; the server's own unless given.

        `builds_sources`: whether packages may be installed that have to be built, which runs code of theirs as the
        server's user. `is_shared`: others, of whom nothing is known here, use the folder, too.
        """
        self._parent = parent
        self._uv = uv
        self.bare_python = python or Path(getattr(sys, "_base_executable", sys.executable))
        self._builds_sources = builds_sources
        self.is_shared = is_shared
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def resolve(self, wanted: Wanted) -> str:
        """The lock for what is wanted; that of last time, if the same was wanted before. "" for nothing.

        Raises UvFailed with the reason why there is none.
        """
        if wanted.is_nothing:
            return ""
        parts = (self._python_tag(), str(self._builds_sources), *wanted.requirements, "", *wanted.constraints)
        known = self._parent / _LOCKS / f"{_hash(*parts)}.txt"
        try:
            return known.read_text()
        except FileNotFoundError:
            pass
        known.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(known.stem[:20]):
            return known.read_text() if known.exists() else self._resolve(wanted, known)

    def _resolve(self, wanted: Wanted, known: Path) -> str:
        with tempfile.TemporaryDirectory(dir=known.parent, prefix=_UNFINISHED) as folder:
            requirements, constraints = Path(folder) / "requirements.txt", Path(folder) / "constraints.txt"
            requirements.write_text("\n".join(wanted.requirements) + "\n")
            constraints.write_text("\n".join(wanted.constraints) + "\n")
            pins = self._uv.resolve(self.bare_python, requirements, constraints, builds_sources=self._builds_sources)
            options = [line for line in wanted.requirements if line.startswith("-")]
            lock = "\n".join([*options, *pins.split("\n")])
            unfinished = Path(folder) / known.name
            unfinished.write_text(lock)
            unfinished.replace(known)
        return lock

    def id_of(self, lock: str) -> str:
        """What the environment of a lock is called with the present Python; "" for the empty lock."""
        return _hash(str(_FORMAT), self._python_tag(), lock)[:20] if lock else ""

    def find(self, environment_id: str) -> Environment | None:
        """An environment, if it has been made."""
        folder = self._parent / environment_id
        try:
            about = json.loads((folder / _ABOUT).read_text())
        except (OSError, ValueError):
            return None
        return Environment(
            id=environment_id, folder=folder, lock=str(about["lock"]), size_bytes=int(about["size_bytes"])
        )

    def make(self, lock: str) -> Environment:
        """The environment of a lock: found, or made. Whoever wants the same meanwhile waits. Raises UvFailed."""
        environment_id = self.id_of(lock)
        found = self.find(environment_id)
        if found is None:
            self._parent.mkdir(parents=True, exist_ok=True)
            with self._alone(environment_id):
                found = self.find(environment_id) or self._make(environment_id, lock)
        os.utime(found.folder / _ABOUT)
        return found

    @contextmanager
    def held(self, environment_id: str) -> Iterator[None]:
        """Keeps an environment from being removed, for as long as no build names it yet."""
        with self._lock:
            self._held[environment_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[environment_id] -= 1

    def list(self) -> list[Environment]:
        """All that have been made, those used last first."""
        if not self._parent.is_dir():
            return []
        found = [each for child in self._parent.iterdir() if (each := self.find(child.name)) is not None]
        return sorted(found, key=lambda each: (each.folder / _ABOUT).stat().st_mtime, reverse=True)

    def remove(self, environment_id: str) -> bool:
        """Remove an environment, unless it is held; whether it was there and is gone."""
        folder = self._parent / environment_id
        with self._alone(environment_id), self._lock:
            if self._held[environment_id] or not (folder / _ABOUT).exists():
                return False
            going = Path(tempfile.mkdtemp(dir=self._parent, prefix=_UNFINISHED))
            folder.rename(going / environment_id)
        shutil.rmtree(going, ignore_errors=True)
        self._lock_file(environment_id).unlink(missing_ok=True)
        return True

    def remove_unfinished(self, *, before: int) -> None:
        """Remove what processes that died left half made, or half removed, before a moment."""
        for child in self._parent.glob(f"{_UNFINISHED}*"):
            if child.stat().st_mtime_ns // 1000 < before:
                shutil.rmtree(child, ignore_errors=True)

    def _make(self, environment_id: str, lock: str) -> Environment:
        unfinished = Path(tempfile.mkdtemp(dir=self._parent, prefix=_UNFINISHED))
        try:
            folder = unfinished / environment_id
            self._uv.make(self.bare_python, folder)
            lock_file = folder / "autokitteh-lock.txt"
            lock_file.write_text(lock)
            self._uv.install(folder, lock_file, builds_sources=self._builds_sources)
            about = {"lock": lock, "python": self._python_tag(), "size_bytes": _size_of(folder)}
            (folder / _ABOUT).write_text(json.dumps(about))
            folder.chmod(0o755)
            try:
                folder.rename(self._parent / environment_id)
            except OSError:
                if self.find(environment_id) is None:  # not another's equal one, made while a removal was under way
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        made = self.find(environment_id)
        assert made is not None
        return made

    @contextmanager
    def _alone(self, environment_id: str) -> Iterator[None]:
        """Nobody else, in this process or another, makes or removes the same environment meanwhile."""
        with self._lock_file(environment_id).open("w") as file:
            flock(file, LOCK_EX)
            yield

    def _lock_file(self, environment_id: str) -> Path:
        return self._parent / f".{environment_id}.lock"

    def _python_tag(self) -> str:
        # Where it lies is in the environment, as a link.
        return f"{sys.implementation.cache_tag} {platform.machine()} {sys.platform} {self.bare_python}"


def _hash(*parts: str) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(f"{len(part)}:{part}".encode())
    return total.hexdigest()


def _size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
