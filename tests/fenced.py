"""Fenced blocks of pages in Markdown: found, and those that show a terminal run as a reader would."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import ENVIRONMENTS

#: Seconds after which a command that has not ended fails its test.
PATIENCE_S = 120

_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")

#: What differs from run to run, and what is compared instead.
_DIFFERING = {
    re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z\b)?"): "<time>",
    re.compile(r"\b(ses|bld|prj|dep|trg|con|evt|tok)_[0-9a-z]{26}\b"): r"<\1>",
    re.compile(r"http://127\.0\.0\.1:\d+"): "<server>",
    re.compile(r"(?<=/)[0-9a-z]{26}\b"): "<slug>",
    re.compile(r"\b\d[\d.]*(e-\d+)? (ms|s)\b"): "<duration>",
    re.compile(r'(?<="seconds": )[\d.e-]+'): "<duration>",
    re.compile(r" {2,}"): "  ",
}

#: Kills what was started with a `&`.
KILL_JOB = "kill -9 %1"

#: The last line that a terminal shows of a command that was killed.
KILLED = "Killed"


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int  # of its opening fence

    @property
    def file_name(self) -> str:
        """The name in a comment on its first line, if the block is a file; else ""."""
        match = _FILE_NAME.match(self.text)
        return match[1] if match else ""


@dataclass(frozen=True)
class Command:
    """A command in a `console` block, and the lines shown below it."""

    line: int
    text: str
    shown: list[str]
    status_is_asked: bool  # the next command is `echo $?`: this one may fail


def find_blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(match[1], match[2], text.count("\n", 0, match.start()) + 1) for match in _FENCE.finditer(text)]


def find_commands(block: Block) -> list[Command]:
    """The commands of a `console` block: lines after `$ `. A `\\` at the end continues a command."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0], f"line {block.line + 1}: a console block begins with a command"
    found: list[Command] = []
    line = block.line + 1
    for number, part in enumerate(parts[1:], 1):
        command, shown = re.fullmatch(r"((?:.*\\\n)*.*\n?)((?s:.*))", part).groups()  # type: ignore[union-attr]
        asked = number + 1 < len(parts) and parts[number + 1].startswith("echo $?")
        found.append(Command(line, command.strip(), shown.splitlines(), asked))
        line += part.count("\n")
    return found


class Terminal:
    """Runs commands one after another in a folder, and compares what they show with what a page says they show."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._status = 0
        self._job: subprocess.Popen[str] | None = None  # what was started with a `&` at its end
        programs = Path(sys.executable).parent  # where `ak` is
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AK_")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "share"),
            "AK_ENVIRONMENT_FOLDER": str(ENVIRONMENTS),
            # Pages are followed side by side, and each has a server of its own.
            "AK_HTTP__ADDR": "127.0.0.1:0",
            **environment,
        }

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._kill_job()

    def run(self, command: Command) -> None:
        """Run a command to its end, or kill it where the page says so."""
        if command.text.endswith(" &"):
            output, expected = self._start_job(command), command.shown
        elif command.text == KILL_JOB:
            output, expected = self._kill_job(), command.shown
        elif command.shown[-1:] == [KILLED]:
            output = self._run_and_kill(command, command.shown[:-1])
            expected = command.shown[:-1]
        else:
            output = self._run(command)
            expected = command.shown
        assert matches(output, expected), f"line {command.line}: {command.text}\n" + "\n".join(output)
        failed = self._status != 0 and command.shown[-1:] != [KILLED] and not command.status_is_asked
        assert not failed, (
            f"line {command.line}: {command.text} ended with {self._status}, and the page does not say so"
        )

    def _start_job(self, command: Command) -> list[str]:
        """Start a command that goes on; the lines that it shows at once, as many as the page shows."""
        self._job = subprocess.Popen(
            ["sh", "-c", f"exec {command.text.removesuffix('&')}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._job.stdout is not None
        return [self._job.stdout.readline().rstrip("\n") for _ in command.shown]

    def _kill_job(self) -> list[str]:
        if self._job is not None:
            self._job.kill()
            self._job.communicate()
            self._job = None
        return []

    def _run(self, command: Command) -> list[str]:
        # A shell of its own for each, which is told how the one before ended.
        script = f"(exit {self._status})\n{command.text}"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        self._status = done.returncode
        # Whether packages are there already depends on what was run before.
        return [line for line in done.stdout.splitlines() if not line.startswith("Installing ")]

    def _run_and_kill(self, command: Command, until: list[str]) -> list[str]:
        with subprocess.Popen(
            ["sh", "-c", f"exec {command.text}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            output = [process.stdout.readline().rstrip("\n") for _ in until]
            process.send_signal(signal.SIGKILL)
        self._status = 128 + signal.SIGKILL
        return output


def matches(lines: list[str], shown: list[str]) -> bool:
    """Whether a page shows these lines. In it `...` stands for any text, and alone on a line for any lines.

    Times, durations and ids are those of whoever wrote the page, and columns as wide as they had to be there.
    """
    parts = [r"(?:.*\n)*?" if each.strip() == "..." else _pattern(_typical(each)) + r"\n" for each in shown]
    text = "".join(f"{_typical(line)}\n" for line in lines)
    return re.fullmatch("".join(parts), text) is not None


def _pattern(line: str) -> str:
    return ".*?".join(map(re.escape, line.split("...")))


def _typical(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in _DIFFERING.items():
        line = pattern.sub(word, line)
    return line.rstrip()
