"""Why a filter failed on an event, in words for people."""

import re
from collections.abc import Iterator
from typing import Any

from autokitteh_server.core.filter_data import render_path
from autokitteh_server.core.filter_tree import Call, Constant, Name, Select, Tree, children
from autokitteh_server.core.filter_words import operator_word, type_word

_KEY = re.compile(r"Key not found in map : (?P<key>.*)", re.DOTALL)
_INDEX = re.compile(r"Index error: index=(?P<index>-?\d+) size=(?P<size>\d+)")
_OVERLOAD = re.compile(r"No matching overloads found : (?P<call>\(.*\)\.\w+|[^(]+)\((?P<types>.*)\)", re.DOTALL)
_STATUS = re.compile(r"^[A-Z_]+: ")
_MAX_LENGTH = 300

Path = tuple[str, tuple[str | int, ...]]  # the variable it starts from, and the steps


def explain_failure(error: str, tree: Tree, data: dict[str, Any]) -> str:
    """The library's error, said in the terms of the filter: `data.a.b: no such key`."""
    error = _STATUS.sub("", error)
    return (_explain_path(error, tree, data) or _explain_other(error))[:_MAX_LENGTH]


def explain_value(value: object, type_name: str) -> str:
    """Why a value is no answer."""
    shown = f" {value!r}"[:80] if isinstance(value, (str, int, float)) else ""
    return f"the filter gave {type_word(type_name)}{shown}, and must give true or false"


def _explain_path(error: str, tree: Tree, data: dict[str, Any]) -> str:
    key, index = _KEY.match(error), _INDEX.match(error)
    if not (key or index or "SELECT" in error or "Index error" in error):
        return ""
    step = key["key"].strip().strip('"') if key else index["index"] if index else ""
    for root, steps in _paths(tree):
        if root == "data" and (found := _explain_steps(steps, data, step)):
            return found
    for root, steps in _paths(tree):
        if step in map(str, steps):
            until = list(map(str, steps)).index(step) + 1
            return f"{render_path(steps[:until], root)}: {_missing(steps[until - 1])}"
    if index:
        return f"no such index: {step}, the list has {index['size']}"
    return f"no such key: {step}" if key else ""


def _explain_steps(steps: tuple[str | int, ...], value: Any, wanted: str) -> str:
    """What is wrong with the first step that leads nowhere; "" if all lead somewhere, or it is not the wanted one."""
    for at, step in enumerate(steps):
        path = render_path(steps[: at + 1])
        is_there = _has(value, step)
        if not is_there and wanted and str(step) != wanted:
            return ""
        if is_there:
            value = value[step]
        elif isinstance(value, dict):
            return f"{path}: {_missing(step)}"
        elif isinstance(value, list) and isinstance(step, int):
            return f"{path}: no such index, the list has {len(value)}"
        else:
            return f"{path}: {render_path(steps[:at])} is {_value_word(value)}, and has no {_noun(step, plural=True)}"
    return ""


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def _missing(step: str | int) -> str:
    return f"no such {_noun(step)}"


def _noun(step: str | int, *, plural: bool = False) -> str:
    if isinstance(step, str):
        return "keys" if plural else "key"
    return "members" if plural else "index"


def _value_word(value: object) -> str:
    return type_word({"str": "string", "NoneType": "null_type", "dict": "map"}.get(kind := type(value).__name__, kind))


def _explain_other(error: str) -> str:
    if overload := _OVERLOAD.match(error):
        call, types = overload["call"], [type_word(each) for each in overload["types"].split(", ") if each]
        if method := re.fullmatch(r"\((.*)\)\.(\w+)", call, re.DOTALL):
            call, types = method[2], [type_word(method[1]), *types]
        return f"`{operator_word(call)}` does not go with {' and '.join(types) or 'nothing'}"
    if "Iteration budget" in error:
        return "the filter's loops go round more than 9,999 times"
    return _PLAIN.get(error.strip(), error.strip())


_PLAIN = {
    "divide by zero": "division by zero",
    "modulus by zero": "division by zero",
    "Applying SELECT to non-message type": "a value that is no map is asked for a key",
}


def _paths(tree: Tree) -> Iterator[Path]:
    """Every longest path from a variable, through fields and constant indexes, in the order of the filter."""
    step: str | int | None = None
    steps: list[str | int] = []
    node = tree
    while True:
        if isinstance(node, Select):
            if node.is_test:  # looks, and does not miss; what it looks into may be missing
                steps.clear()
            else:
                steps.append(node.field)
            node = node.operand
        elif isinstance(node, Call) and node.function == "_[_]" and isinstance(node.args[1], Constant):
            step = node.args[1].value if isinstance(node.args[1].value, (str, int)) else None
            if step is None:
                break
            steps.append(step)
            node = node.args[0]
        else:
            break
    if isinstance(node, Name):
        yield node.name, tuple(reversed(steps))
        return
    for child in children(node):
        yield from _paths(child)
