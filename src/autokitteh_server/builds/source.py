"""What a person points at as a project, read into memory: a directory, a file of Python, or a txtar archive."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from autokitteh_server.builds.bounds import MAX_TOTAL_BYTES, check_files
from autokitteh_server.builds.directory import read_directory
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import MANIFEST_FILES, Manifest, Var
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_render import render_manifest
from autokitteh_server.core.names import NAME_RULE, is_name
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


def source_from_files(name: str, files: Mapping[str, bytes], *, manifest_name: str = "") -> Source:
    """A project's files that came from elsewhere: nothing about them is taken for granted.

    `name` is the project's, in place of the manifest's; "" where the manifest says it. `manifest_name` is what
    messages call the manifest. Raises InvalidArgument for unsafe paths, too much of anything, and a missing or bad
    name, and ManifestError.
    """
    check_files(files)
    sorted_files = dict(sorted(files.items()))
    manifest_path = next((path for path in MANIFEST_FILES if path in files), None)
    manifest = parse_manifest(files[manifest_path], manifest_name or manifest_path) if manifest_path else None
    source = Source(
        name=manifest.name if manifest else "", files=sorted_files, manifest=manifest, manifest_path=manifest_path
    )
    if not name and not manifest:
        raise InvalidArgument("nothing says what the project is called", "Add a manifest, or give a name.")
    return renamed(source, name) if name else source


def renamed(source: Source, name: str) -> Source:
    """The same project under another name. Raises InvalidArgument if nothing may be called that."""
    if not is_name(name):
        raise InvalidArgument(f"{name[:100]!r} cannot be the name of a project", NAME_RULE)
    return replace(source, name=name, manifest=source.manifest and replace(source.manifest, name=name))


def without_secret_values(source: Source) -> Source:
    """The source with no secret var's value in its manifest: what is kept of it is not encrypted."""
    manifest = source.manifest
    if manifest is None or source.manifest_path is None or not has_secret_values(manifest):
        return source
    connections = tuple(replace(each, vars=tuple(map(_without_secret, each.vars))) for each in manifest.connections)
    public = replace(manifest, vars=tuple(map(_without_secret, manifest.vars)), connections=connections)
    files = dict(source.files) | {source.manifest_path: render_manifest(public).encode()}
    return replace(source, files=files, manifest=public)


def has_secret_values(manifest: Manifest) -> bool:
    """Whether there are values of secret vars in a manifest."""
    variables = chain(manifest.vars, *(connection.vars for connection in manifest.connections))
    return any(var.secret and var.value for var in variables)


def digest(files: Mapping[str, bytes], lock: str = "") -> str:
    """SHA-256 over all paths and contents, and the lock if there is one, in hexadecimal.

    Two sets of files that differ, or have different locks, have different digests.
    """
    total = hashlib.sha256(f"lock {len(lock.encode())}\n{lock}".encode() if lock else b"")
    for path, content in sorted(files.items()):
        name = path.encode()
        # Lengths in front, so that no path or content can be mistaken for the start of the next.
        total.update(f"{len(name)} {len(content)}\n".encode() + name)
        total.update(content)
    return total.hexdigest()


def load_files(path: Path) -> Mapping[str, bytes]:
    """The files of what is at a path, sorted. Raises what `load_source` raises, and OSError."""
    if path.is_dir():
        return read_directory(path)
    if not path.exists():
        remedy = f"There is nothing of that name in {path.parent.resolve()}. {_KINDS}"
        raise NotFound(f"{path}: no such file or directory", remedy)
    if path.suffix == ".py":
        return {path.name: _content(path)}
    if path.suffix == ".txtar":
        return _archived(path)
    remedy = f"Give its directory, {path.parent}." if path.name in MANIFEST_FILES else _KINDS
    raise InvalidArgument(f"{path}: this is not a project", remedy)


def _load(path: Path) -> Source:
    files = load_files(path)
    manifest_path = next((name for name in MANIFEST_FILES if name in files), None)
    manifest = parse_manifest(files[manifest_path], str(path / manifest_path)) if manifest_path else None
    name = manifest.name if manifest else project_name(path.resolve().name if path.is_dir() else path.stem)
    return Source(name=name, files=files, manifest=manifest, manifest_path=manifest_path)


def _without_secret(var: Var) -> Var:
    return replace(var, value=None) if var.secret else var


def project_name(stem: str) -> str:
    """A name for a project without a manifest: "1-my app" gives "_1_my_app"."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return name if is_name(name) else f"_{name}"


def _archived(path: Path) -> dict[str, bytes]:
    files = dict(sorted(parse_txtar(_content(path), str(path)).files.items()))
    if not files:
        raise InvalidArgument(f"{path}: there are no files in this archive", "Start each with a line `-- name --`.")
    check_files(files)
    return files


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_TOTAL_BYTES:
        raise InvalidArgument(f"{path}: more than {MAX_TOTAL_BYTES:,} bytes", "A project has to be smaller.")
    return path.read_bytes()
