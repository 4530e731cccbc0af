"""Sessions for people, and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from autokitteh_server.cli.log_text import format_local_time, format_seconds
from autokitteh_server.cli.terminal import style
from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.states import SessionState
from autokitteh_server.core.timestamps import format_time

_COLOURS = {SessionState.COMPLETED: "green", SessionState.ERROR: "red", SessionState.RUNNING: "cyan"}


def render_list(sessions: Sequence[Session], *, now: datetime) -> list[str]:
    """A line for each session, below a line of titles."""
    if not sessions:
        return []
    titles = ("ID", "STATE", "CREATED", "DURATION", "ENTRY", "WAITS FOR")
    rows = [titles, *(_row(session, now) for session in sessions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [style(lines[0], bold=True), *map(_coloured, lines[1:], sessions)]


def render_session(session: Session, children: Sequence[str], *, now: datetime) -> list[str]:
    """All about a session, a field a line; then its error."""
    fields = {
        "id": session.id,
        "state": session.state.value,
        "entry": session.entry,
        "durable": "yes" if session.durable else "no",
        "created": format_local_time(session.created_at),
        "changed": format_local_time(session.updated_at),
        "duration": _duration(session, now),
        "waits for": "; ".join(map(_wait, session.waits or ())),
        "build": session.build_id,
        "parent": session.parent_id or "",
        "children": ", ".join(children),
        "vars": ", ".join(sorted(session.vars)),
        "memo": ", ".join(f"{name}={value}" for name, value in session.memo.items()),
        "event": str(session.event.get("data")),
        "result": "" if session.result is None else str(session.result),
    }
    lines = [f"{style(f'{name:<10}', bold=True)} {value}" for name, value in fields.items() if value]
    return [*lines, "", *session.error.splitlines()] if session.error else lines


def session_to_json(session: Session) -> dict[str, Any]:
    """A session as a JSON object. Of its vars only the names, for some are secrets."""
    return {
        "id": session.id,
        "state": session.state.value,
        "entry": session.entry,
        "durable": session.durable,
        "created_at": format_time(session.created_at),
        "updated_at": format_time(session.updated_at),
        "project_id": session.project_id,
        "build_id": session.build_id,
        "parent_id": session.parent_id,
        "waits": None if session.waits is None else [_wait_to_json(wait) for wait in session.waits],
        "event": session.event,
        "vars": sorted(session.vars),
        "memo": session.memo,
        "result": session.result,
        "error": session.error,
    }


def _row(session: Session, now: datetime) -> tuple[str, ...]:
    waits = "; ".join(map(_wait, session.waits or ()))
    created = format_local_time(session.created_at).partition(".")[0]
    return (session.id, session.state.value, created, _duration(session, now), session.entry, waits)


def _duration(session: Session, now: datetime) -> str:
    end = session.updated_at if session.state.is_final else now.timestamp() * 1_000_000
    return format_seconds(max(0.0, (end - session.created_at) / 1_000_000))


def _wait(wait: Wait) -> str:
    """What is waited for, in words."""
    what = f"{wait.kind} {', '.join(wait.names)}".rstrip()
    return what if wait.deadline_at is None else f"{what} until {format_local_time(wait.deadline_at)}"


def _wait_to_json(wait: Wait) -> dict[str, Any]:
    deadline = None if wait.deadline_at is None else format_time(wait.deadline_at)
    return {"kind": wait.kind, "names": list(wait.names), "deadline": deadline}


def _coloured(line: str, session: Session) -> str:
    colour = _COLOURS.get(session.state)
    return line.replace(session.state.value, style(session.state.value, fg=colour), 1) if colour else line
