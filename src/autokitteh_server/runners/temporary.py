"""Folders of sessions' own, that go with their processes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any


class TemporaryFolders:
    """Folders below one that nobody may list. Removing them takes a thread of its own: there may be much in them."""

    def __init__(self, parent: Path) -> None:
        """What an earlier server has left there is removed."""
        self.parent = parent
        self._going: SimpleQueue[Path | None] = SimpleQueue()
        self._remover = Thread(target=self._remove_all, name="temporary-folders", daemon=True)
        parent.mkdir(parents=True, exist_ok=True)
        parent.chmod(0o711)
        for left in parent.iterdir():
            self._going.put(left)

    def open(self) -> None:
        """Begin to remove."""
        self._remover.start()

    def make(self, user: int | None) -> Path:
        """A new folder, in which only this user, or else the server's own, may do anything."""
        folder = Path(tempfile.mkdtemp(dir=self.parent, prefix="s-"))
        if user is not None:
            os.chown(folder, user, user)
        return folder

    def remove(self, folder: Path) -> None:
        """Have a folder removed. Returns at once."""
        self._going.put(folder)

    def close(self) -> None:
        """Returns when all that was to be removed is gone."""
        self._going.put(None)
        if self._remover.ident is not None:
            self._remover.join()

    def _remove_all(self) -> None:
        while (folder := self._going.get()) is not None:
            _remove(folder)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, onerror=_open_and_try_again)
    except (OSError, RecursionError):
        # Deeper than Python can go, or something goes on appearing there. What is left is for the next start.
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)


def _open_and_try_again(function: Callable[..., Any], path: str, _: Any) -> None:
    """What somebody has closed to himself, its owner may open; who is root need not."""
    for each in (Path(path).parent, Path(path)):
        if not each.is_symlink() and each.exists():
            each.chmod(0o700)
    function(path)
