"""How large a project may be, and what its paths may look like. What is larger is data, and has its place elsewhere."""

from collections.abc import Mapping

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import directory_clash, path_problem, spelling_clash

MAX_FILES = 10_000
MAX_TOTAL_BYTES = 100_000_000

# What file systems commonly have.
_MAX_PATH_BYTES = 1000
_MAX_PART_BYTES = 255


def check_files(files: Mapping[str, bytes]) -> None:
    """Raises InvalidArgument for files that are no project: unsafe paths, or too much of anything."""
    if not files:
        raise InvalidArgument("the project has no files", "Give at least one.")
    if len(files) > MAX_FILES:
        raise InvalidArgument(f"the project has more than {MAX_FILES:,} files", "Leave out what is not its code.")
    if sum(map(len, files.values())) > MAX_TOTAL_BYTES:
        raise InvalidArgument(f"the project has more than {MAX_TOTAL_BYTES:,} bytes", "Leave out what is not its code.")
    for path in files:
        if problem := path_problem(path) or _length_problem(path):
            raise InvalidArgument(f"{problem}: {path[:200]!r}", "Give each file a relative path of its own, with `/`.")
    if clash := directory_clash(files):
        raise InvalidArgument(f"the path is both a file and a directory: {clash!r}", "Rename one of them.")
    if same := spelling_clash(files):
        raise InvalidArgument(
            f"the paths {same[0]!r} and {same[1]!r} are one and the same on some machines", "Rename one of them."
        )


def _length_problem(path: str) -> str:
    if len(path.encode()) > _MAX_PATH_BYTES:
        return f"the path has more than {_MAX_PATH_BYTES} bytes"
    if any(len(part.encode()) > _MAX_PART_BYTES for part in path.split("/")):
        return f"a part of the path has more than {_MAX_PART_BYTES} bytes"
    return ""
