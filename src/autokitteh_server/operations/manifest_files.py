"""Manifests on disk."""

from pathlib import Path

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import MANIFEST_FILES, Manifest
from autokitteh_server.core.manifest_parse import parse_manifest


def load_manifest(path: Path) -> tuple[Manifest, Path]:
    """Read a manifest, which is a file or in a project's directory; and which file it is.

    Raises NotFound, FailedPrecondition for a file that cannot be read, and ManifestError.
    """
    content, file = _read(path)
    return parse_manifest(content, str(file)), file


def read_manifest(path: Path) -> tuple[str, Path]:
    """The text of a good manifest, and which file it is. Raises what `load_manifest` raises."""
    content, file = _read(path)
    parse_manifest(content, str(file))
    try:
        return content.decode("utf-8-sig"), file
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{file}: the file is not UTF-8", "Save it as UTF-8.") from error


def _read(path: Path) -> tuple[bytes, Path]:
    file = _find(path)
    try:
        return file.read_bytes(), file
    except OSError as error:
        raise FailedPrecondition(f"{file}: cannot be read: {error.strerror}", "Check its permissions.") from error


def _find(path: Path) -> Path:
    if not path.exists():
        raise NotFound(f"{path}: no such file or directory", "Give a manifest, or the directory of a project.")
    if not path.is_dir():
        return path
    found = next((path / name for name in MANIFEST_FILES if (path / name).is_file()), None)
    if found is None:
        raise NotFound(f"{path}: there is no manifest here", f"It would be called {MANIFEST_FILES[0]}.")
    return found
