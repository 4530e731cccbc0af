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


#: What a terminal obeys rather than shows, as escapes.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


class OutputClosed(Exception):
    """Nobody reads the output any more, as in `ak ... | head`. Not an OSError, which click would take for its own."""


def forget_output() -> None:
    """Write to nowhere from now on, lest the interpreter fail over what is left when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())


def style(text: str, stream: TextIO | None = None, **how: Any) -> str:
    """Text in colour, if that goes to a terminal (standard output unless given), and the user likes colours."""
    wanted = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, **how) if wanted else text


def visible(text: str) -> str:
    """Text with escapes in place of control characters: it may be anybody's, as what a webhook was sent is."""
    return text if text.isascii() and text.isprintable() else text.translate(_CONTROL)


def write_lines(lines: list[str]) -> None:
    """Results. Raises OutputClosed, as all that writes does."""
    if lines:
        _write(sys.stdout, "".join(f"{line}\n" for line in lines))


def write_bytes(content: bytes) -> None:
    """A result that is a file. Raises OutputClosed."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error


def say(text: str) -> None:
    """Talk."""
    _write(sys.stderr, text + "\n")


def warn(text: str) -> None:
    """Talk that should be heard."""
    say(f"{style('Warning:', sys.stderr, fg='yellow')} {visible(text)}")


def complain(text: str) -> None:
    """Say what went wrong."""
    say(f"{style('Error:', sys.stderr, fg='red', bold=True)} {visible(text)}")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
