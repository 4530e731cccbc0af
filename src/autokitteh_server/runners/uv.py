"""uv, which resolves requirements and fills environments: the two things that are asked of it."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from autokitteh_server.core.errors import FailedPrecondition

#: What uv may see of the server's environment: where packages come from, and how to get there.
_INHERITED: Final = re.compile(
    r"(UV_.*|PIP_CERT|SSL_CERT_.*|REQUESTS_CA_BUNDLE|NETRC|(https?|all|no)_proxy|PATH|HOME|XDG_CACHE_HOME|LANG|TMPDIR)",
    re.IGNORECASE,
)


class UvFailed(Exception):
    """uv has said no. The text is its reason."""


class Uv:
    """The program, with the environment that it gets."""

    def __init__(self, environ: Mapping[str, str], *, timeout_s: float = 900.0) -> None:
        self._environ = {name: value for name, value in environ.items() if _INHERITED.fullmatch(name)}
        self._timeout_s = timeout_s

    def resolve(self, python: Path, requirements: Path, constraints: Path, *, builds_sources: bool) -> str:
        """The versions to install, one a line. Raises UvFailed."""
        return self._run(
            *("pip", "compile", "--python", str(python), "--constraint", str(constraints)),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-strip-extras"),
            *(() if builds_sources else ("--no-build",)),
            str(requirements),
            cwd=requirements.parent,
        )

    def make(self, python: Path, folder: Path) -> None:
        """A virtual environment without packages, that may be moved. Raises UvFailed."""
        self._run("venv", "--python", str(python), "--relocatable", "--no-project", str(folder), cwd=folder.parent)

    def install(self, folder: Path, lock: Path, *, builds_sources: bool) -> None:
        """Install exactly what a lock names, and compile it. Raises UvFailed."""
        self._run(
            *("pip", "install", "--python", str(folder / "bin" / "python"), "--no-deps", "--compile-bytecode"),
            *(() if builds_sources else ("--no-build",)),
            *("--requirements", str(lock)),
            cwd=folder,
        )

    def _run(self, *arguments: str, cwd: Path) -> str:
        try:
            done = subprocess.run(
                [_find_uv(), "--color", "never", "--no-progress", "--quiet", *arguments],
                capture_output=True,
                text=True,
                cwd=cwd,
                env=self._environ,
                timeout=self._timeout_s,
                umask=0o022,  # what is installed is for sessions to read, whoever they run as
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UvFailed(f"it was not done after {self._timeout_s:g} s") from None
        if done.returncode != 0:
            raise UvFailed(_reason(done.stderr) or f"uv ended with status {done.returncode}")
        return done.stdout


def mentions(reason: str, names: Sequence[str]) -> str | None:
    """The first of these packages that a reason speaks of."""
    found = [(position.start(), name) for name in names if (position := _word(name).search(reason))]
    return min(found)[1] if found else None


def _word(name: str) -> re.Pattern[str]:
    spelled = re.sub(r"[-_.]+", "[-_.]+", re.escape(name).replace(r"\-", "-").replace(r"\.", "."))
    return re.compile(rf"(?<![\w.-]){spelled}(?![\w-])", re.IGNORECASE)


def _reason(text: str) -> str:
    """What uv says, without the marks by which it draws a tree of causes."""
    lines = (re.sub(r"^\s*(error|cause|warning|hint):\s*", "", line).strip() for line in text.splitlines())
    return " ".join(line for line in lines if line)


def _find_uv() -> str:
    try:
        from uv import find_uv_bin  # its one function, which looks where pip has put the program
    except ImportError:
        raise FailedPrecondition("uv is not installed beside the server", "Say: pip install uv") from None
    try:
        return os.fspath(find_uv_bin())
    except FileNotFoundError as error:
        raise FailedPrecondition(f"uv cannot be found: {error}", "Say: pip install --force-reinstall uv") from None
