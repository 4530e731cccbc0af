"""The few calls to the Linux kernel that Python has no functions for. Elsewhere none of them may be called."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

# <linux/prctl.h>
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38

# <sched.h>, <sys/mount.h>
_CLONE_NEWNS: Final = 0x0002_0000
_MS_NOSUID: Final = 2
_MS_NODEV: Final = 4
_MS_BIND: Final = 4096
_MS_REC: Final = 16384
_MS_PRIVATE: Final = 1 << 18

_CAPABILITY_VERSION_3: Final = 0x2008_0522
_LAST_CAPABILITY: Final = 63  # more than there are: those that a kernel does not know are refused, and that is fine

# <linux/landlock.h>; the numbers of its calls are the same on every architecture.
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_ADD_RULE: Final = 445
_LANDLOCK_RESTRICT_SELF: Final = 446
_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1
_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_SCOPE_ABSTRACT_UNIX_SOCKET: Final = 1 << 0
_SCOPE_SIGNAL: Final = 1 << 1

#: From this version of Landlock on it bounds whom a process may send signals, too.
LANDLOCK_SCOPES_SIGNALS: Final = 6


def set_death_signal(number: int) -> None:
    """Get this signal when the parent ends. To be asked for again after a change of user."""
    _prctl(_PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents end."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def renounce_privileges() -> None:
    """From now on no program that is started gives more rights than there are: set-user-id has no effect."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def keep_own_proc() -> None:
    """After a change of user: have the files of this process in /proc be its own again."""
    _prctl(_PR_SET_DUMPABLE, 1)


def drop_capabilities() -> None:
    """Leave a process of root nothing but the files that belong to root."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:  # there is no such one, or it may not be dropped
            pass
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc().capset(header, bytes(24)), "capset")


def cover(folder: str, kept: Iterable[str]) -> None:
    """Have this process, and its children, see an empty folder in the place of another, but for what is to be kept.

    What is kept is where it was. Nobody else sees a difference.
    """
    descriptors = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in kept}
    try:
        _mount(b"tmpfs", folder, b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=755,size=1m")
        for path, descriptor in descriptors.items():
            os.makedirs(path, mode=0o755, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}".encode(), path, None, _MS_BIND | _MS_REC, None)
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def leave_mounts() -> None:
    """From now on see mounts of one's own: what is mounted here is mounted nowhere else."""
    _check(_libc().unshare(_CLONE_NEWNS), "unshare")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE, None)


def landlock_version() -> int:
    """The version of Landlock that the kernel has; 0 if it has none, or does not let it be used."""
    found: int = _libc().syscall(_LANDLOCK_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    return max(found, 0)


def restrict_files(readable: Iterable[str], writable: Iterable[str], version: int) -> None:
    """See only these files and folders from now on, for good, and send signals to one's own descendants only.

    Paths that are not there are left out; links are not followed, what they lead to is to be named itself. The version
    is Landlock's. Raises OSError.
    """
    handled = _READ | _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
    handled |= (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    scoped = _SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL if version >= LANDLOCK_SCOPES_SIGNALS else 0
    attributes = struct.pack("=QQQ", handled, 0, scoped)
    size = 24 if version >= LANDLOCK_SCOPES_SIGNALS else 16 if version >= 4 else 8  # older kernels know less of it
    ruleset = _check(_libc().syscall(_LANDLOCK_CREATE_RULESET, attributes, size, 0), "landlock_create_ruleset")
    try:
        for paths, allowed in ((readable, _READ), (writable, handled)):
            for path in paths:
                _allow(ruleset, path, allowed & handled)
        _check(_libc().syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= _OF_FILES
        rule = struct.pack("=Qi", allowed, descriptor)
        _check(_libc().syscall(_LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), "landlock_add_rule")
    finally:
        os.close(descriptor)


def _mount(source: bytes | None, target: str, kind: bytes | None, flags: int, data: bytes | None) -> None:
    _check(_libc().mount(source, target.encode(), kind, ctypes.c_ulong(flags), data), f"mount {target}")


def _prctl(option: int, value: int) -> None:
    unused = ctypes.c_ulong(0)
    _check(_libc().prctl(option, ctypes.c_ulong(value), unused, unused, unused), f"prctl {option}")


def _check(result: int, call: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")
    return result


_loaded: list[ctypes.CDLL] = []


def _libc() -> ctypes.CDLL:
    if not _loaded:
        _loaded.append(ctypes.CDLL(None, use_errno=True))
    return _loaded[0]
