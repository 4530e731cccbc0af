"""A journal as replay needs it: what is recorded for each place, and in which order effects were over."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from autokitteh.errors import NonDeterminismError
from autokitteh_runner.protocol import ReplayRecord

Place = tuple[str, int]  # task path, index

#: Kinds whose records are prints: they count lines and are not matched.
PRINTS: Final = frozenset({"print", "log"})


@dataclass(slots=True)
class Entry:
    """All that is recorded of one effect."""

    kind: str
    name: str
    site: str
    digest: str
    attempts: int = 0  # starts seen
    failed: int = 0  # attempts that ended with an error, and were to be made again
    start: bytes = b""  # payload of its start: what a wait waits for
    done: ReplayRecord | None = None
    payload: bytes = b""  # of its end


class Replay:
    """The recorded effects of a session that have not been met yet."""

    def __init__(self) -> None:
        self._entries: dict[Place, Entry] = {}
        self._order: list[Place] = []  # places in the order in which they were over
        self._next = 0
        self._prints: dict[str, int] = {}
        self.replayed = 0  # effects whose recorded end has been used
        self.warned: dict[str, set[str]] = {}  # subjects of which the log has a warning, and where
        #: The process before this one ended and nobody could note it: what it sent last may never have arrived.
        self.cut_off = False

    def add(self, record: ReplayRecord, payload: bytes) -> None:
        """Take the next record of the journal, in its order."""
        task, index = record.task, record.index
        if record.kind in PRINTS:
            self._prints[task] = max(index + 1, self._prints.get(task, 0))
            return
        if index < 0:
            if record.kind == "state":
                self.cut_off = record.name == "RUNNING"
            elif record.kind == "warning" and record.name == "runner":  # the server has seen its end, and read it out
                self.cut_off = False
            elif record.kind == "warning":
                self.warned.setdefault(record.name, set()).add(record.site)
            return
        place = (task, index)
        entry = self._entries.get(place)
        if entry is None:
            entry = self._entries[place] = Entry(record.kind, record.name, record.site, record.digest)
        if record.phase == "start":
            entry.attempts = record.attempt
            entry.start = payload
        elif record.phase == "failed":
            entry.failed += 1
        else:
            entry.done = record
            entry.payload = payload
            self._order.append(place)

    def printed(self, task: str) -> int:
        """How many lines of a task's are in the journal."""
        return self._prints.get(task, 0)

    def take(self, task: str, index: int, kind: str, name: str, site: str) -> Entry | None:
        """What is recorded for a place, or None beyond the journal's end. Raises NonDeterminismError."""
        entry = self._entries.pop((task, index), None)
        if entry is None:
            return None
        if entry.kind != kind or entry.name != name:
            raise NonDeterminismError(
                f"The code took another way than when it ran first: step {index} of task {task} was "
                f"{entry.name} at {_where(entry.site)}; now it is {name} at {_where(site)}. {_CAUSES}"
            )
        if entry.done is not None:
            self.replayed += 1
        return entry

    def next_over(self, waited_for: Container[Place]) -> Place | None:
        """Which of the effects waited for was over next, in the recorded order. Raises NonDeterminismError.

        Effects that were met and needed no waiting are passed over; one that has not been met at all by now never
        will be.
        """
        while self._next < len(self._order):
            place = self._order[self._next]
            self._next += 1
            if place in waited_for:
                return place
            if place in self._entries:
                raise self._unmet(place)
        return None

    def check_exhausted(self) -> None:
        """Raises NonDeterminismError if something recorded as over was never met: the code ended too early."""
        for place, entry in self._entries.items():
            if entry.done is not None:
                raise self._unmet(place)

    def _unmet(self, place: Place) -> NonDeterminismError:
        entry = self._entries[place]
        return NonDeterminismError(
            f"The code took another way than when it ran first: step {place[1]} of task {place[0]} was {entry.name} "
            f"at {_where(entry.site)}; now the code does not come to it. {_CAUSES}"
        )


_CAUSES = (
    "Usual causes: a branch on the clock, on the environment or on a file read outside an activity; the order of a "
    "set of objects; code that changed under a running session. Put what differs into a function marked "
    "@autokitteh.activity."
)


def _where(site: str) -> str:
    file, _, rest = site.partition(":")
    line, _, function = rest.partition(":")
    return f"{file}, line {line}, in {function}" if function else site or "an unknown place"
