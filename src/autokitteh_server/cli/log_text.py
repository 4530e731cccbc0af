"""A session's log for people: a line for each entry, aligned, with local times."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from autokitteh_server.cli.terminal import style
from autokitteh_server.operations.session_log import LogEntry

#: Characters of arguments or a result in a line.
_SHOWN = 80

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

_COLOURS = {"warning": "yellow", "state": "cyan", "print": "green", "log": "green"}


def render_log(entries: Sequence[LogEntry]) -> list[str]:
    """Lines for entries."""
    return [_line(entry) for entry in entries]


def format_local_time(at: int) -> str:
    """A moment in the time zone of this machine, to the millisecond."""
    seconds, microseconds = divmod(at, 1_000_000)
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}.{microseconds // 1000:03d}"


def format_seconds(seconds: float) -> str:
    """A duration as people say it: 1.2 ms, 3.40 s, 2 min 5 s, 3 h 20 min, 4 d 2 h."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    for (unit, size), (smaller, part) in pairwise(_UNITS):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit} {rest // part} {smaller}" if rest // part else f"{whole} {unit}"
    return f"{seconds:.2f} s"


def _line(entry: LogEntry) -> str:
    colour = "red" if entry.error else _COLOURS.get(entry.kind)
    kind = style(f"{entry.kind:<8}", fg=colour) if colour else f"{entry.kind:<8}"
    parts = [style(format_local_time(entry.at), dim=True), kind, _what(entry)]
    notes = _notes(entry)
    if notes:
        parts.append(style(f"({', '.join(notes)})", dim=True))
    return "  ".join(parts)


def _what(entry: LogEntry) -> str:
    if entry.kind == "state":
        return f"{entry.name}  {_first_line(entry.error or entry.text)}".rstrip()
    if entry.kind in ("print", "log", "warning"):
        return entry.text if entry.kind == "print" else f"{entry.name}: {entry.text}"
    called = f"{entry.name}({_short(entry.args)})"
    if entry.error:
        return f"{called} raised {_short(_first_line(entry.error))}"
    return f"{called} = {_short(entry.text)}" if entry.text else called


def _notes(entry: LogEntry) -> list[str]:
    if entry.kind in ("print", "log", "state"):
        return []
    notes = [":".join(entry.site.split(":")[:2])] if entry.site else []
    if entry.seconds and entry.kind not in ("note", "start", "signal", "store", "outcome"):
        notes.append(format_seconds(entry.seconds))
    if entry.deadline_at is not None and entry.is_running:
        notes.append(f"until {format_local_time(entry.deadline_at)}")
    if entry.attempt > 1:
        notes.append(f"attempt {entry.attempt}")
    flags = {"replayed": entry.is_replayed, "running": entry.is_running, "interrupted": entry.is_interrupted}
    return notes + [flag for flag, holds in flags.items() if holds]


def _first_line(text: str) -> str:
    """The line of an error that says what it is: its first, or below a traceback its last."""
    lines = text.splitlines() or [""]
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _short(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
