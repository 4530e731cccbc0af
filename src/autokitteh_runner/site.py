"""Where in the project a call is made, and tracebacks that show the project's lines only."""

import os
import sys
import traceback
from collections.abc import Container
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

import autokitteh
import autokitteh_runner

#: How far up the stack a line of the project is looked for.
_DEPTH: Final = 200


class Sites:
    """Names lines of the project: "file.py:12:function", the file relative to the project's folder."""

    def __init__(self, root: str, local_files: Container[str]) -> None:
        self._local_files = local_files
        self.set_root(root)

    def set_root(self, root: str) -> None:
        """Say where the project's folder is."""
        self._prefix = root.rstrip("/") + "/"

    def relative(self, filename: str) -> str:
        """A file's path below the project's folder, or as it is if it is not there."""
        return filename.removeprefix(self._prefix)

    def of(self, frame: FrameType) -> str:
        """The line a frame is at."""
        code = frame.f_code
        return f"{self.relative(code.co_filename)}:{frame.f_lineno}:{code.co_qualname}"

    def nearest(self, frame: FrameType | None) -> str:
        """The line of the project that a frame is called from, itself included; "" if there is none."""
        for _ in range(_DEPTH):
            if frame is None:
                break
            if frame.f_code.co_filename in self._local_files:
                return self.of(frame)
            frame = frame.f_back
        return ""

    def here(self) -> str:
        """The line of the project that is calling."""
        return self.nearest(sys._getframe(1))

    def describe(self, error: BaseException) -> str:
        """An exception as Python prints it, without the frames of the machinery around the project's code."""
        shown = traceback.TracebackException.from_exception(error, compact=True)
        self._tidy(shown)
        return "".join(shown.format()).rstrip()

    def _tidy(self, shown: traceback.TracebackException) -> None:
        for frame in shown.stack:
            frame.filename = self.relative(frame.filename)
        kept = [frame for frame in shown.stack if not _is_machinery(frame.filename)]
        shown.stack = traceback.StackSummary.from_list(kept)
        for linked in (shown.__cause__, shown.__context__):
            if linked is not None:
                self._tidy(linked)
        for inner in shown.exceptions or ():
            self._tidy(inner)


#: Where frames come from that are not the author's affair.
_MACHINERY: Final = (
    *(str(Path(package.__file__ or "").parent) + os.sep for package in (autokitteh, autokitteh_runner)),
    "<frozen importlib",
)


def _is_machinery(filename: str) -> bool:
    return filename.startswith(_MACHINERY)


def project_traceback(error: BaseException) -> TracebackType | None:
    """An exception's traceback from the first frame outside the runner on."""
    found = error.__traceback__
    while found is not None and _is_machinery(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found
