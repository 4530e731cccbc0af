"""In words, for people: how a session's process died, and what it was doing."""

import signal
from collections.abc import Sequence
from typing import Final

from autokitteh_runner.protocol import Limits
from autokitteh_server.core.journal import Record


def describe(how: str, in_flight: Sequence[Record]) -> str:
    """What happened to a process, during which activities. `how` is a verb with what belongs to it."""
    doing = ", ".join(f"{start.name} at {start.site}" for start in in_flight)
    return f"The session's process {how}" + (f" during {doing}" if doing else " in workflow code")


def describe_status(status: int | None) -> str:
    """How a process ended, by its exit status: negative for a signal, None if it is not known."""
    if status is None:
        return "was lost"
    if status >= 0:
        return f"exited with status {status}"
    try:
        how = f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        how = f"was killed by signal {-status}"
    return how + (" (perhaps for want of memory)" if -status == signal.SIGKILL else "")


HOW_TO_ALLOW_MORE: Final = "`limits` in the project's manifest allows more"


def limit_of(status: int | None, limits: Limits | None) -> str:
    """The limit at which the kernel has ended a process, by its exit status; "" if it was not that."""
    if limits is not None and limits.cpu_s and status == -signal.SIGXCPU:
        return f"used more than {limits.cpu_s:g} s of processor time"
    return ""


def interrupted_too_often(times: int) -> str:
    """Why a session that is not durable is given up."""
    return (
        f"The session was interrupted {times} times, and began anew each time, for it is not durable. A durable one "
        "would have gone on where it was"
    )
