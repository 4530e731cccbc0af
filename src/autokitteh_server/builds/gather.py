"""What a person names for `ak deploy`, put together: a project, and files and a manifest that lie elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from autokitteh_server.builds.bounds import MAX_TOTAL_BYTES
from autokitteh_server.builds.source import Source, load_files, project_name, renamed, source_from_files
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import MANIFEST_FILES


def gather_source(
    path: Path | None = None,
    *,
    manifest: Path | None = None,
    directory: Path | None = None,
    files: Sequence[Path] = (),
    name: str = "",
) -> Source:
    """Read a project.

    Its files are those of `path` (a directory, a .py file, a .txtar archive) or `directory`, and `files`. If none of
    these is given, those beside the manifest; without a manifest those of the working directory. `manifest` comes in
    place of the one among them. `name` is the project's, in place of the manifest's.

    Raises NotFound, InvalidArgument and FailedPrecondition, as `load_source` does.
    """
    base = _base(path, manifest, directory, files)
    try:
        contents = dict(load_files(base)) if base else {}
        for file in files:
            _add(contents, _name_in(file, base), file)
        if manifest is not None:
            contents = _with_manifest(contents, manifest, _name_in(manifest, base))
    except OSError as error:
        where = error.filename or base
        raise FailedPrecondition(f"{where}: cannot be read: {error.strerror}", "Check its permissions.") from error
    found = next((each for each in MANIFEST_FILES if each in contents), None)
    shown = str(manifest or (base / found if base and found else found or ""))
    stem = project_name(_stem(base, files))
    source = source_from_files("" if found else name or stem, contents, manifest_name=shown)
    return renamed(source, name) if name else source


def _base(path: Path | None, manifest: Path | None, directory: Path | None, files: Sequence[Path]) -> Path | None:
    if path is not None and directory is not None:
        raise InvalidArgument(f"both {path} and --dir {directory} are given", "Give one of them.")
    if directory is not None and directory.exists() and not directory.is_dir():
        raise InvalidArgument(f"--dir {directory}: this is no directory", "Give it as --file.")
    given = path or directory
    if given is not None or files:
        return given
    return manifest.parent if manifest is not None else Path()


def _stem(base: Path | None, files: Sequence[Path]) -> str:
    named = base if base is not None else files[0]
    resolved = named.resolve()
    return resolved.name if resolved.is_dir() else resolved.stem


def _name_in(file: Path, base: Path | None) -> str:
    """What a file is called in the project: its path below the base, or else its bare name."""
    root = base.resolve() if base is not None and base.is_dir() else None
    resolved = file.parent.resolve() / file.name
    return resolved.relative_to(root).as_posix() if root and resolved.is_relative_to(root) else file.name


def _add(contents: dict[str, bytes], name: str, file: Path) -> None:
    content = _read(file, "--file")
    if contents.setdefault(name, content) != content:
        raise InvalidArgument(f"--file {file}: the project has another {name} already", "Rename one of them.")


def _with_manifest(contents: Mapping[str, bytes], manifest: Path, name: str) -> dict[str, bytes]:
    # Not a second time under its own name: there the values of its secret vars would be kept as they stand.
    others = {path: content for path, content in contents.items() if path not in (*MANIFEST_FILES, name)}
    return others | {MANIFEST_FILES[0]: _read(manifest, "--manifest")}


def _read(file: Path, option: str) -> bytes:
    if not file.exists():
        raise NotFound(f"{option} {file}: no such file", "Give the path of a file.")
    if not file.is_file():
        raise InvalidArgument(f"{option} {file}: this is no file", "Give the path of a file.")
    if file.stat().st_size > MAX_TOTAL_BYTES:
        raise InvalidArgument(f"{option} {file}: more than {MAX_TOTAL_BYTES:,} bytes", "A project has to be smaller.")
    return file.read_bytes()
