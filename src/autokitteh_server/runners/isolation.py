"""What keeps sessions from the server, and from one another, on this machine, and why not more."""

import os
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final

#: Users of sessions, by number: a part of the numbers that nobody is known to hand out (systemd, UIDS-GIDS).
_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 1_000_000

#: Where a machine has only so many, as in a container, the last ones.
_FEW: Final = 10_000

#: What programs need of a Linux system, to read.
_SYSTEM: Final = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store", "/proc", "/sys"),
    *("/etc/ssl", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/pki", "/etc/crypto-policies"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/protocols", "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/timezone", "/etc/os-release"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/mime.types"),
    *("/etc/fonts", "/etc/magic", "/etc/locale.alias", "/etc/locale.conf", "/etc/inputrc", "/etc/terminfo"),
    *("/etc/debian_version", "/etc/machine-id", "/etc/odbcinst.ini", "/etc/ImageMagick-6", "/etc/java"),
    *("/dev/random", "/dev/urandom", "/dev/zero", "/dev/full"),
)
_DEVICES: Final = ("/dev/null", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How sessions are confined. Made once, when the server starts."""

    is_on: bool
    switches_users: bool
    why_no_users: str  # for people; "" if it does
    needs: tuple[Path, ...]  # folders that every session needs
    readable: tuple[str, ...] = ()  # what the settings add
    writable: tuple[str, ...] = ()
    installation: bytes = b""  # what tells this server from others on the machine
    first_user: int = _FIRST_USER
    users: int = _USERS
    _given: dict[str, int] = field(default_factory=dict)
    _giving: threading.Lock = field(default_factory=threading.Lock)

    def user_of(self, project_id: str) -> int | None:
        """As whom a project's sessions run; None: as the server. No two projects have the same user at a time."""
        if not self.switches_users:
            return None
        with self._giving:
            user = self._given.get(project_id)
            if user is None:
                digest = blake2b(project_id.encode(), key=self.installation, digest_size=8).digest()
                user = self.first_user + int.from_bytes(digest) % self.users
                while user in self._given.values():
                    user = self.first_user + (user + 1 - self.first_user) % self.users
                self._given[project_id] = user
            return user

    def covers(self, more: Iterable[Path] = ()) -> dict[str, list[str]]:
        """Folders that another user may not enter, and what it needs of what is in them."""
        found: dict[str, list[str]] = {}
        for path in dict.fromkeys([*self.needs, *more]):
            closed = _closed_ancestor(path)
            if closed is not None:
                found.setdefault(str(closed), []).append(str(path))
        return {folder: _outermost(paths) for folder, paths in found.items()}

    def readable_with(self, more: Iterable[Path]) -> list[str]:
        """All that may be read."""
        return _with_targets([*_SYSTEM, *self.readable, *map(str, self.needs), *map(str, more)])

    def writable_with(self, more: Iterable[Path]) -> list[str]:
        """All that may be written."""
        return _with_targets([*_DEVICES, *self.writable, *map(str, more)])


def plan_isolation(
    *,
    is_wanted: bool,
    needs: Sequence[Path],
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    installation: bytes = b"",
) -> Isolation:
    """What can be had here."""
    first, users = _room_for_users()
    why = "isolation is off" if not is_wanted else _why_no_users(needs, users)
    return Isolation(
        is_on=is_wanted,
        switches_users=not why,
        why_no_users=why,
        needs=tuple(needs),
        readable=tuple(map(str, readable)),
        writable=tuple(map(str, writable)),
        installation=installation,
        first_user=first,
        users=users,
    )


def must_be_entered() -> bool:
    """Whether other users, as whom sessions may run here, can only be where they could go by themselves."""
    return sys.platform == "linux" and os.geteuid() == 0 and not _may_mount()


def _why_no_users(needs: Sequence[Path], users: int) -> str:
    if sys.platform != "linux":
        return f"on {sys.platform} that is not supported"
    if os.geteuid() != 0:
        return "the server does not run as root, so it cannot start processes as other users"
    if not users:
        return "this container has too few users to give some to sessions"
    closed = next((found for path in needs if (found := _closed_ancestor(path)) is not None), None)
    if closed is None:
        return ""
    if not _may_mount():
        return (
            f"other users cannot enter {closed}, where Python or the data are, and the server may not mount; "
            "if all could go there (as to /opt and /var/lib), they would"
        )
    return ""


def _room_for_users() -> tuple[int, int]:
    try:
        maps = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except (OSError, ValueError):
        return _FIRST_USER, _USERS
    if any(inside <= _FIRST_USER and inside + count >= _FIRST_USER + _USERS for inside, _, count in maps):
        return _FIRST_USER, _USERS
    end = max((inside + count for inside, _, count in maps), default=0)
    return (end - _FEW - 10, _FEW) if end > 2 * _FEW else (0, 0)


def _closed_ancestor(path: Path) -> Path | None:
    """The outermost folder on the way to a path that users other than its owner cannot go through."""
    for folder in reversed(path.parents):
        try:
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
        except OSError:
            return None
    return None


def _may_mount() -> bool:
    """Whether this process has the capability CAP_SYS_ADMIN (number 21)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> 21 & 1)
    except (OSError, ValueError):
        pass
    return False


def _with_targets(paths: Iterable[str]) -> list[str]:
    """Those that are there, and what they lead to: a session that had to find that out would start later."""
    found = (each for path in paths for each in (path, os.path.realpath(path)))
    return [path for path in dict.fromkeys(found) if Path(path).exists()]


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that are not below another."""
    return list(_outer(sorted(paths)))


def _outer(paths: list[str]) -> Iterator[str]:
    last = ""
    for path in paths:
        if not last or not path.startswith(last + "/"):
            last = path
            yield path
