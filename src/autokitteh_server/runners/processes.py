"""The processes of this machine, as far as they are sessions': who belongs to whom, what they use, ending them."""

import os
import signal
from collections.abc import Iterator
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

#: A process that starts others as fast as it can is looked at again so often before it is left to its process group.
_ROUNDS = 5


class Usage(NamedTuple):
    """What a process and all its descendants use."""

    processes: int
    memory_bytes: int


def can_count() -> bool:
    """Whether this system tells whose children there are, and what they use."""
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def is_child(pid: int, parent: int) -> bool:
    """Whether one process is the other's child. True where it cannot be known; one that has just ended is its own."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold anything.
            return int(file.read().rpartition(b")")[2].split()[1]) == parent
    except FileNotFoundError:
        return not os.path.exists("/proc/self/stat") or not os.path.exists(f"/proc/{pid}")
    except OSError:
        return True


def descendants(pid: int) -> list[int]:
    """All processes below one, itself first."""
    found = [pid]
    for each in found:  # which grows meanwhile
        found.extend(_children(each))
    return found


def usage(pid: int, *, memory_of_interest: int) -> Usage:
    """What a process and its descendants use.

    What they share with others, as after a fork, is none of it. That is dear to find out, and so only looked at where
    the memory comes to `memory_of_interest` with what is shared.
    """
    members = descendants(pid)
    memory = sum(map(_resident_bytes, members))
    if memory >= memory_of_interest:
        memory = sum(map(_private_bytes, members))
    return Usage(len(members), memory)


def kill_tree(pid: int) -> None:
    """End a process, its process group, and what they have started, in whatever group."""
    for _ in range(_ROUNDS):
        below = descendants(pid)[1:]
        _kill_group(pid)
        if not below:
            return
        for each in below:
            try:
                os.kill(each, signal.SIGKILL)
            except OSError:  # it has ended
                pass


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter of those that are only dead
        pass


def _children(pid: int) -> Iterator[int]:
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                yield from map(int, file.read().split())
    except OSError:  # it has ended, or this is no Linux
        return


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, resident, shared, *_ = file.read().split()
            return (int(resident) - int(shared)) * _PAGE_BYTES
    except (OSError, ValueError):
        return 0


def _private_bytes(pid: int) -> int:
    """Pages of its own, in memory or swapped out."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            rows = (line.split() for line in file)
            return 1024 * sum(int(row[1]) for row in rows if row[0] in (b"Private_Dirty:", b"SwapPss:"))
    except (OSError, ValueError):
        return 0
