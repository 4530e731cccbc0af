"""A session's log for people: a line for each entry, aligned, with local times."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from autokitteh_server.cli.failure_text import first_line_of
from autokitteh_server.cli.moments import format_seconds, local_time_ms
from autokitteh_server.cli.terminal import style, visible
from autokitteh_server.core.api_types.session_log import LogLine

#: Characters of arguments or a result in a line.
_SHOWN = 80

_COLOURS = {"warning": "yellow", "state": "cyan", "print": "green", "log": "green"}

#: Kinds that are what the code says, or what becomes of it; the others are what it does.
_TOLD = ("print", "log", "state")

#: Effects that take no time worth telling.
_INSTANT = ("note", "start", "signal", "store", "outcome")


def render_log(lines: Iterable[LogLine]) -> list[str]:
    """Lines for entries."""
    return [render_line(line) for line in lines]


def render_print(line: LogLine, *, timestamps: bool) -> str:
    """What was printed, with or without the time."""
    text = _text(line.text)
    return f"{local_time_ms(line.t)}  {visible(text)}" if timestamps else text


def render_line(line: LogLine) -> str:
    """One entry."""
    colour = "red" if line.error else _COLOURS.get(line.kind)
    kind = style(f"{line.kind:<8}", fg=colour) if colour else f"{line.kind:<8}"
    parts = [style(local_time_ms(line.t), dim=True), kind, visible(_what(line))]
    notes = _notes(line)
    if notes:
        parts.append(style(f"({', '.join(notes)})", dim=True))
    return "  ".join(parts)


def _what(line: LogLine) -> str:
    if line.kind == "state":
        return f"{line.state}  {first_line_of(_text(line.error) or _text(line.text))}".rstrip()
    if line.kind == "print":
        return _text(line.text)
    if line.kind in ("log", "warning"):
        return f"{_text(line.level) or _text(line.about)}: {_text(line.text)}"
    called = f"{_text(line.name)}({_short(_text(line.args))})"
    if line.error:
        return f"{called} raised {_short(first_line_of(_text(line.error)))}"
    result = preview(line)
    return f"{called} = {_short(result)}" if result else called


def preview(line: LogLine) -> str:
    """The preview of a call's result; "" if there is none."""
    if line.result is UNSET:
        return ""

    return str(msgspec.json.decode(line.result))


def _notes(line: LogLine) -> list[str]:
    if line.kind in _TOLD:
        return []
    notes = [":".join(line.site.split(":")[:2])] if line.site else []
    if line.seconds and line.kind not in _INSTANT:
        notes.append(format_seconds(line.seconds))
    if line.deadline and line.running:
        notes.append(f"until {local_time_ms(line.deadline)}")
    if line.attempt and line.attempt > 1:
        notes.append(f"attempt {line.attempt}")
    flags = {"replayed": line.replayed, "running": line.running, "interrupted": line.interrupted}
    return notes + [flag for flag, holds in flags.items() if holds]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _short(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
