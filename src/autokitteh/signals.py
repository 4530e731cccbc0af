"""Messages between sessions."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from autokitteh._durations import timeout_to_seconds
from autokitteh._names import check_name, check_names
from autokitteh._runtime import current
from autokitteh.event import Signal

__all__ = ["Signal", "next_signal", "signal"]


def signal(session_id: str, name: str, payload: Any = None) -> None:
    """Send a signal to a session. It is kept until that session asks for it with `next_signal`.

    `payload` is a JSON value or bytes. It is sent once, however often this session is resumed.

    Raises TypeError for arguments of the wrong type and a payload that is not JSON, ValueError for an empty id or
    name, AutoKittehError if there is no such session.

    Mode: durable and non-durable.
    """
    current().signal(check_name(session_id, "session id"), check_name(name, "signal name"), payload)


def next_signal(name: str | Iterable[str], *, timeout: timedelta | float | None = None) -> Signal | None:
    """Wait for the next signal with this name, or with one of a list of names; None if none came in time.

    `timeout` is a timedelta or seconds; 0 only looks; None waits for ever. Signals come in order of arrival, also
    those sent before this call; each is returned once.

    The end of a session that this one started is a signal named by its id, with the payload
    `{"completed": bool, "value": what it returned, if completed}`.

    Raises TypeError for arguments of the wrong type, ValueError if there is no name, one is empty, or the timeout is
    negative, DurableOnlyError in a session that is not durable.

    Mode: durable only.
    """
    return current().next_signal(check_names(name, "signal name"), timeout_to_seconds(timeout))
