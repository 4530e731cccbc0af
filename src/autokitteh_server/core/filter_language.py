"""The language of filters: CEL by Google's library, its extensions, and the functions on lists and sets it lacks.

Only this module knows the library. Two things in it need care: it cuts texts that come from Python at a NUL, and it
holds the interpreter's lock while it works. See filter_data.py and filter_cost.py.
"""

import functools
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from autokitteh_server.core.filter_text import without_unreadable


class Value(Protocol):
    def value(self) -> object: ...
    def type(self) -> "Type": ...


class Type(Protocol):
    def name(self) -> str: ...


class Expression(Protocol):
    """A compiled filter."""

    def eval(self, activation: object) -> Value: ...
    def return_type(self) -> Type: ...
    def serialize(self) -> bytes: ...


def compile_expression(text: str) -> Expression:
    """Raises RuntimeError with the library's own account of what is wrong."""
    expression: Expression = _environment().compile(text)
    return expression


def bind_variables(event_type: str, data: dict[str, Any]) -> object:
    """The variables of a filter, converted once for all filters to come."""
    return _environment().Activation({"event_type": event_type, "data": data})


def regex_problem(pattern: str) -> str:
    """What is wrong with a regular expression, or ""."""
    value = compile_expression("''.matches(event_type)").eval(bind_variables(pattern, {}))
    return str(value.value()).rpartition("regular expression: ")[2] if value.type().name() == "ERROR" else ""


@functools.cache
def _environment() -> Any:
    # Imported here, for it takes 10 to 70 ms, and most commands and many projects have no filters.
    # Neither package says that it has types.
    from cel_expr_python import cel  # type: ignore[import-untyped]
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_strings  # type: ignore[import-untyped]

    return cel.NewEnv(
        variables={"event_type": cel.Type.STRING, "data": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)},
        extensions=[
            ext_strings.ExtStrings(),
            ext_math.ExtMath(),
            ext_encoders.ExtEncoders(),
            ext_bindings.ExtBindings(),
            cel.CelExtension("autokitteh.lists", _list_functions(cel)),
        ],
    )


def _list_functions(cel: Any) -> list[Any]:
    items, whole, truth = cel.Type.List(cel.Type.DYN), cel.Type.INT, cel.Type.BOOL

    def method(name: str, implementation: Callable[..., list[Any]], *more: Any) -> Any:
        overload = cel.Overload(f"autokitteh_list_{name}", items, [items, *more], True, _clean(implementation))
        return cel.FunctionDecl(name, [overload])

    def of_sets(name: str, implementation: Callable[[set[Hashable], set[Hashable]], bool]) -> Any:
        def compare(first: list[Any], second: list[Any]) -> bool:
            return implementation({_key(each) for each in first}, {_key(each) for each in second})

        overload = cel.Overload(f"autokitteh_sets_{name}", truth, [items, items], False, compare)
        return cel.FunctionDecl(f"sets.{name}", [overload])

    return [
        method("distinct", _distinct),
        method("flatten", _flatten),
        method("reverse", lambda values: values[::-1]),
        method("slice", _slice, whole, whole),
        method("sort", _sort),
        of_sets("contains", lambda first, second: first >= second),
        of_sets("equivalent", lambda first, second: first == second),
        of_sets("intersects", lambda first, second: not first.isdisjoint(second)),
    ]


def _clean(implementation: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """What goes back is cut at a NUL, as is everything that comes from Python; `string(bytes)` can make one."""
    return lambda *args: [without_unreadable(each) for each in implementation(*args)]


def _distinct(values: list[Any]) -> list[Any]:
    first: dict[Hashable, Any] = {}
    for each in values:
        first.setdefault(_key(each), each)
    return list(first.values())


def _flatten(values: list[Any]) -> list[Any]:
    return [item for each in values for item in (each if isinstance(each, list) else [each])]


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(values):
        raise ValueError(f"slice({start}, {end}) of a list of {len(values)}")
    return values[start:end]


def _sort(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        raise ValueError("sort() of values that have no order among them") from None


def _key(value: Any) -> Hashable:
    """Equal for values that are equal in CEL: 1 is 1.0, and neither is true."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, list):
        return list, tuple(map(_key, value))
    if isinstance(value, dict):
        return dict, frozenset((_key(key), _key(each)) for key, each in value.items())
    return bytes(value) if isinstance(value, bytearray) else value
