"""Sessions for people."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from autokitteh_server.cli.moments import format_seconds, local_time, local_time_ms
from autokitteh_server.cli.names import NameOf, with_id
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import style
from autokitteh_server.core.api_types.sessions import Session, Wait
from autokitteh_server.core.states import SessionState
from autokitteh_server.core.timestamps import parse_time

_COLOURS = {SessionState.COMPLETED: "green", SessionState.ERROR: "red", SessionState.RUNNING: "cyan"}


def render_sessions(sessions: Sequence[Session], project_of: NameOf, *, now: datetime) -> list[str]:
    """A line for each session, below a line of titles."""
    lines = render_table(
        ("ID", "STATE", "CREATED", "DURATION", "PROJECT", "ENTRY", "WAITS FOR"),
        [_row(each, project_of, now) for each in sessions],
    )
    return [*lines[:1], *map(_coloured, lines[1:], sessions)]


def render_session(session: Session, children: Sequence[str], project_of: NameOf, *, now: datetime) -> list[str]:
    """All about a session, a field a line; then its error."""
    event = msgspec.json.decode(session.event)
    lines = render_fields(
        {
            "id": session.id,
            "state": session.state.value,
            "entry": session.entry,
            "durable": "yes" if session.durable else "no",
            "created": local_time_ms(session.created_at),
            "changed": local_time_ms(session.updated_at),
            "duration": _duration(session, now),
            "waits for": "; ".join(map(_wait, session.waits or ())),
            "project": with_id(project_of, session.project_id),
            "build": session.build_id,
            "deployment": session.deployment_id or "",
            "trigger": session.trigger_id or "",
            "event": session.event_id or "",
            "parent": session.parent_id or "",
            "children": ", ".join(children),
            "vars": ", ".join(session.vars),
            "memo": ", ".join(f"{name}={value}" for name, value in session.memo.items()),
            "data": str(event.get("data")),
            "result": "" if bytes(session.result) == b"null" else str(msgspec.json.decode(session.result)),
        }
    )
    return [*lines, "", *session.error.splitlines()] if session.error else lines


def _row(session: Session, project_of: NameOf, now: datetime) -> tuple[str, ...]:
    waits = "; ".join(map(_wait, session.waits or ()))
    created = local_time(session.created_at)
    duration, project = _duration(session, now), project_of(session.project_id)
    return (session.id, session.state.value, created, duration, project, session.entry, waits)


def _duration(session: Session, now: datetime) -> str:
    end = parse_time(session.updated_at) if session.state.is_final else now.timestamp() * 1_000_000
    return format_seconds(max(0.0, (end - parse_time(session.created_at)) / 1_000_000))


def _wait(wait: Wait) -> str:
    """What is waited for, in words."""
    what = f"{wait.kind} {', '.join(wait.names)}".rstrip()
    return what if wait.deadline is None else f"{what} until {local_time_ms(wait.deadline)}"


def _coloured(line: str, session: Session) -> str:
    colour = _COLOURS.get(session.state)
    return line.replace(session.state.value, style(session.state.value, fg=colour), 1) if colour else line
