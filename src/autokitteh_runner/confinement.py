"""What a process may do, taken away from it: by a fork server from itself, and by each runner once more."""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from autokitteh_runner import linux
from autokitteh_runner.protocol import Launch, Limits

_IS_LINUX = sys.platform == "linux"

#: Threads count as processes to the kernel, and those of other sessions of the same user, too: the server counts
#: exactly, but only now and then. This is what there can be in between.
_PROCESSES_BETWEEN_LOOKS = 16

#: Seconds of processor time after a session's limit in which it may still say something.
_CPU_GRACE_S = 5

#: Of memory that is asked for, more than the limit: stacks and arenas of which little is ever used.
_SLACK_BYTES = 256 * 1024 * 1024


def confine_fork_server(launch: Launch) -> dict[str, Any]:
    """Become the user, and see only the files, that the launch names; what of it is in force, for people.

    What cannot be done is said and left: whether that is enough is for the server to decide.
    """
    facts: dict[str, Any] = {"user": None, "landlock": 0, "signals": False, "no_new_privileges": False, "problems": []}

    def attempt(what: str, do: Callable[[], None]) -> bool:
        try:
            do()
            return True
        except OSError as error:
            facts["problems"].append(f"{what}: {error.strerror}")
            return False

    os.umask(0o022)  # for the folders on the way to what is shown to another user
    attempt("core dumps", lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    user = launch.user
    if user is not None and attempt("another user", lambda: _become(user, launch.covers)):
        facts["user"] = user
    os.umask(0o077)
    if not _IS_LINUX or not launch.confine:
        return facts
    if user is None and os.geteuid() == 0:
        attempt("capabilities", linux.drop_capabilities)
    facts["no_new_privileges"] = attempt("no new privileges", linux.renounce_privileges)
    version = linux.landlock_version()
    if version and attempt("Landlock", lambda: linux.restrict_files(launch.readable, launch.writable, version)):
        facts["landlock"] = version
        facts["signals"] = version >= linux.LANDLOCK_SCOPES_SIGNALS
    return facts


def confine_runner(readable: Iterable[str], writable: Iterable[str]) -> None:
    """In a runner: see nothing of other sessions, and be unable to send them signals. Raises OSError."""
    version = linux.landlock_version() if _IS_LINUX else 0
    if version:
        linux.restrict_files(readable, writable, version)


def limit_runner(limits: Limits) -> None:
    """In a runner: bound what it may use. macOS has no such limit of memory."""
    if limits.memory_bytes:
        # What the fork server has, of which this process has its copies, is no part of it.
        _limit(resource.RLIMIT_DATA, int(limits.memory_bytes) + _data_bytes() + _SLACK_BYTES)
    if limits.cpu_s:
        _limit(resource.RLIMIT_CPU, int(limits.cpu_s), hard=int(limits.cpu_s) + _CPU_GRACE_S)
    if limits.processes:
        _limit(resource.RLIMIT_NPROC, int(limits.processes) * _PROCESSES_BETWEEN_LOOKS + _count_of_all())
    if limits.open_files:
        _limit(resource.RLIMIT_NOFILE, int(limits.open_files))
    if limits.file_bytes:
        _limit(resource.RLIMIT_FSIZE, int(limits.file_bytes))


def close_all_but(kept: int) -> None:
    """Close every descriptor but the standard ones and this one."""
    os.closerange(3, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] if not _IS_LINUX else _highest() + 1)


def die_with_parent(parent: int) -> None:
    """On Linux, have the kernel end this process with its parent. Elsewhere the closed socket ends it."""
    if _IS_LINUX:
        linux.set_death_signal(signal.SIGKILL)
        if os.getppid() != parent:  # it has died already, before that was asked for
            os._exit(1)


def adopt_orphans() -> None:
    """On Linux, have what this process has started found below it, however it was started."""
    if _IS_LINUX:
        linux.adopt_orphans()


def _become(user: int, covers: dict[str, list[str]]) -> None:
    if covers:
        linux.leave_mounts()
        for folder, kept in covers.items():
            linux.cover(folder, kept)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if _IS_LINUX:
        linux.keep_own_proc()


def _limit(kind: int, value: int, *, hard: int | None = None) -> None:
    _, present = resource.getrlimit(kind)
    bounds = [value if hard is None else hard] + ([present] if present != resource.RLIM_INFINITY else [])
    try:
        resource.setrlimit(kind, (min([value, *bounds]), min(bounds)))
    except (ValueError, OSError):  # macOS refuses some
        pass


def _data_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _count_of_all() -> int:
    """How many processes and threads there are: no user has more."""
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].partition("/")[2])
    except OSError:
        return 1024


def _highest() -> int:
    return max(int(name) for name in os.listdir("/proc/self/fd"))
