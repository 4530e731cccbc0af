"""The programs in `programs/`: what each is to print and how it is to end, as its own header says.

A header is a block of comments that holds TOML, in the form of inline script metadata:

    # /// session
    # prints = '''
    # first line
    # '''
    # ///

Every other key of `Program` may stand there as well. A folder is a program of several files, whose header is that of
its program.py.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autokitteh_server.builds.source import Source

FOLDER = Path(__file__).with_name("programs")

#: How a program is run; see `test_programs`.
WAYS = ("durable", "evicted", "runner-killed", "killed", "killed-later", "plain")

_HEADER = re.compile(r"^# /// session\n((?:#.*\n)*?)# ///$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program, and what is to come of it."""

    source: Source
    prints: str = ""  # all lines, in order
    state: str = "COMPLETED"
    error: list[str] = field(default_factory=list)  # texts that the session's error holds
    warnings: list[str] = field(default_factory=list)  # one text of each warning that is to be in the log
    not_in: dict[str, str] = field(default_factory=dict)  # ways that do not apply, and why
    entry: str = "program.py:on_trigger"
    vars: dict[str, str] = field(default_factory=dict)
    data: Any = None
    sweep: list[str] = field(default_factory=list)  # crash points at whose every passage it is also killed once

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def lines(self) -> list[str]:
        """What it is to print."""
        return self.prints.removesuffix("\n").split("\n") if self.prints else []


def load(name: str) -> Program:
    """The program of a name."""
    path = FOLDER / name
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*.py")) if "__pycache__" not in file.parts]
        files = {file.relative_to(path).as_posix(): file.read_bytes() for file in found}
    else:
        files = {"program.py": path.with_suffix(".py").read_bytes()}
    source = Source(name=name, files=files, manifest=None, manifest_path=None)
    program = Program(source=source, **_header(files["program.py"].decode()))
    assert program.not_in.keys() <= set(WAYS), f"{name}: {program.not_in}"
    return program


def names() -> list[str]:
    """The names of all programs."""
    return sorted(path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or (path / "program.py").is_file())


def _header(text: str) -> dict[str, Any]:
    match = _HEADER.search(text)
    assert match is not None, "the program has no header"
    return tomllib.loads("".join(line[2:] or "\n" for line in match[1].splitlines(keepends=True)))
