"""What things may be called: objects of a project, files inside it, and the functions that handle events."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from autokitteh_server.core.errors import InvalidArgument

#: The rule for projects, connections, triggers and vars, as JSON Schema and people read it. ASCII only.
NAME_PATTERN = r"^[a-zA-Z_][a-zA-Z0-9_]{0,249}$"
NAME_RULE = "Use letters, digits and underscores only, with no digit in front, and 250 characters at most."

_NAME = re.compile(r"[a-zA-Z_]\w{0,249}", re.ASCII)  # a bound, for databases do not index texts of any length
_MAX_PARTS = 50  # of a path; each makes a folder, and thousands of them take long to make and to remove
_TOKEN_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_DRIVE = re.compile(r"[a-zA-Z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # how Python shows bytes of a file name that are not UTF-8


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A function of a project's code, written "file.py:function"."""

    file: str  # relative to the project's directory, with "/"
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.function}"


def is_name(text: str) -> bool:
    """Whether a project, connection, trigger or var may be called this."""
    return _NAME.fullmatch(text) is not None


def is_token_name(text: str) -> bool:
    """Whether an API token may be called this."""
    return _TOKEN_NAME.fullmatch(text) is not None


def is_plain_text(text: str) -> bool:
    """Whether every database takes a text as it is: without NUL and lone surrogates."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def parse_entry(text: str) -> Entry:
    """Read "file.py:function"; "./" in front of the file is dropped. Raises InvalidArgument for anything else.

    The function's name is brought into the form that Python itself gives identifiers (NFKC).
    """
    file, colon, function = text.strip().rpartition(":")
    problem = _entry_problem(file, function) if colon else "it has no `:`"
    if problem:
        raise InvalidArgument(
            f"{text!r} is not an entry point: {problem}",
            "Write the file and one of its top-level functions, such as program.py:on_event.",
        )
    return Entry(_plain(file), unicodedata.normalize("NFKC", function))


def path_problem(path: str) -> str:
    """Why this is not a path that stays inside a project's directory, or "" if it is one.

    Promises about a good path: relative, "/" between its parts, no ".", no "..", nothing that a Windows machine, a
    terminal or an archive would read otherwise.
    """
    if not path:
        return "the path is empty"
    if _SURROGATE.search(path):
        return "the path is not UTF-8"
    if path != path.strip() or _CONTROL.search(path):
        return "the path has control characters, or blanks around it"
    if path.startswith("/") or _DRIVE.match(path):
        return "the path is absolute"
    if "\\" in path:
        return "the path has a backslash"
    if ".." in path.split("/"):
        return "the path leads out of its directory"
    if path.count("/") >= _MAX_PARTS:
        return f"the path has more than {_MAX_PARTS} parts"
    return "" if _plain(path) == path != "." else "the path is not in its shortest form"


def directory_clash(paths: Iterable[str]) -> str:
    """The path that would have to be a file and a directory at once, or "" if there is none."""
    listed = list(paths)
    directories = {directory for path in listed for directory in _directories(path)}
    return next((path for path in listed if path in directories), "")


def spelling_clash(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two paths, or directories on the way to them, that are one and the same on some machines.

    Those of macOS and Windows do not tell capital letters from small ones, nor an accent from a letter that has one.
    """
    spelled: dict[str, str] = {}
    for path in paths:
        for each in (*_directories(path), path):
            if (first := spelled.setdefault(_folded(each), each)) != each:
                return first, each
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant, or "" if none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def _entry_problem(file: str, function: str) -> str:
    if not file.endswith(".py") or PurePosixPath(file).name == ".py":
        return "what stands before the `:` is not the name of a .py file"
    if not function.isidentifier():
        return "what stands after the `:` is not the name of a top-level function"
    return path_problem(_plain(file))


def _directories(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _folded(path: str) -> str:
    return (
        path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
    )


def _plain(path: str) -> str:
    return str(PurePosixPath(path))
