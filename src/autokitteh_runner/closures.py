"""What a function can change by being called: the variables of the functions around it, or the object it belongs to."""

import functools
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

from autokitteh_runner.transform import RESOLVER

_CALLABLES = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)


class Closure:
    """A function's variables, as an object that pickle can look into and whose state can be put back in place."""

    __slots__ = ("_defaults", "_known", "_variables")

    def __init__(self, fn: FunctionType, known: "dict[int, Closure]") -> None:
        self._variables: tuple[CellType, ...] = fn.__closure__ or ()
        self._defaults = [*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()]
        self._known = known

    def __getstate__(self) -> list[tuple[bool, Any]]:
        values = [_value_of(variable) for variable in self._variables]
        return [self._part(value) for value in (*values, *self._defaults)]

    def __setstate__(self, state: list[tuple[bool, Any]]) -> None:
        for variable, (is_value, value) in zip(self._variables, state, strict=False):
            if is_value:
                variable.cell_contents = value

    def _part(self, value: Any) -> tuple[bool, Any]:
        """Whether this is the value itself, or only what of it can change; code can't be recorded, and stays."""
        if value is _UNSET or isinstance(value, type | ModuleType):
            return False, None
        return (False, _held_by(value, self._known)) if isinstance(value, _CALLABLES) else (True, value)


_UNSET = object()


def _value_of(variable: CellType) -> Any:
    try:
        return variable.cell_contents
    except ValueError:  # not assigned yet
        return _UNSET


def reached_by(value: Any, known: dict[int, Closure]) -> Any:
    """What of a value can be changed by using it: of something to call, what that reaches; anything else itself.

    `known` keeps the closures found, by the ids of their functions: a function may hold itself.
    """
    if isinstance(value, functools.partial):
        return [_held_by(part, known) for part in (value.func, *value.args, *value.keywords.values())]
    if isinstance(value, MethodType | BuiltinFunctionType):
        owner = value.__self__
        return value if owner is None or isinstance(owner, type | ModuleType) else owner
    # What others' functions keep for themselves is as little of the session as their modules' variables.
    if isinstance(value, FunctionType) and RESOLVER in value.__globals__ and _has_variables(value):
        if id(value) not in known:
            known[id(value)] = Closure(value, known)
        return known[id(value)]
    return value


def _held_by(part: Any, known: dict[int, Closure]) -> Any:
    """The same of a part of something to call; None where that is code and nothing else, which can't be recorded."""
    held = reached_by(part, known)
    return None if isinstance(held, (*_CALLABLES, type, ModuleType)) else held


def _has_variables(fn: FunctionType) -> bool:
    return bool(fn.__closure__ or fn.__defaults__ or fn.__kwdefaults__)
