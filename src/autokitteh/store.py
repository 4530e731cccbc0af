"""The project's stored values: JSON values and bytes by name, shared by its sessions and kept when they end.

Each function is one atomic operation. In a durable session it is done once, however often the session is resumed,
and what it returned is recorded.

The package's attribute `autokitteh.store` is the mapping defined here, not this module, which shares its name. So
that `import autokitteh.store` serves as well, the mapping has the module's functions as attributes.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

from autokitteh._names import check_name
from autokitteh._runtime import current

#: What `mutate_value` can do, and how many arguments each operation takes.
OPERATIONS: Mapping[str, int] = MappingProxyType({"set": 1, "get": 0, "del": 0, "add": 1, "check_and_set": 2})


def get_value(key: str) -> Any:
    """The value stored under `key`; None if there is none.

    Raises TypeError if the key is no string, ValueError if it is empty.

    Mode: durable and non-durable.
    """
    return mutate_value(key, "get")


def set_value(key: str, value: Any) -> None:
    """Store `value`, a JSON value or bytes, under `key`, in place of what was there.

    Raises TypeError if the key is no string or the value is not JSON, ValueError if the key is empty.

    Mode: durable and non-durable.
    """
    mutate_value(key, "set", value)


def del_value(key: str) -> None:
    """Delete what is stored under `key`. It is no error if there is nothing.

    Raises TypeError if the key is no string, ValueError if it is empty.

    Mode: durable and non-durable.
    """
    mutate_value(key, "del")


def add_values(key: str, n: int | float) -> int | float:
    """Add `n` to the number stored under `key`, and return the sum. A missing value counts as 0.

    It is atomic: of two sessions that add at once, none is lost. Integers have no upper bound.

    Raises TypeError if the key is no string, `n` is no number, or what is stored is none; ValueError if the key is
    empty.

    Mode: durable and non-durable.
    """
    total: int | float = mutate_value(key, "add", n)
    return total


def check_and_set_value(key: str, expected: Any, new: Any) -> bool:
    """Store `new` under `key` if `expected` is stored there now, and say whether it was.

    An `expected` of None stands for a missing value as well. The comparison and the change are one atomic step.

    Raises TypeError if the key is no string or a value is not JSON, ValueError if the key is empty.

    Mode: durable and non-durable.
    """
    return bool(mutate_value(key, "check_and_set", expected, new))


def mutate_value(key: str, op: str, *args: Any) -> Any:
    """Do one atomic operation on the value stored under `key`, and return its result.

    `op` is one of `OPERATIONS`: "set" (value), "get", "del", "add" (number), "check_and_set" (expected, new). They
    are what the functions of those names do, and return what those return.

    Raises ValueError for an unknown operation and an empty key; TypeError for a wrong number of arguments, a key that
    is no string, and what the operation cannot take.

    Mode: durable and non-durable.
    """
    check_name(key, "key")
    if op not in OPERATIONS:
        raise ValueError(f"there is no operation {op!r}; there are: {', '.join(OPERATIONS)}")
    if len(args) != OPERATIONS[op]:
        raise TypeError(f"the operation {op!r} takes {OPERATIONS[op]} arguments, and got {len(args)}")
    if op == "add" and (not isinstance(args[0], int | float) or isinstance(args[0], bool)):
        raise TypeError(f"only a number can be added, not {type(args[0]).__name__}")
    return current().mutate_value(key, op, args)


def list_values_keys() -> list[str]:
    """The keys of all stored values of this project, sorted.

    Mode: durable and non-durable.
    """
    return sorted(current().list_values_keys())


def publish_value(key: str) -> str:
    """Let everyone read the value stored under `key`, now and as it changes, and return the URL to read it at.

    The URL needs no credentials. Publishing twice is no error.

    Raises TypeError if the key is no string, ValueError if it is empty.

    Mode: durable and non-durable.
    """
    return current().publish_value(check_name(key, "key"))


def unpublish_value(key: str) -> None:
    """Take back `publish_value`. It is no error if the value was not published.

    Raises TypeError if the key is no string, ValueError if it is empty.

    Mode: durable and non-durable.
    """
    current().unpublish_value(check_name(key, "key"))


def get_store_public_url() -> str:
    """The URL under which this project's published values can be read, as the environment has it.

    Raises ValueError if there is none, as is the case outside a session.

    Mode: durable and non-durable.
    """
    url = os.environ.get("store_public_url", "")  # noqa: SIM112 - the name is given
    if not url:
        raise ValueError("this session has no URL for published values; run it on a server (ak up)")
    return url


class Store(MutableMapping[str, Any]):
    """The project's stored values as a mapping: `store["count"] = 1`.

    Every access is one of the module's atomic operations, so what takes two of them is not atomic: for counters and
    locks use `add_values` and `check_and_set_value`. A missing key raises KeyError, as in a dict; deleting one is no
    error. What is read is a copy: to change a stored list, store it again.

    Mode: durable and non-durable.
    """

    __slots__ = ()

    # For `import autokitteh.store as m`, which gives the mapping: see the module's docstring.
    OPERATIONS = OPERATIONS
    get_value = staticmethod(get_value)
    set_value = staticmethod(set_value)
    del_value = staticmethod(del_value)
    add_values = staticmethod(add_values)
    check_and_set_value = staticmethod(check_and_set_value)
    mutate_value = staticmethod(mutate_value)
    list_values_keys = staticmethod(list_values_keys)
    publish_value = staticmethod(publish_value)
    unpublish_value = staticmethod(unpublish_value)
    get_store_public_url = staticmethod(get_store_public_url)

    def __getitem__(self, key: str) -> Any:
        value = get_value(key)
        # None is a value like any other; only then is a second look needed to tell it from a missing one.
        if value is None and key not in list_values_keys():
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        set_value(key, value)

    def __delitem__(self, key: str) -> None:
        del_value(key)

    def __iter__(self) -> Iterator[str]:
        return iter(list_values_keys())

    def __len__(self) -> int:
        return len(list_values_keys())

    def clear(self) -> None:
        """Delete the values that are stored now."""
        for key in list_values_keys():
            del_value(key)

    # There is one store: it is equal to itself only, and comparing or printing it reads nothing.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "<autokitteh.store>"

    def __reduce__(self) -> str:
        return "store"


#: The mapping; also `autokitteh.store`.
store = Store()
