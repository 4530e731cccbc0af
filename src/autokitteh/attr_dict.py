"""A dict whose keys can also be read as attributes, all the way down."""

import copy
from typing import Any

#: So many keys are named in the message about a missing one.
_KEYS_SHOWN = 12


class AttrDict(dict[str, Any]):
    """A dict whose keys can be read as attributes: `d.user.name` is `d["user"]["name"]`.

    It is a real dict: `json.dumps`, `isinstance(d, dict)`, `==`, `copy.deepcopy` and pickle work as they do there.
    Nested dicts, also those inside lists, become AttrDicts when it is made; a dict put in later does when it is first
    read as an attribute. However it is read, it is one object: a change made through `d.user` shows in `d["user"]`.

    - A missing key raises AttributeError as an attribute, KeyError as a key.
    - Attributes are for reading: setting or deleting one raises NotImplementedError; use `d["key"] = value`.
    - The methods of dict come first: a key "items" is `d["items"]`, as `d.items` is the method.
    - Keys with two underscores on both sides are never attributes: Python asks for such names on its own account.
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, value in self.items():
            wrapped = _wrap(value)
            if wrapped is not value:
                # Replacing the value of a present key does not disturb the iteration.
                self[key] = wrapped

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(f"no key {name!r} in this data; {_keys_of(self)}") from None
        if type(value) is dict:
            # Kept, so that the next reading gives the same object, and changes are not lost.
            value = self[name] = AttrDict(value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        raise NotImplementedError(f'attributes of this data are for reading; use data["{name}"] = ... instead')

    def __delattr__(self, name: str) -> None:
        raise NotImplementedError(f'attributes of this data are for reading; use del data["{name}"] instead')

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self if isinstance(key, str) and key.isidentifier())]

    def copy(self) -> "AttrDict":
        """A shallow copy, which shares what is nested."""
        return copy.copy(self)


def _wrap(value: Any) -> Any:
    """`value`, with its plain dicts as AttrDicts. Subclasses of dict and list are someone's own, and stay."""
    if type(value) is dict:
        return AttrDict(value)
    if type(value) is list:
        return [_wrap(element) for element in value]
    return value


def _keys_of(data: AttrDict) -> str:
    if not data:
        return "it is empty"
    keys = [repr(key) for key in data]
    more = ", ..." if len(keys) > _KEYS_SHOWN else ""
    return f"it has {', '.join(keys[:_KEYS_SHOWN])}{more}"
