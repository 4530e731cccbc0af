"""Builds as folders, for runners to import from: each is written once, whole, and never changed."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

_UNFINISHED = ".unfinished-"


class BuildFolders:
    """The folders of builds below one folder, by their digests."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def find(self, digest: str) -> Path | None:
        """The folder of a build, if it has been written."""
        folder = self._parent / digest
        return folder if folder.is_dir() else None

    def write(self, digest: str, files: Mapping[str, bytes]) -> Path:
        """Write a build's files and give their folder. Whole or not at all, whoever else does the same meanwhile."""
        found = self.find(digest)
        if found is not None:
            return found
        self._parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=self._parent, prefix=_UNFINISHED))
        try:
            for path, content in files.items():
                target = unfinished / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            # Whoever runs it may read it, and whoever may not list the folder it is in does not find it.
            for each in (unfinished, *unfinished.rglob("*")):
                each.chmod(0o755 if each.is_dir() else 0o644)
            return self._publish(unfinished, digest)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def list_digests(self) -> frozenset[str]:
        """The digests of the builds that have been written."""
        if not self._parent.is_dir():
            return frozenset()
        return frozenset(child.name for child in self._parent.iterdir() if not child.name.startswith("."))

    def remove(self, digest: str) -> None:
        """Delete the folder of a build. Gone at once for those who look for it, whatever becomes of the rest."""
        unfinished = Path(tempfile.mkdtemp(dir=self._parent, prefix=_UNFINISHED))
        try:
            (self._parent / digest).rename(unfinished / digest)
        except FileNotFoundError:
            pass  # somebody else was faster
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def remove_unfinished(self, *, before: int) -> None:
        """Delete what servers that died left half written, or half deleted, before a moment."""
        for child in self._parent.glob(f"{_UNFINISHED}*"):
            if child.stat().st_mtime_ns // 1000 < before:
                shutil.rmtree(child, ignore_errors=True)

    def _publish(self, unfinished: Path, digest: str) -> Path:
        target = self._parent / digest
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():  # not another's equal folder, written in the meantime
                raise
        return target
