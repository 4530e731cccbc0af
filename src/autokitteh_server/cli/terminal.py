"""Where output goes: results to standard output, talk to standard error, colours only to a terminal."""

import io
import os
import sys
from typing import Any, TextIO

import click


def prepare_streams() -> None:
    """Have each line written when it is complete, also into a pipe, and whatever characters it has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def forget_stdout() -> None:
    """Nobody reads standard output any more: let the interpreter not fail over it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def style(text: str, stream: TextIO | None = None, **how: Any) -> str:
    """Text in colour, if that goes to a terminal (standard output unless given), and the user likes colours."""
    wanted = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, **how) if wanted else text


def write_lines(lines: list[str]) -> None:
    """Results."""
    if lines:
        sys.stdout.write("".join(f"{line}\n" for line in lines))


def say(text: str) -> None:
    """Talk."""
    sys.stderr.write(text + "\n")


def warn(text: str) -> None:
    """Talk that should be heard."""
    say(f"{style('Warning:', sys.stderr, fg='yellow')} {text}")


def complain(text: str) -> None:
    """Say what went wrong."""
    say(f"{style('Error:', sys.stderr, fg='red', bold=True)} {text}")
