"""Builds as folders, for runners to import from: each is written once, whole, and never changed."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


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
        unfinished = Path(tempfile.mkdtemp(dir=self._parent, prefix=".unfinished-"))
        try:
            for path, content in files.items():
                target = unfinished / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            return self._publish(unfinished, digest)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _publish(self, unfinished: Path, digest: str) -> Path:
        target = self._parent / digest
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():  # not another's equal folder, written in the meantime
                raise
        return target
