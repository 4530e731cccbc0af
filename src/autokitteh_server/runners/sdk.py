"""What sessions import of us, apart from the server's own packages: a folder that holds the SDK and the runner."""

import compileall
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autokitteh_server.core.errors import InternalError

_PACKAGES: Final = ("autokitteh", "autokitteh_runner")
_PREFIX: Final = "sdk-"
_UNUSED_S: Final = 30 * 24 * 3600


def lay_out_sdk(parent: Path) -> Path:
    """The folder below `parent`, which is made if it is not there. Whole or not at all, whoever does the same."""
    sources = {package: _folder_of(package) for package in _PACKAGES}
    target = parent / f"{_PREFIX}{_digest(sources)}"
    if target.is_dir():
        _remove_unused(parent, target)
        return target
    parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=parent, prefix=".unfinished-"))
    try:
        for package, source in sources.items():
            for file in _files(source):
                copy = unfinished / package / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        # Sessions cannot write here, so that they would compile it anew, each time.
        compileall.compile_dir(unfinished, quiet=2, stripdir=str(unfinished), prependdir=str(target))
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        unfinished.rename(target)
    except OSError:
        if not target.is_dir():  # not another's equal folder, written in the meantime
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _remove_unused(parent: Path, present: Path) -> None:
    """Remove those of other versions with which nobody has begun for a month."""
    os.utime(present)
    for folder in parent.glob(f"{_PREFIX}*"):
        if folder.stat().st_mtime < present.stat().st_mtime - _UNUSED_S:
            shutil.rmtree(folder, ignore_errors=True)


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # of a top-level package: found, not imported
    if spec is None or spec.origin is None:
        raise InternalError(f"the package {package} is not installed beside the server")
    return Path(spec.origin).parent


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def _digest(sources: dict[str, Path]) -> str:
    total = hashlib.sha256()
    for package, source in sources.items():
        for file in _files(source):
            content = file.read_bytes()
            total.update(f"{package}/{file.relative_to(source)} {len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()[:16]
