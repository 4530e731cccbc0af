"""What a person points at as a project, read into memory: a directory, a file of Python, or a txtar archive."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autokitteh_server.builds.directory import MAX_TOTAL_BYTES, read_directory
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import MANIFEST_FILES, Manifest
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.names import is_name
from autokitteh_server.core.txtar import parse_txtar

_KINDS = "Give a project's directory, a .py file, or a .txtar archive."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A project's files, before anything about the code is known."""

    name: str  # of the project: the manifest's, or else made of the target's file name
    files: Mapping[str, bytes]  # by path, relative with "/"; sorted
    manifest: Manifest | None
    manifest_path: str | None  # its path among the files


def load_source(path: Path) -> Source:
    """Read what is at a path.

    Raises NotFound if there is nothing; InvalidArgument for something else than a project, and for a bad manifest or
    archive; FailedPrecondition for what cannot be read.
    """
    try:
        return _load(path)
    except OSError as error:
        where = error.filename or path
        raise FailedPrecondition(f"{where}: cannot be read: {error.strerror}", "Check its permissions.") from error


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over all paths and contents, in hexadecimal. Two sets of files that differ have different digests."""
    total = hashlib.sha256()
    for path, content in sorted(files.items()):
        name = path.encode()
        # Lengths in front, so that no path or content can be mistaken for the start of the next.
        total.update(f"{len(name)} {len(content)}\n".encode() + name)
        total.update(content)
    return total.hexdigest()


def _load(path: Path) -> Source:
    if path.is_dir():
        return _source(path.resolve().name, read_directory(path), path)
    if not path.exists():
        remedy = f"There is nothing of that name in {path.parent.resolve()}. {_KINDS}"
        raise NotFound(f"{path}: no such file or directory", remedy)
    if path.suffix == ".py":
        return _source(path.stem, {path.name: _content(path)}, path.parent)
    if path.suffix == ".txtar":
        return _source(path.stem, _archived(path), path)
    remedy = f"Give its directory, {path.parent}." if path.name in MANIFEST_FILES else _KINDS
    raise InvalidArgument(f"{path}: this is not a project", remedy)


def _source(stem: str, files: Mapping[str, bytes], where: Path) -> Source:
    manifest_path = next((name for name in MANIFEST_FILES if name in files), None)
    manifest = parse_manifest(files[manifest_path], str(where / manifest_path)) if manifest_path else None
    name = manifest.name if manifest else _project_name(stem)
    return Source(name=name, files=files, manifest=manifest, manifest_path=manifest_path)


def _project_name(stem: str) -> str:
    """A name for a project without a manifest: "1-my app" gives "_1_my_app"."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return name if is_name(name) else f"_{name}"


def _archived(path: Path) -> dict[str, bytes]:
    files = dict(sorted(parse_txtar(_content(path), str(path)).files.items()))
    if not files:
        raise InvalidArgument(f"{path}: there are no files in this archive", "Start each with a line `-- name --`.")
    return files


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_TOTAL_BYTES:
        raise InvalidArgument(f"{path}: more than {MAX_TOTAL_BYTES:,} bytes", "A project has to be smaller.")
    return path.read_bytes()
