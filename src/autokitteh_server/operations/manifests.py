"""Manifests on disk."""

from pathlib import Path

from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.manifest import MANIFEST_FILES, Manifest
from autokitteh_server.core.manifest_parse import parse_manifest


def load_manifest(path: Path) -> tuple[Manifest, Path]:
    """Read a manifest, which is a file or in a project's directory; and which file it is.

    Raises NotFound, FailedPrecondition for a file that cannot be read, and ManifestError.
    """
    file = _find(path)
    try:
        return parse_manifest(file.read_bytes(), str(file)), file
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
