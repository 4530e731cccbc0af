"""Marks that tell a durable session how to run a function.

The functions here only mark. What the marks mean (recording, retrying, timing out) is the business of the session
that makes the call; outside a session a marked function is what it was before.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from types import MethodType
from typing import Any, Literal, NamedTuple, TypeVar, overload

from autokitteh._durations import to_seconds
from autokitteh._names import check_name
from autokitteh._runtime import current

#: The attribute that `activity` sets, to an `ActivityOptions`.
ACTIVITY_MARK = "__ak_activity__"

#: The attribute that `inhibit_activities` sets, to True.
INHIBIT_MARK = "__ak_inhibit__"

Marked = TypeVar("Marked", bound="Callable[..., Any] | staticmethod[..., Any] | classmethod[Any, ..., Any]")


# A NamedTuple rather than a dataclass, whose module would take up half of the time that importing the SDK may take.
class ActivityOptions(NamedTuple):
    """How a session runs an activity."""

    name: str | None = None  # shown instead of the function's own name
    retries: int = 0  # attempts after the first one that raised
    retry_delay: float = 1.0  # seconds before each of them
    timeout: float | None = None  # seconds that one attempt may take; None is no limit
    on_unknown: Literal["retry", "fail"] = "retry"  # after a crash that left open whether it was done


@overload
def activity(fn: Marked, /) -> Marked: ...


@overload
def activity(
    *,
    name: str | None = None,
    retries: int = 0,
    retry_delay: timedelta | float = 1.0,
    timeout: timedelta | float | None = None,
    on_unknown: Literal["retry", "fail"] = "retry",
) -> Callable[[Marked], Marked]: ...


def activity(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    retries: int = 0,
    retry_delay: timedelta | float = 1.0,
    timeout: timedelta | float | None = None,
    on_unknown: Literal["retry", "fail"] = "retry",
) -> Any:
    """Mark a function as an activity: its calls are recorded, and not made again when the session is resumed.

    Use it bare (`@activity`) or with options (`@activity(retries=3)`), on functions, async functions, methods, static
    and class methods (above or below those decorators), and objects that can be called. It returns the very object it
    was given, so a call outside a session is a plain call, to which no option applies.

    - `name`: shown in the session's log instead of the function's own.
    - `retries`: how often it is called again if it raises, `retry_delay` seconds (or a timedelta) after the failure.
    - `timeout`: seconds or a timedelta that one attempt may take; None is no limit.
    - `on_unknown`: what to do when a crash left open whether a call was completed: "retry" calls again, "fail" raises.

    What the function returns has to be picklable, so a generator function gains nothing from being marked. Marking a
    bound method marks the method of its class.

    Raises TypeError for a class (mark its methods), for what cannot be called or cannot bear a mark (wrap it in a
    function), and for options of the wrong type; ValueError for options out of range.

    Mode: durable and non-durable. It has an effect in durable sessions; elsewhere it is harmless.
    """
    options = ActivityOptions(
        name=None if name is None else check_name(name, "the name of an activity"),
        retries=_check_retries(retries),
        retry_delay=to_seconds(retry_delay, "retry_delay"),
        timeout=None if timeout is None else _check_timeout(timeout),
        on_unknown=_check_on_unknown(on_unknown),
    )
    if fn is None:
        return lambda decorated: _mark(decorated, "activity", ACTIVITY_MARK, options)
    return _mark(fn, "activity", ACTIVITY_MARK, options)


def inhibit_activities(fn: Marked, /) -> Marked:
    """Mark a function so that nothing it calls becomes an activity of its own, and return the same object.

    While it runs, every call is a plain call, made again on each replay. Use it for cheap code without side effects
    that a session would otherwise cut into activities, such as setting up a client.

    Raises TypeError for a class, and for what cannot be called or cannot bear a mark.

    Mode: durable and non-durable. It has an effect in durable sessions; elsewhere it is harmless.
    """
    return _mark(fn, "inhibit_activities", INHIBIT_MARK, True)


def register_no_activity(items: Iterable[Any]) -> None:
    """Say that calls of these need no recording, from here on: they are made again on each replay.

    `items` are functions, methods, or classes, which stand for the class and all its methods; a single one need not
    be in a list. They must give the same result each time, and change nothing outside the session.

    Raises TypeError if one of them cannot be called.

    Mode: durable and non-durable. It has an effect in durable sessions; elsewhere it is harmless.
    """
    # A class may well be iterable (an Enum is), so what can be called comes first.
    listed = [items] if callable(items) else list(items)
    for item in listed:
        if not callable(item):
            raise TypeError(f"register_no_activity takes functions, methods and classes, not {item!r}")
    current().register_no_activity(listed)


def _mark(fn: Marked, decorator: str, mark: str, value: object) -> Marked:
    if isinstance(fn, type):
        raise TypeError(f"{decorator} cannot mark the class {fn.__name__}; mark its methods instead")
    if not (callable(fn) or isinstance(fn, classmethod)):
        raise TypeError(f"{decorator} marks a function, not {type(fn).__name__}; is it used as @{decorator}?")
    # Static, class and bound methods are wrappings: what is called in the end, and seen through all of them, is inside.
    target = fn.__func__ if isinstance(fn, staticmethod | classmethod | MethodType) else fn
    try:
        setattr(target, mark, value)
    except (AttributeError, TypeError):
        raise TypeError(
            f"{decorator} cannot mark {fn!r}, as it takes no attributes; mark a function of yours that calls it"
        ) from None
    return fn


def _check_retries(retries: int) -> int:
    if not isinstance(retries, int) or isinstance(retries, bool):
        raise TypeError(f"retries must be an int, not {type(retries).__name__}")
    if retries < 0:
        raise ValueError(f"retries must not be negative, and is {retries}")
    return retries


def _check_timeout(timeout: timedelta | float) -> float:
    seconds = to_seconds(timeout, "timeout")
    if seconds == 0:
        raise ValueError("a timeout of 0 s leaves an activity no time; None is no limit")
    return seconds


def _check_on_unknown(on_unknown: Literal["retry", "fail"]) -> Literal["retry", "fail"]:
    if on_unknown not in ("retry", "fail"):
        raise ValueError(f'on_unknown must be "retry" or "fail", not {on_unknown!r}')
    return on_unknown
