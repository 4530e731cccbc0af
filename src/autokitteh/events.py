"""Receiving events while a session runs."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal, overload

from autokitteh._durations import timeout_to_seconds
from autokitteh._names import check_name, check_names
from autokitteh._runtime import current
from autokitteh.attr_dict import AttrDict
from autokitteh.event import Event, EventData


def subscribe(source: str, filter: str = "") -> str:
    """Begin to queue events for this session, and return the subscription's id, for `next_event`.

    - `source`: the name of a connection or of a trigger of this project.
    - `filter`: a CEL expression over `event_type` and `data`, as in a trigger; "" takes every event.

    Every matching event that arrives after `subscribe` returned is queued, in order of arrival, none twice. The
    subscription ends with the session, or with `unsubscribe`.

    Raises TypeError for arguments that are no strings, ValueError for an empty source, AutoKittehError if the project
    has no such source or the filter is not valid.

    Mode: durable and non-durable.
    """
    if not isinstance(filter, str):
        raise TypeError(f"filter must be a string in CEL, not {type(filter).__name__}")
    return current().subscribe(check_name(source, "source"), filter)


def unsubscribe(subscription_id: str) -> None:
    """End a subscription, and forget the events it still has queued. It is no error if it had ended.

    Raises TypeError if the id is no string, ValueError if it is empty.

    Mode: durable and non-durable.
    """
    current().unsubscribe(check_name(subscription_id, "subscription id"))


@overload
def next_event(
    *subscription_ids: str | Iterable[str], timeout: timedelta | float | None = None, full: Literal[True]
) -> Event | None: ...


@overload
def next_event(
    *subscription_ids: str | Iterable[str], timeout: timedelta | float | None = None, full: Literal[False] = False
) -> AttrDict | None: ...


@overload
def next_event(
    *subscription_ids: str | Iterable[str], timeout: timedelta | float | None = None, full: bool = False
) -> AttrDict | Event | None: ...


def next_event(
    *subscription_ids: str | Iterable[str], timeout: timedelta | float | None = None, full: bool = False
) -> AttrDict | Event | None:
    """Wait for the next event of any of these subscriptions, and return its data; None if none came in time.

    - `subscription_ids`: one or several ids, each an argument of its own or all in one list.
    - `timeout`: a timedelta or seconds; 0 only looks; None waits for ever.
    - `full`: return the Event, with its id and type, instead of its data.

    Each event is returned once for each subscription. A session that waits needs no process, and may wait for months.
    What is returned without `full` is an AttrDict, whose `data` is itself where the event has no such key.

    Raises TypeError for arguments of the wrong type, ValueError if there is no id or the timeout is negative,
    AutoKittehError for a subscription that this session does not have.

    Mode: durable and non-durable.
    """
    # One list of ids: only there is a first argument that is no string.
    listed = subscription_ids[0] if len(subscription_ids) == 1 else subscription_ids
    event = current().next_event(check_names(listed, "subscription id"), timeout_to_seconds(timeout))
    if event is None or full:
        return event
    return EventData(event.data)
