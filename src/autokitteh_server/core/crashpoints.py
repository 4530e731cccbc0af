"""Named places where a crash would matter. Crash tests arm one of them; otherwise they do nothing.

`AK_CRASH_AT=name:3` in the environment makes the third passage of `name` kill the process with SIGKILL. Only
`wiring` reads the variable; this module is told.
"""

import os
import signal
import threading

#: Every crash point, in the order of a session's life. The crash suite hits them one by one.
NAMES = (
    "session.created",  # the session's row is committed, no turn has begun
    "turn.claimed",  # the claim is committed, no runner yet
    "turn.before_commit",  # a runner's records have arrived, and are not committed
    "turn.after_commit",  # they are committed, and the runner does not know
    "turn.after_ack",  # the runner has been told
    "turn.before_park",  # the session has nothing to do but wait; that is not committed
    "turn.after_park",  # it is
    "turn.before_wake",  # a wait is over; that is not committed
    "turn.before_end",  # the handler has ended; that is not committed
    "turn.after_end",  # it is, and nobody has been told
)

#: The same in the life of an event.
EVENT_NAMES = (
    "event.before_commit",  # it has arrived, and is not stored
    "event.after_commit",  # it is, with the sessions that it starts; nobody has been told
    "event.after_start",  # the scheduler has been told, the sender has not
)

#: The same while the keys for secrets are changed.
ROTATION_NAMES = (
    "rotate.before_key",  # there is a new key, in memory only
    "rotate.after_key",  # it is in the file, and nothing is sealed with it
    "rotate.before_commit",  # some secrets are sealed with it; that is not committed
    "rotate.after_commit",  # it is
    "rotate.before_retire",  # nothing is sealed with the old keys any more; they are in the file
    "rotate.after_retire",  # they are not, and nobody has been told
)

#: The same while a connection gets a token.
TOKEN_NAMES = (
    "oauth.before_exchange",  # the state is used up; the service has not been asked
    "oauth.after_exchange",  # there is a token, in memory only
    "oauth.after_commit",  # it is stored; the browser does not know
    "refresh.before_request",  # the connection is held against others; the service has not been asked
    "refresh.after_request",  # there is a new token, in memory only
    "refresh.after_commit",  # it is stored; nobody has been told
)

#: The same while a service is asked what is new.
FEED_NAMES = (
    "feed.before_commit",  # the service has answered; nothing of that is stored
    "feed.after_commit",  # the events are, and how far it has come; nobody has been told
)

_lock = threading.Lock()
_armed: tuple[str, int] | None = None


def parse_crash_point(spec: str) -> tuple[str, int]:
    """The name and count of `name:count`. Raises ValueError for a name that does not exist."""
    name, _, count = spec.partition(":")
    known = NAMES + EVENT_NAMES + ROTATION_NAMES + TOKEN_NAMES + FEED_NAMES
    if name not in known:
        raise ValueError(f"no crash point {name!r}; there are: {', '.join(known)}")
    return name, int(count or 1)


def arm(spec: str) -> None:
    """Arm `name:count`. Raises what `parse_crash_point` does."""
    global _armed
    _armed = parse_crash_point(spec)


def crash_point(name: str) -> None:
    """Die here by SIGKILL, if armed and counted down."""
    global _armed
    if _armed is None or _armed[0] != name:
        return
    with _lock:
        left = _armed[1] - 1
        _armed = (name, left)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
