"""The configuration file: settings in YAML, nested as their keys are. Read with places, and changed line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autokitteh_server.config_table import Option, group_names, table
from autokitteh_server.core.manifest_problems import Problems
from autokitteh_server.core.manifest_yaml import Mapping, Node, Scalar, Sequence, load_tree
from autokitteh_server.core.names import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A setting in the file."""

    option: Option
    value: Any
    line: int


def read_file(text: bytes, name: str) -> tuple[list[Found], list[str]]:
    """The settings in a file, and what is wrong with others, with their lines."""
    problems = Problems(name)
    tree = load_tree(text, problems)
    found = [] if tree is None else list(_read(tree, "", problems))
    ordered = sorted(problems.found, key=lambda problem: (problem.line, problem.column))
    return found, [str(problem) for problem in ordered]


def _read(node: Node, group: str, problems: Problems) -> Iterator[Found]:
    if isinstance(node, Scalar) and node.is_null:
        return
    if not isinstance(node, Mapping):
        where = f"`{group}`" if group else "the file"
        problems.add(node.place, group, f"{where} must have keys with values", "Write `key: value`.")
        return
    for name, (key, value) in node.items.items():
        path = f"{group}.{name}" if group else name
        if path in group_names():
            yield from _read(value, path, problems)
        elif path not in table():
            problems.add(key.place, path, "there is no such setting", _remedy(path))
        else:
            yield from _read_value(table()[path], value, problems)


def _read_value(option: Option, node: Node, problems: Problems) -> Iterator[Found]:
    text = _text_of(node)
    if text is None:
        problems.add(node.place, option.key, f"it must be a {option.kind.name}", "Change or remove it.")
        return
    try:
        yield Found(option=option, value=option.kind.parse(text), line=node.place.line)
    except ValueError as error:
        problems.add(node.place, option.key, str(error), "Change or remove it.")


def _text_of(node: Node) -> str | None:
    """What a value says; None for a shape that no setting has. A list is as good as its items with commas."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        items = [_text_of(item) for item in node.items]
        return None if None in items else ",".join(item or "" for item in items)
    return None


def _remedy(path: str) -> str:
    keys = [*table(), *group_names()]
    near = did_you_mean(path, keys) or did_you_mean(path.rpartition(".")[2], keys)
    return f"Did you mean {near}?" if near else "`ak config list` shows all there are."
