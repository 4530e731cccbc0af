"""Deleting what is older than it has to be, in small portions, so that nobody who writes waits long for the next."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, TypeVar

from autokitteh_server.builds.folders import BuildFolders
from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.instruments import Instruments
from autokitteh_server.storage import leases, retention
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.events import KEY_LIFE_US

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: Most rows that are deleted in one transaction. All others who write wait for it.
BATCH: Final = 500

#: Sessions of a portion; their records come on top.
_SESSIONS: Final = 100

#: Rows that are looked for at once.
_PAGE: Final = 5_000

_DAY_US: Final = 24 * 3600 * 1_000_000
_INTERVAL_US: Final = 3600 * 1_000_000

#: Before the first sweep: a server that has just started has better things to do.
_FIRST_US: Final = 60_000_000

#: What is left of a folder that was being written when a server died is swept after so long.
_UNFINISHED_US: Final = _DAY_US

#: After so long nobody goes on where the last holder of a lease has left off.
_LEASES_US: Final = 7 * _DAY_US

#: Between two portions, of real time: a backlog of months must not take the database for itself.
_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """For how long things are kept, in days. 0: for ever."""

    events_days: float = 0.0
    sessions_days: float = 0.0


@dataclass(slots=True, kw_only=True)
class Swept:
    """How many of each were deleted."""

    events: int = 0
    sessions: int = 0
    records: int = 0
    event_keys: int = 0
    leases: int = 0
    blobs: int = 0
    build_folders: int = 0
    environments: int = 0


def sweep(
    database: Database,
    folders: BuildFolders,
    policy: RetentionPolicy,
    *,
    now: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Swept:
    """Delete all that is old enough. Between two portions `go_on` is asked, and may say to leave the rest."""
    return _Sweep(database, folders, policy, now, go_on).run()


class _Sweep:
    """One sweep under way."""

    def __init__(
        self, database: Database, folders: BuildFolders, policy: RetentionPolicy, now: int, go_on: Callable[[], bool]
    ) -> None:
        self._database = database
        self._folders = folders
        self._policy = policy
        self._now = now
        self._go_on = go_on
        self._swept = Swept()

    def run(self) -> Swept:
        # Blobs last: only now nobody refers to those of what is gone. Each step is complete in itself, so a sweep
        # that is cut off anywhere leaves nothing wrong.
        self._events()
        self._sessions()
        self._event_keys()
        self._leases()
        self._blobs()
        if self._go_on():
            self._build_folders()
        return self._swept

    def _events(self) -> None:
        if before := self._before(self._policy.events_days):
            for ids in self._portions(partial(retention.find_events, before=before), BATCH):
                self._swept.events += self._database.write(partial(retention.delete_events, event_ids=ids))

    def _sessions(self) -> None:
        if before := self._before(self._policy.sessions_days):
            for ids in self._portions(partial(retention.find_sessions, before=before), _SESSIONS):
                self._sessions_of(ids)

    def _sessions_of(self, ids: Sequence[str]) -> None:
        # Records first, for only sessions that are there can be found again if this is cut off. Of a session that is
        # half gone the log has gaps until the next sweep; it is past its time anyway.
        most = BATCH - _SESSIONS
        while self._go_on():
            records = self._database.write(partial(retention.delete_records, session_ids=ids, limit=most))
            self._swept.records += records
            if records < most:
                self._swept.sessions += self._database.write(partial(retention.delete_sessions, session_ids=ids))
                return

    def _event_keys(self) -> None:
        before = self._now - KEY_LIFE_US
        for keys in self._portions(partial(retention.find_keys, seen_before=before), BATCH):
            forget = partial(retention.delete_keys, keys=keys, seen_before=before)
            self._swept.event_keys += self._database.write(forget)

    def _leases(self) -> None:
        before = self._now - _LEASES_US
        self._swept.leases += self._database.write(partial(leases.forget, before=before))

    def _blobs(self) -> None:
        # Fewer at once: each may have megabytes.
        for hashes in self._portions(retention.find_blobs, BATCH // 10):
            self._swept.blobs += self._database.write(partial(retention.delete_blobs, hashes=hashes))

    def _build_folders(self) -> None:
        # First what folders there are, then what builds: a build is committed before its folder is written, so a
        # folder in the first list whose build is not in the second has lost it.
        written = self._folders.list_digests()
        gone = written - self._database.read(retention.list_digests) if written else frozenset[str]()
        for digest in sorted(gone):
            self._folders.remove(digest)
        self._swept.build_folders = len(gone)
        self._folders.remove_unfinished(before=self._now - _UNFINISHED_US)

    def _before(self, days: float) -> int | None:
        """The moment before which things are too old; None: none are."""
        return round(self._now - days * _DAY_US) if days else None

    def _portions(self, find: Callable[..., Sequence[T]], size: int) -> Iterator[Sequence[T]]:
        """What is to be deleted, page by page and portion by portion. `find` takes `after`, but not for the first."""
        page = self._database.read(partial(find, limit=_PAGE))
        while True:
            for start in range(0, len(page), size):
                if not self._go_on():
                    return
                yield page[start : start + size]
            if len(page) < _PAGE:
                return
            page = self._database.read(partial(find, limit=_PAGE, after=page[-1]))


class Sweeper:
    """Sweeps every hour, in a thread of its own."""

    def __init__(
        self,
        database: Database,
        folders: BuildFolders,
        policy: RetentionPolicy,
        *,
        clock: Clock,
        instruments: Instruments,
        remove_environments: Callable[[], int] = lambda: 0,
    ) -> None:
        """`remove_environments` removes those that no build has, and says how many."""
        self._remove_environments = remove_environments
        self._database = database
        self._folders = folders
        self._policy = policy
        self._clock = clock
        self._instruments = instruments
        self._background = Background("retention", self._work)

    def open(self) -> None:
        """Begin to sweep, a minute from now."""
        self._background.open()

    def close(self) -> None:
        """Sweep no more. Returns when the thread has ended, which is at the end of a portion."""
        self._background.close()

    def sweep_now(self) -> Swept | None:
        """What the thread does every hour. None: the store could not be used; the next hour may be better."""
        try:
            swept = sweep(
                self._database, self._folders, self._policy, now=self._clock.now_us(), go_on=self._is_to_go_on
            )
            swept.environments = self._remove_environments()
        except (ServerError, OSError) as error:
            _log.error("old things could not be deleted: %s", error, extra={"action": "sweep"})
            return None
        counts = {name: count for name, count in asdict(swept).items() if count}
        if counts:
            shown = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
            _log.info("deleted for their age: %s", shown, extra={"action": "sweep", **counts})
            self._instruments.swept(counts)
        return swept

    def _work(self) -> None:
        background = self._background
        next_at = self._clock.now_us() + _FIRST_US
        while True:
            with background.changed:
                while not background.is_closing and self._clock.now_us() < next_at:
                    # The clock of a test must not jump because of this alone.
                    self._clock.wait(background.changed, until_us=next_at, idle=False)
                if background.is_closing:
                    return
            self.sweep_now()
            next_at = self._clock.now_us() + _INTERVAL_US

    def _is_to_go_on(self) -> bool:
        background = self._background
        with background.changed:
            return not background.changed.wait_for(lambda: background.is_closing, _PAUSE_S)
