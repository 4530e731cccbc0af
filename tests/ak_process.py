"""The command `ak` as people use it: a process in a folder, with what it wrote and how it ended."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from harness import ENVIRONMENTS

#: Seconds after which a command that has not ended fails its test.
PATIENCE_S = 60


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON, an object a line."""
        return [json.loads(line) for line in self.lines]


class Ak:
    """Runs `ak` in a folder, with none of the developer's own settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("AK_")}
        self.environ |= {"TMPDIR": str(folder / "tmp"), "TZ": "UTC", "XDG_CONFIG_HOME": str(folder / "config")}
        self.environ["AK_ENVIRONMENT_FOLDER"] = str(ENVIRONMENTS)
        (folder / "tmp").mkdir()

    def write(self, **files: str) -> None:
        """Write files of Python: `program="..."` is program.py."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(dedent(text).lstrip("\n"))

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Begin a command, whose output is to be read by the test."""
        return subprocess.Popen(
            [sys.executable, "-m", "autokitteh_server", *arguments],
            cwd=self.folder,
            env=self.environ | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        return finish(self.start(*arguments, environ=environ))

    @property
    def left_behind(self) -> list[str]:
        """What is left in the folder for temporary files."""
        return sorted(path.name for path in (self.folder / "tmp").iterdir())


def finish(process: "subprocess.Popen[str]") -> Ended:
    """Wait for the end of a command; of its output, what has not been read."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ended(process.returncode, out, err)
