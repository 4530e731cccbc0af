"""What a journal is made of.

A session's journal is an append-only list of records. An effect leaves up to two kinds of record: `start` (one an
attempt, for effects that take time) and `done`. Prints, warnings and changes of state are records as well, so that
one list tells everything that happened, in order.
"""

from typing import NamedTuple

#: Version of the record format. A change that an older reader would misunderstand raises it.
FORMAT = 1

#: Kinds of record that replay matches by task path and index; the others are for people.
EFFECTS = frozenset(
    {"call", "note", "sleep", "timer", "next_signal", "next_event", "start", "signal", "store", "outcome"}
    | {"subscribe", "unsubscribe"}
)

#: Kinds of effect that are over at a moment, or when something comes.
WAITS = frozenset({"sleep", "timer", "next_signal", "next_event"})


class Record(NamedTuple):
    """One entry of a journal, as it is appended. A tuple: reading a journal makes ten thousands of them."""

    kind: str  # one of EFFECTS, or: print, log, warning, state
    phase: str  # "start" or "done"; records that are no effects are "done"
    task: str = "0"  # task path
    index: int = -1  # type: ignore[assignment]  # position in the task; -1 where a record has none (print inside an activity, state, ...)
    name: str = ""  # qualified name of what was called; for a print or warning: where it came from
    site: str = ""  # "file.py:12:function", of the code that called
    digest: str = ""  # of the arguments
    args: str = ""  # short preview for people
    result: str = ""  # short preview for people; the text of a print, a warning, a state
    error: str = ""  # "Type: message", where the effect raised
    attempt: int = 1
    started_at: int = 0
    finished_at: int = 0  # 0 for a start
    codec: str = ""  # how the payload is to be read: "pickle", "error" (a pickled exception), "json", or "" for none
    payload: bytes = b""
    blob: str = ""  # SHA-256 of the payload, where it is kept in the blob store instead


class StoredRecord(NamedTuple):
    """A record with its place: `seq` grows within a session, without promising to be gapless."""

    seq: int
    record: Record
