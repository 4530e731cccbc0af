"""In words, for people: how a session's process died, and what it was doing."""

import signal
from collections.abc import Sequence

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


def interrupted_too_often(times: int) -> str:
    """Why a session that is not durable is given up."""
    return (
        f"The session was interrupted {times} times, and began anew each time, for it is not durable. A durable one "
        "would have gone on where it was"
    )
