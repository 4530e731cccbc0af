"""A project's directory to files in memory, without what does not belong to the project."""

import fnmatch
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autokitteh_server.builds.bounds import MAX_FILES, MAX_TOTAL_BYTES
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import path_problem

#: Lines like those of .gitignore, in the project's root.
IGNORE_FILE = ".akignore"

#: What tools leave in a directory of Python code. A project that does want one says `!name` in its ignore file.
_ALWAYS_IGNORED = (
    *(".git/", ".hg/", ".svn/", "__pycache__/", ".venv/", "venv/", "node_modules/", ".tox/", ".nox/", ".idea/"),
    *(".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".hypothesis/", "*.egg-info/"),
    *("*.pyc", "*.pyo", ".DS_Store", ".#*", "*~", "*.swp"),
)


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of an ignore file."""

    pattern: str  # for fnmatch, where `*` stands for any text, slashes included
    is_negated: bool  # `!`: takes back what an earlier line ignored
    directories_only: bool  # `/` at the end
    is_anchored: bool  # a `/` elsewhere: the pattern is for the whole path, not for any name on it

    def matches(self, path: str, *, is_directory: bool) -> bool:
        subject = path if self.is_anchored else path.rpartition("/")[2]
        return (is_directory or not self.directories_only) and fnmatch.fnmatchcase(subject, self.pattern)


def parse_ignore_rules(text: str) -> list[IgnoreRule]:
    """The rules in an ignore file: one a line, empty lines and lines that start with `#` left out."""
    lines = (line.strip() for line in text.splitlines())
    return [_rule(line) for line in lines if line.strip("!/") and not line.startswith("#")]


def is_ignored(path: str, rules: list[IgnoreRule], *, is_directory: bool = False) -> bool:
    """Whether a file or directory is left out. Of the rules that match, the last one counts."""
    matching = (rule for rule in reversed(rules) if rule.matches(path, is_directory=is_directory))
    rule = next(matching, None)
    return rule is not None and not rule.is_negated


def read_directory(root: Path) -> dict[str, bytes]:
    """The project's files by path, relative with "/", sorted.

    Raises InvalidArgument for symbolic links that lead nowhere, outside of the directory or in a circle, for names
    that other machines cannot have, and for more than a project may have; OSError for what cannot be read.
    """
    return _Reader(root.resolve()).read()


def _rule(line: str) -> IgnoreRule:
    body = line.removeprefix("!")
    pattern = body.rstrip("/")
    return IgnoreRule(
        pattern=pattern.removeprefix("/"),
        is_negated=line.startswith("!"),
        directories_only=body.endswith("/"),
        is_anchored="/" in pattern,
    )


class _Reader:
    """Walks one directory, once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        ignore_file = root / IGNORE_FILE
        own = ignore_file.read_text(errors="replace") if ignore_file.is_file() else ""
        self._rules = [_rule(line) for line in _ALWAYS_IGNORED] + parse_ignore_rules(own)
        self._total_bytes = 0

    def read(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for path, file in self._walk(self._root, "", (self._root,)):
            if len(files) == MAX_FILES:
                raise _too_much(self._root, f"more than {MAX_FILES:,} files")
            files[path] = self._content(file)
        return dict(sorted(files.items()))

    def _walk(self, directory: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
        """Paths and files below a directory. `above` are the real directories on the way there, itself included."""
        for child in sorted(directory.iterdir()):
            path = prefix + child.name
            real = self._real(child, path) if child.is_symlink() else child
            mode = real.stat().st_mode if real else 0
            if real is None or is_ignored(path, self._rules, is_directory=stat.S_ISDIR(mode)):
                continue
            if problem := path_problem(path):
                raise InvalidArgument(f"{child}: {problem}", f"Rename it, or name it in {IGNORE_FILE}.")
            if stat.S_ISDIR(mode):
                yield from self._walk_into(real, path, above)
            elif stat.S_ISREG(mode):  # sockets and pipes are left by running programs
                yield path, real

    def _walk_into(self, real: Path, path: str, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
        if (real / "pyvenv.cfg").exists():  # a virtual environment, whatever its name
            return
        if real in above:
            raise InvalidArgument(f"{self._root / path}: the link leads in a circle", f"Name it in {IGNORE_FILE}.")
        yield from self._walk(real, path + "/", (*above, real))

    def _real(self, link: Path, path: str) -> Path | None:
        """Where a symbolic link leads; None if it is ignored anyway."""
        if is_ignored(path, self._rules, is_directory=link.is_dir()):
            return None
        remedy = f"Put a copy in its place, or name it in {IGNORE_FILE}."
        if not link.exists():  # asked first: a link to itself cannot be resolved
            raise InvalidArgument(f"{link}: the link leads nowhere", remedy)
        real = link.resolve()
        if not real.is_relative_to(self._root):
            raise InvalidArgument(f"{link}: the link leads out of the project, to {real}", remedy)
        return real

    def _content(self, file: Path) -> bytes:
        self._check_total(file.stat().st_size)  # before reading, lest a huge file fill the memory
        content = file.read_bytes()
        self._total_bytes += len(content)
        self._check_total(0)
        return content

    def _check_total(self, more: int) -> None:
        if self._total_bytes + more > MAX_TOTAL_BYTES:
            raise _too_much(self._root, f"more than {MAX_TOTAL_BYTES:,} bytes")


def _too_much(root: Path, what: str) -> InvalidArgument:
    return InvalidArgument(f"{root}: the project has {what}", f"Name what is not its code in {IGNORE_FILE}.")
