"""Changing one setting in the configuration file, and nothing else in it: comments and layout stay.

The text is changed where the setting stands, and read again before it is written: should what the file then says
differ in anything but this setting, the file is left as it was.
"""

import os
import re
import tempfile
from pathlib import Path

import yaml

from autokitteh_server.config_file import read_file
from autokitteh_server.config_load import ConfigError
from autokitteh_server.config_table import Option
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument

#: What YAML reads as it stands, if it is no word with a meaning of its own.
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./@=+-]*(:[A-Za-z0-9_./@=+-]+)*")
_WORDS = frozenset({"null", "~", ""})


def set_in_file(path: Path, option: Option, text: str) -> None:
    """Write a setting into a file, which is made if need be.

    Raises InvalidArgument for a value that cannot be used, ConfigError for a file that is wrong already, and
    FailedPrecondition for one that cannot be changed this way, or not written.
    """
    try:
        option.kind.parse(text)
    except ValueError as error:
        shown = "" if option.kind.is_secret else f" {text!r}"
        raise InvalidArgument(f"{option.key}{shown}: {error}", "Give another value.") from None
    path = path.resolve()  # a link to the file stays one
    try:
        before = path.read_bytes() if path.exists() else b""
        after = _edit(before, str(path), option, text)
        _write(path, after)
    except OSError as error:
        raise FailedPrecondition(f"{path}: cannot be changed: {error.strerror}", "Check its permissions.") from error


def _edit(before: bytes, name: str, option: Option, text: str) -> bytes:
    old, problems = read_file(before, name)
    if problems:
        raise ConfigError(problems)
    after = _change(before.decode("utf-8-sig"), option.key, _written(text)).encode()
    new, problems = read_file(after, name)
    wanted = {found.option.key: found.value for found in old} | {option.key: option.kind.parse(text)}
    if problems or {found.option.key: found.value for found in new} != wanted:
        raise FailedPrecondition(
            f"{name}: {option.key} cannot be set without touching what is around it", f"Edit {name} by hand."
        )
    return after


def _change(text: str, key: str, value: str) -> str:
    """The text with the setting in it."""
    *groups, name = key.split(".")
    place = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, group in enumerate(groups):
        inner = _entry(place, group)
        if inner is None:
            return _add(text, place, [*groups[depth:], name], value)
        if not isinstance(inner[1], yaml.MappingNode):  # it is empty
            return _replace(text, inner, f"\n  {name}: {value}")
        place = inner[1]
    found = _entry(place, name)
    return _add(text, place, [name], value) if found is None else _replace(text, found, f" {value}")


def _entry(mapping: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = mapping.value if isinstance(mapping, yaml.MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == name), None)


def _replace(text: str, entry: tuple[yaml.Node, yaml.Node], value: str) -> str:
    """The text with another value behind a key. The blanks before it stay, where it is on the key's line."""
    key, old = entry
    begin = key.end_mark.index + 1 + text[key.end_mark.index :].index(":")
    if isinstance(old, yaml.ScalarNode) and old.start_mark.line == key.start_mark.line and old.value:
        rest = ("\n" if old.style in ("|", ">") else "") + text[old.end_mark.index :]  # those end with their last line
        return text[: old.start_mark.index] + value.lstrip(" ") + rest
    end = max(_end(old), begin)
    return text[:begin] + value + text[end:]


def _end(node: yaml.Node) -> int:
    """Where a value ends. A list of lines ends with its last item, not with the comments behind that."""
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _add(text: str, mapping: yaml.Node | None, path: list[str], value: str) -> str:
    """The text with a new setting as a mapping's first, or at the end where there is none."""
    is_inner = isinstance(mapping, yaml.MappingNode) and mapping.start_mark.column > 0
    if is_inner:
        assert mapping is not None
        at, margin = mapping.start_mark.index, " " * mapping.start_mark.column
        lines = _lines(path, value)
        return text[:at] + "".join(f"{line}\n{margin}" for line in lines) + text[at:]
    ended = text if not text or text.endswith("\n") else text + "\n"
    return ended + "".join(f"{line}\n" for line in _lines(path, value))


def _lines(path: list[str], value: str) -> list[str]:
    *groups, name = path
    return [*("  " * depth + f"{group}:" for depth, group in enumerate(groups)), f"{'  ' * len(groups)}{name}: {value}"]


def _written(text: str) -> str:
    """A value as YAML has it."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf")).rstrip("\n")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all. A new file is its owner's only, for there may be secrets in it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    fd, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(fd, mode)
            os.fsync(fd)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
