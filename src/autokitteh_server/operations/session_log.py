"""A session's journal as people and programs read it: one entry for each thing that happened.

An effect's start and end become one entry, at its end; what has begun and not ended is an entry at its start. Pure
functions of records.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autokitteh_server.core.api_types.session_log import LogLine
from autokitteh_server.core.api_types.values import raw
from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import EFFECTS, WAITS, Record, StoredRecord
from autokitteh_server.core.states import SessionState
from autokitteh_server.core.timestamps import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that happened. Which fields say something depends on the kind; see `entry_to_json`."""

    seq: int  # place in the journal
    at: int  # when it was over, or began if it is not; microseconds since 1970
    kind: str  # print, log, warning, state, call, note, wait, start, signal, store, outcome, (un)subscribe
    task: str
    name: str  # of what was called; of a print the stream, of a log its level, of a state the state
    site: str = ""  # "file.py:12:function"
    args: str = ""  # preview
    text: str = ""  # of a print, log, warning, state; else a preview of the result
    error: str = ""  # "Type: message", where it raised
    seconds: float | None = None  # how long it took; None if it is not over
    attempt: int = 1
    deadline_at: int | None = None  # of a wait
    is_replayed: bool = False  # a later process of the session has taken the result from the journal
    is_running: bool = False
    is_interrupted: bool = False  # its process was lost, or the session ended, before it was over
    result: Any = None  # of the last state: what the handler returned

    @property
    def is_final_state(self) -> bool:
        # Besides a session's states the log has its processes' beginnings and releases.
        return self.kind == "state" and self.name in _FINAL_STATES


_FINAL_STATES = frozenset(state.value for state in SessionState if state.is_final)


@dataclass(frozen=True, slots=True)
class _Begun:
    seq: int
    record: Record


class LogBuilder:
    """Makes entries of a session's records as they come."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, int], _Begun] = {}

    def feed(self, stored: StoredRecord) -> list[LogEntry]:
        """Take the next record; the entries that are complete by it, none or one."""
        record = stored.record
        if record.kind not in EFFECTS:
            return [_line(stored)]
        place = (record.task, record.index)
        begun = self._begun.pop(place, None)
        if record.phase != "start":
            return [_ended(stored, begun)]
        self._begun[place] = _Begun(stored.seq, record)
        return [_unfinished(begun, interrupted=True)] if begun else []

    def under_way(self, *, is_over: bool) -> list[LogEntry]:
        """Entries for what has begun and not ended, in order. `is_over`: the session has ended, so it never will."""
        # Event loops call timers off without a word. What is left of one tells nothing.
        begun = [each for each in self._begun.values() if each.record.kind != "timer" or not is_over]
        return [_unfinished(each, interrupted=is_over) for each in sorted(begun, key=lambda each: each.seq)]


def build_log(session: Session, records: Sequence[StoredRecord]) -> list[LogEntry]:
    """The whole log of a session, in the order of what was over first."""
    builder = LogBuilder()
    over = [entry for stored in records for entry in builder.feed(stored)]
    begun = [each for each in builder.under_way(is_over=session.state.is_final) if _is_meant(each, session)]
    entries = sorted([*over, *begun], key=lambda entry: entry.seq)
    resumed = [entry.seq for entry in entries if entry.kind == "state" and not entry.is_final_state and entry.text]
    if session.durable and resumed:
        entries = mark_replayed(entries, before_seq=max(resumed))
    return [with_outcome(entry, session) for entry in entries]


def mark_replayed(entries: Iterable[LogEntry], *, before_seq: int | None = None) -> list[LogEntry]:
    """The same entries, of which effects that are over, or were before a place in the journal, are marked as replayed.

    A process of the session that began there has them from the journal.
    """
    return [replace(entry, is_replayed=True) if _can_be_replayed(entry, before_seq) else entry for entry in entries]


def with_outcome(entry: LogEntry, session: Session) -> LogEntry:
    """The entry; if it is the last one, with the whole error or result of the session instead of their beginnings."""
    if not entry.is_final_state or entry.name != session.state.value:
        return entry
    return replace(entry, text="", error=session.error or "", result=session.result)


def final_entry(session: Session) -> LogEntry:
    """How a session stands, as the last entry of its log."""
    entry = LogEntry(seq=0, at=session.updated_at, kind="state", task="0", name=session.state.value)
    return replace(entry, error=session.error or "", result=session.result)


def started_session(entry: LogEntry) -> str | None:
    """The session that was started, if that is what happened."""
    if entry.kind != "start" or entry.error or not entry.text:
        return None
    return str(json.loads(entry.text))


def entry_to_json(entry: LogEntry, session_id: str) -> dict[str, Any]:
    """An entry as a JSON object."""
    head = {"t": format_time(entry.at), "kind": entry.kind, "session": session_id}
    if entry.kind == "state":
        return head | _state_to_json(entry)
    head["task"] = entry.task
    if entry.kind == "print":
        return head | {"stream": entry.name, "text": entry.text}
    if entry.kind == "log":
        return head | {"level": entry.name, "text": entry.text}
    if entry.kind == "warning":
        return head | {"about": entry.name, "site": entry.site, "text": entry.text}
    return head | _effect_to_json(entry)


def line_of(entry: LogEntry, session_id: str) -> LogLine:
    """An entry as the HTTP API shows it: the same fields as in its JSON object."""
    fields = entry_to_json(entry, session_id)
    return LogLine(**fields | ({"result": raw(fields["result"])} if "result" in fields else {}))


def _state_to_json(entry: LogEntry) -> dict[str, Any]:
    shown = {"state": entry.name, "error": entry.error or None, "result": entry.result}
    return shown | ({"text": entry.text} if entry.text else {})


def _effect_to_json(entry: LogEntry) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": entry.name, "site": entry.site, "args": entry.args}
    if entry.kind == "wait":
        shown["deadline"] = None if entry.deadline_at is None else format_time(entry.deadline_at)
    if entry.error:
        shown["error"] = entry.error
    elif entry.seconds is not None:
        shown["result"] = entry.text
    shown |= {"seconds": entry.seconds, "attempt": entry.attempt, "replayed": entry.is_replayed}
    if entry.is_running:
        shown["running"] = True
    if entry.is_interrupted:
        shown["interrupted"] = True
    return shown


def _line(stored: StoredRecord) -> LogEntry:
    record = stored.record
    return LogEntry(
        seq=stored.seq,
        at=record.finished_at,
        kind=record.kind,
        task=record.task,
        name=record.name,
        site=record.site,
        text=record.result,
    )


def _ended(stored: StoredRecord, begun: _Begun | None) -> LogEntry:
    """An entry for an effect, or an attempt at it, that is over."""
    record = stored.record
    # The end of a wait does not know when it began.
    started_at = begun.record.started_at if begun and record.kind in WAITS else record.started_at
    return replace(
        _effect(stored.seq, record),
        at=record.finished_at,
        text=record.result,
        error=record.error,
        seconds=max(0, record.finished_at - started_at) / 1e6,
        deadline_at=_deadline(begun.record) if begun else None,
    )


def _unfinished(begun: _Begun, *, interrupted: bool) -> LogEntry:
    entry = _effect(begun.seq, begun.record)
    return replace(
        entry,
        at=begun.record.started_at,
        deadline_at=_deadline(begun.record),
        is_running=not interrupted,
        is_interrupted=interrupted,
    )


def _effect(seq: int, record: Record) -> LogEntry:
    return LogEntry(
        seq=seq,
        at=0,
        kind="wait" if record.kind in WAITS else record.kind,
        task=record.task,
        name=record.name,
        site=record.site,
        args=record.args,
        attempt=record.attempt,
    )


def _deadline(record: Record) -> int | None:
    if record.kind not in WAITS or not record.payload:
        return None
    deadline_at: int | None = json.loads(record.payload)["deadline_at"]
    return deadline_at


def _is_meant(entry: LogEntry, session: Session) -> bool:
    """Whether a timer that has begun still counts, as far as that can be told."""
    if entry.name != "asyncio.timer" or session.waits is None:
        return True
    return any(wait.task == entry.task and wait.deadline_at == entry.deadline_at for wait in session.waits)


def _can_be_replayed(entry: LogEntry, before_seq: int | None) -> bool:
    is_effect = entry.kind == "wait" or entry.kind in EFFECTS
    return is_effect and entry.seconds is not None and (before_seq is None or entry.seq < before_seq)
