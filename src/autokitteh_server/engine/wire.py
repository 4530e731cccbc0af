"""From the runner's messages to records and waits, and from a journal to messages. Pure functions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from autokitteh_runner.protocol import Journal, ReplayRecord, Request, WireRecord, dump_json, load_json
from autokitteh_runner.protocol import Wait as WaitMessage
from autokitteh_server.core.entities import Wait
from autokitteh_server.core.journal import Record

#: Records, and bytes of payload, that one `Journal` message holds at most.
_PIECE: Final = (2_000, 4 * 1024 * 1024)

#: Characters of a JSON value that a record shows.
_SHOWN: Final = 200


def record(fields: WireRecord, payload: bytes) -> Record:
    """A runner's record as the journal keeps it: field for field."""
    return Record._make((*fields[:-1], payload, ""))


def line(kind: str, now: int, *, name: str, result: str) -> Record:
    """A record of the server's own, that has no place in the code."""
    return Record(kind=kind, phase="done", name=name, result=result, started_at=now, finished_at=now)


def beginning(state: Record, kept: dict[str, str]) -> Record:
    """The record of a session's first process, with what all that come after it are to find in their environment."""
    return state._replace(codec="json", payload=dump_json(kept).encode())


def kept_vars(rows: Sequence[tuple[ReplayRecord, bytes]]) -> dict[str, str] | None:
    """What `beginning` was given; None if nothing was: nothing has begun, or an older version has begun it."""
    first = next((payload for replayed, payload in rows if replayed.kind == "state"), b"")
    return load_json(first) if first else None


def effect(
    message: WaitMessage | Request,
    phase: str,
    codec: str,
    value: Any,
    *,
    started_at: int,
    finished_at: int = 0,
    error: str = "",
) -> Record:
    """A record at the place of a wait or a request, with a JSON value."""
    payload = dump_json(value).encode()
    shown = "" if value is None or phase == "start" or error else payload[:_SHOWN].decode("utf-8", "replace")
    return Record(
        kind=message.kind, phase=phase, task=message.task, index=message.index, name=message.name, site=message.site,
        args=message.args, result=shown, error=error, started_at=started_at, finished_at=finished_at, codec=codec,
        payload=payload,
    )  # fmt: skip


def wait(message: WaitMessage) -> Wait:
    """What a runner waits for, as the session's row keeps it."""
    return Wait(
        task=message.task,
        index=message.index,
        kind=message.kind,
        deadline_at=message.deadline_at,
        names=tuple(message.names),
    )


def with_deadline(message: WaitMessage, deadline_at: int | None) -> WaitMessage:
    """A wait that the journal has from now on."""
    return replace(message, opened=True, deadline_at=deadline_at)


def journal_pieces(rows: Sequence[tuple[ReplayRecord, bytes]]) -> list[Journal]:
    """A journal as messages of bounded size, the last of which says that it is."""
    max_records, max_bytes = _PIECE
    pieces: list[Journal] = []
    records: list[list[Any]] = []
    payloads: list[bytes] = []
    size = 0
    for replayed, payload in rows:
        records.append(list(replayed))
        payloads.append(payload)
        size += len(payload)
        if len(records) >= max_records or size >= max_bytes:
            pieces.append(Journal(records, False, b"".join(payloads)))
            records, payloads, size = [], [], 0
    return [*pieces, Journal(records, True, b"".join(payloads))]
