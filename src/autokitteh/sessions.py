"""Starting other sessions."""

from collections.abc import Mapping
from typing import Any

from autokitteh._names import check_name
from autokitteh._runtime import current


def start(
    loc: str,
    data: Mapping[str, Any] | None = None,
    memo: Mapping[str, str] | None = None,
    project: str = "",
) -> str:
    """Start a child session, and return its id without waiting for it.

    - `loc`: the function to run, as "file.py:function", with the file's path inside the project.
    - `data`: JSON values or bytes; the child's `event.data`.
    - `memo`: strings by name, shown with the session to people.
    - `project`: name or id of another project to start it in; "" is this one.

    It is started once, however often this session is resumed. In a durable session its end arrives as a signal named
    by its id: see `next_signal`.

    Raises ValueError if `loc` is not of that form, TypeError for arguments of the wrong type and for data that is not
    JSON, AutoKittehError if the project or the function does not exist.

    Mode: durable and non-durable.
    """
    if not isinstance(project, str):
        raise TypeError(f'project must be a string, "" for this one, and not {type(project).__name__}')
    return current().start(_check_loc(loc), _check_data(data), _check_memo(memo), project)


def _check_loc(loc: str) -> str:
    path, _, function = check_name(loc, "loc").rpartition(":")
    if not path.endswith(".py") or path == ".py" or not function.isidentifier():
        raise ValueError(f'loc must be "file.py:function", such as "main.py:on_event", and is {loc!r}')
    return loc


def _check_data(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if data is None:
        return None
    if not isinstance(data, Mapping):
        raise TypeError(f'data must be a dict, not {type(data).__name__}; put it into one, as in {{"value": ...}}')
    return dict(data)


def _check_memo(memo: Mapping[str, str] | None) -> dict[str, str] | None:
    if memo is None:
        return None
    if not isinstance(memo, Mapping):
        raise TypeError(f"memo must be a dict of strings, not {type(memo).__name__}")
    for key, value in memo.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"memo must map strings to strings, and has {key!r}: {value!r}; use str()")
    return dict(memo)
