"""How much one process of a session may put into its log: what comes after that is dropped, and that is said once."""

from typing import Final

from autokitteh_runner.protocol import LINE_OVERHEAD_BYTES
from autokitteh_server.core.journal import Record

#: Kinds of records that a runner says because its code wants it to.
_LINES: Final = frozenset({"print", "log", "warning"})

#: A runner counts as well, and stops first. This is for one that does not.
_SLACK: Final = 1.1


class LogLimit:
    """Counts what one process says. Used by the thread of its session's turn."""

    def __init__(self, limit_bytes: float) -> None:
        """`limit_bytes`: 0 means no limit."""
        self._limit_bytes = limit_bytes
        self._left = limit_bytes * _SLACK if limit_bytes else None
        self._is_told = False

    def admit(self, record: Record) -> Record | None:
        """The record as it goes into the journal: itself, a warning in its place, or nothing."""
        if self._left is None or record.kind not in _LINES:
            return record
        self._left -= len(record.result) + LINE_OVERHEAD_BYTES
        if self._left >= 0:
            return record
        if self._is_told:
            return None
        self._is_told = True
        at = record.finished_at
        text = f"The session's process has more than {self._limit_bytes:,.0f} bytes for the log; the rest is dropped"
        return Record(kind="warning", phase="done", name="log", result=text, started_at=at, finished_at=at)
