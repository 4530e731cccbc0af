"""A server's data folder: made for its owner only, and held by one server at a time."""

import fcntl
import os
from pathlib import Path
from typing import Final

from autokitteh_server.core.errors import FailedPrecondition

#: The seed by which sets are ordered: without it sessions could not be replayed.
HASH_SEED_FILE: Final = "hash-seed"

_LOCK_FILE: Final = "lock"

#: More than any process id has.
_PID_BYTES: Final = 20


def make_folder(data_dir: Path) -> None:
    """Make the data folder, if need be, for its owner only. Raises FailedPrecondition."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as err:
        raise _no_folder(data_dir, err) from err


def take_folder(data_dir: Path) -> int:
    """Make the data folder, if need be, and hold it until the result is closed or the process ends, however it ends.

    Raises FailedPrecondition if another process holds it.
    """
    make_folder(data_dir)
    try:
        return _lock(data_dir)
    except OSError as err:
        raise _no_folder(data_dir, err) from err


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner only: whole or not at all, and durable when this returns."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _no_folder(data_dir: Path, err: OSError) -> FailedPrecondition:
    return FailedPrecondition(
        f"{data_dir} cannot be a data folder: {err.strerror}", "Give a folder that can be written."
    )


def _lock(data_dir: Path) -> int:
    fd = os.open(data_dir / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, _PID_BYTES).decode("ascii", "replace").strip()
        os.close(fd)
        raise FailedPrecondition(
            f"{data_dir} is in use by another process{f', {holder}' if holder else ''}",
            "Stop that one first, or use another --data-dir.",
        ) from None
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())  # for the message above
    return fd
