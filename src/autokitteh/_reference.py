"""Lets a vendor's client be pickled as the call that made it.

What holds a client may get recorded: the result of one of its methods, or an object that an activity has changed. Its
credentials must not be, and most clients cannot be pickled in the first place, for they have connections and locks.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_MADE_BY = "_autokitteh_made_by"


def as_reference(client: T, helper: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The client, which from now on is pickled as `helper(*args, **kwargs)`. Copies that it makes of itself are not."""
    vars(client)[_MADE_BY] = (helper, args, kwargs)
    cls: Any = type(client)
    client.__class__ = _class_of(cls)
    return client


def _again(helper: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return helper(*args, **kwargs)


@cache
def _class_of(cls: type[Any]) -> Any:
    class Reference(cls):  # type: ignore[misc]
        def __reduce_ex__(self, protocol: Any) -> Any:
            made_by = vars(self).get(_MADE_BY)
            return super().__reduce_ex__(protocol) if made_by is None else (_again, made_by)

    # It is the vendor's in all that people see.
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(Reference, name, getattr(cls, name))
    return Reference
