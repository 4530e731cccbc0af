"""Exceptions of many makes; at the top level of a module, for pickle finds classes by name."""

import threading
from typing import Any


class Custom(Exception):
    """Its `__init__` takes other parameters than `args` holds."""

    def __init__(self, code: int, *, hint: str) -> None:
        super().__init__(f"failed with {code}")
        self.code = code
        self.hint = hint


class NoSuper(Exception):
    """Never calls `super().__init__`."""

    def __init__(self, **details: Any) -> None:
        self.details = details


class Slotted(Exception):
    """Keeps its fields in slots, private ones among them; one may be None, another unset."""

    __slots__ = ("__secret", "code", "nothing", "unset")

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
        self.nothing = None
        self.__secret = "s"

    def secret(self) -> str:
        return self.__secret


class WithProperties(Exception):
    """Has properties, one of which can't be set."""

    def __init__(self, response: dict[str, Any]) -> None:
        super().__init__("bad response")
        self._response = response

    @property
    def status(self) -> Any:
        return self._response["status"]

    @property
    def args_seen(self) -> Any:
        return self.args

    @args_seen.setter
    def args_seen(self, value: Any) -> None:
        raise AssertionError("set")


class Frozen(Exception):
    """Does not let its attributes be set."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        vars(self)["code"] = code

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)


class OwnNew(Exception):
    """Has a `__new__` that other parameters are needed for."""

    def __new__(cls, *, code: int) -> "OwnNew":
        made = super().__new__(cls, "made")
        made.code = code  # type: ignore[attr-defined]
        return made

    def __init__(self, *, code: int) -> None:
        super().__init__("made")


class OwnReduce(Exception):
    """Has a `__reduce__` that is wrong, as many are."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    def __reduce__(self) -> Any:
        return OwnReduce, (self.code,)


class OwnSetstate(Exception):
    """Has a `__getstate__` and `__setstate__`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __getstate__(self) -> Any:
        raise AssertionError("asked")


class OsLike(OSError):
    """An OSError with a field of its own."""

    def __init__(self, number: int, text: str, host: str) -> None:
        super().__init__(number, text)
        self.host = host


class OsLikeNew(OSError):
    """An OSError with a `__new__` of its own."""

    def __new__(cls, host: str) -> "OsLikeNew":
        return super().__new__(cls, 111, "refused")

    def __init__(self, host: str) -> None:
        super().__init__(111, "refused")
        self.host = host


class Shadowing(OSError):
    """Its property has the name of one of OSError's fields."""

    @property
    def errno(self) -> Any:  # type: ignore[override]
        return 5


class Group(ExceptionGroup[Exception]):
    """A group with a field of its own."""

    def __new__(cls, text: str, errors: list[Exception], code: int) -> "Group":
        made = super().__new__(cls, text, errors)
        made.code = code  # type: ignore[attr-defined]
        return made

    def derive(self, errors: Any) -> "Group":
        return Group(self.message, errors, self.code)  # type: ignore[attr-defined]


class Unpicklable:
    """Can't be pickled."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __repr__(self) -> str:
        return "<unpicklable>"


class BadPickle:
    """Can be pickled, and not unpickled."""

    def __reduce__(self) -> Any:
        return BadPickle, (1, 2, 3)

    def __repr__(self) -> str:
        return "<bad pickle>"


def local_class() -> type[Exception]:
    """A class that pickle does not find by its name."""

    class Local(Exception):
        pass

    return Local


def with_attributes(error: BaseException, **attributes: Any) -> BaseException:
    """An exception with attributes set from outside."""
    vars(error).update(attributes)
    return error


def linked(error: BaseException, cause: BaseException | None) -> BaseException:
    """An exception that was raised from another."""
    error.__cause__ = cause
    return error


def noted(error: BaseException, note: str) -> BaseException:
    """An exception with a note."""
    error.add_note(note)
    return error
