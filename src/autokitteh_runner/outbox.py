"""Records on their way into the journal: queued, sent in order, and waited for where that is needed."""

import threading
import time
from typing import Final

from autokitteh.errors import ResultTooLargeError
from autokitteh_runner.channel import Channel
from autokitteh_runner.protocol import Append, WireRecord
from autokitteh_runner.stopwatch import Stopwatch

#: Characters of one line of the log.
LINE_LIMIT: Final = 100_000

#: So many records, or bytes in them, are sent without waiting for more. The server takes no frames of any size.
_MOST_RECORDS: Final = 1_000
_MOST_BYTES: Final = 16 * 1024 * 1024


class Outbox:
    """Any thread may add and send; only the main thread waits."""

    def __init__(self, channel: Channel, stopwatch: Stopwatch) -> None:
        self._channel = channel
        self._stopwatch = stopwatch
        self._records: list[WireRecord] = []
        self._payloads: list[bytes] = []
        self._payload_bytes = 0
        self.max_payload_bytes = 0  # of one record; 0 means no limit
        self._lock = threading.Lock()
        self._asked = 0  # how often it was asked for an answer that everything is durable
        self.answered = 0  # how often that answer has come
        #: Notes are queued or on their way. Nothing external may happen that depends on them.
        self.has_notes = False

    def add(self, record: WireRecord, payload: bytes = b"") -> None:
        """Queue a record; it goes with the next `send`, or with what is queued already if that is much.

        Raises ResultTooLargeError for a payload that the server would not take.
        """
        if self.max_payload_bytes and len(payload) > self.max_payload_bytes:
            raise ResultTooLargeError(
                f"The result of {record.name}, with what it has changed, has {len(payload):,} bytes, the limit is "
                f"{self.max_payload_bytes:,}. Return less, or store it and return its key"
            )
        with self._lock:
            self._records.append(record)
            if payload:
                self._payloads.append(payload)
                self._payload_bytes += len(payload)
            is_much = len(self._records) >= _MOST_RECORDS or self._payload_bytes >= _MOST_BYTES
        if is_much:
            self.send()

    def say(self, kind: str, name: str, text: str, task: str = "0", index: int = -1, site: str = "") -> None:
        """Put a line into the log, at once."""
        at = now_us()
        text = text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"
        self.add(WireRecord(kind, "done", task, index, name, site, "", "", text, "", 1, at, at, "", 0))
        self.send()

    def send(self) -> None:
        """Send what is queued, without waiting for it."""
        self._send(sync=False)

    def send_and_wait(self) -> None:
        """Send what is queued, and return when it and everything before it is durable."""
        self._send(sync=True)
        self.has_notes = False
        with self._stopwatch.paused():
            self._channel.wait(lambda: self.answered >= self._asked)

    def _send(self, *, sync: bool) -> None:
        with self._lock:
            records, self._records = self._records, []
            body = b"".join(self._payloads)
            self._payloads, self._payload_bytes = [], 0
            if sync:
                self._asked += 1
            elif not records:
                return
            # Inside the lock, so that records of two threads can't overtake one another.
            self._channel.send(Append(records, sync, body))


def now_us() -> int:
    """The machine's time, microseconds since 1970."""
    return time.time_ns() // 1000
