"""Several files in one text: lines `-- name --`, each followed by the content of the file of that name.

The format is that of Go's package txtar (https://pkg.go.dev/golang.org/x/tools/txtar): what stands before the first
such line is a comment, and a content that does not end in a newline is given one. It has no way to quote, so a
content with such a line in it cannot be written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import directory_clash, path_problem

# The carriage return lets archives in that a Windows editor saved.
_MARKER = re.compile(rb"^-- (.*) --\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Archive:
    """The files of an archive, in its order, and the comment before them."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    comment: bytes = b""


def parse_txtar(data: bytes, filename: str = "archive.txtar") -> Archive:
    """Read an archive; contents are bytes exactly as they stand, but for the newline at their end.

    Raises InvalidArgument, with file and line, for a path that is not safe or comes twice, or is both a file and a
    directory.
    """
    markers = list(_MARKER.finditer(data))
    bounds = [*(marker.start() for marker in markers), len(data)]
    files: dict[str, bytes] = {}
    for marker, end in zip(markers, bounds[1:], strict=True):
        path = marker[1].strip(b" \t").decode(errors="surrogateescape")
        if problem := path_problem(path) or ("the path comes twice" if path in files else ""):
            raise _bad_path(f"{filename}:{_line_of(marker)}", path, problem)
        files[path] = _ended(data[marker.end() + 1 : end])
    _check_directories(files, filename)
    return Archive(files, _ended(data[: bounds[0]]))


def render_txtar(archive: Archive) -> bytes:
    """The archive as text. Reading it gives the same files and comment, where each is empty or ends in a newline.

    Raises InvalidArgument for what the format cannot hold: an unsafe path, a line of content that looks like a marker.
    """
    return b"".join(_rendered(archive))


def _rendered(archive: Archive) -> Iterator[bytes]:
    _check_directories(archive.files, "the archive")
    yield _content(archive.comment, "the comment")
    for path, content in archive.files.items():
        if problem := path_problem(path):
            raise _bad_path("the archive", path, problem)
        yield f"-- {path} --\n".encode() + _content(content, path)


def _content(content: bytes, what: str) -> bytes:
    if marker := _MARKER.search(content):
        raise InvalidArgument(
            f"{what}:{_line_of(marker)}: this line would be read as the start of another file of the archive",
            "A txtar archive cannot hold such a line: indent it, or use a directory.",
        )
    return _ended(content)


def ends_in_newline(content: bytes) -> bool:
    """Whether a content comes back from an archive as it is; an empty one does."""
    return not content or content.endswith(b"\n")


def _ended(content: bytes) -> bytes:
    return content if ends_in_newline(content) else content + b"\n"


def _line_of(marker: re.Match[bytes]) -> int:
    return marker.string.count(b"\n", 0, marker.start()) + 1


def _check_directories(files: Mapping[str, bytes], where: str) -> None:
    """Raises InvalidArgument if one path would have to be a file and a directory at once."""
    if clash := directory_clash(files):
        raise _bad_path(where, clash, "the path is both a file and a directory")


def _bad_path(where: str, path: str, problem: str) -> InvalidArgument:
    return InvalidArgument(f"{where}: {problem}: {path!r}", "Give each file a relative path of its own, with `/`.")
