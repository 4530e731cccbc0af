"""The composition root: builds a server's parts from its settings, starts and stops them in order."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from autokitteh_server.builds.folders import BuildFolders
from autokitteh_server.config import Settings
from autokitteh_server.core import crashpoints
from autokitteh_server.core.clock import Clock, SystemClock, SystemIds
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.instruments import Instruments, Levels, NoInstruments
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.environment import Opener, load_environment
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.engine.recovery import recover
from autokitteh_server.engine.stop import stop_idle
from autokitteh_server.engine.surroundings import Listener, Outcomes, Policy, Surroundings
from autokitteh_server.engine.turn import run_turn
from autokitteh_server.runners.pool import RunnerPool
from autokitteh_server.runners.process import ForkServer
from autokitteh_server.storage import builds
from autokitteh_server.storage.data_folder import HASH_SEED_FILE, take_folder
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.ownership import Ownership


class Silence:
    """A listener that does not care."""

    def journal_grew(self, session_id: str) -> None:
        pass


class Nobody:
    """Nobody who waits for outcomes."""

    def replied(self, event_id: str, reply: dict[str, Any]) -> None:
        pass

    def session_ended(self, event_id: str, session_id: str, state: SessionState) -> None:
        pass


class NoKeys:
    """A server without a network has no secret vars: whoever runs a session gives it what it needs."""

    def open(self, sealed: str, *, owner_id: str, name: str) -> str:
        raise FailedPrecondition(f"the var {name} is secret, and only a server (`ak up`) has the key")


class Server:
    """The engine with its storage and runners, without a network. Use it in a `with` statement."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        listener: Listener | None = None,
        outcomes: Outcomes | None = None,
        opener: Opener | None = None,
        public_url: str = "",
        instruments: Instruments | None = None,
        is_only: bool = True,
        keeps_spare: bool = False,
    ) -> None:
        """Open the data folder and the database. Raises FailedPrecondition if another server has either open.

        With `is_only=False` another one may have the database open: sessions are then taken from each other.
        With `keeps_spare` a process is ready for the next session before there is one.
        `public_url`: under which others reach this server; "" for one without a network.
        """
        if settings.crash_at:
            crashpoints.arm(settings.crash_at)
        self.settings = settings
        self.clock = clock or SystemClock()
        self.new_id = SystemIds(self.clock)
        self._lock = take_folder(settings.data_dir)
        self._ownership: Ownership | None = None
        try:
            # Before the tables are touched: another server may not be ready for newer ones.
            self._ownership = Ownership.take(settings.database_url) if is_only else None
            self.database = Database.open(settings.database_url, durable=settings.durable)
        except BaseException:
            self._let_go()
            raise
        self.folders = BuildFolders(settings.data_dir / "builds")
        self._digests: dict[str, str] = {}  # of builds, which never change
        hash_seed = _hash_seed(settings.data_dir)
        self.pool = RunnerPool(
            lambda: ForkServer(Path(sys.executable), hash_seed=hash_seed, environ=environ, cwd=settings.data_dir),
            max_warm=settings.max_warm,
            keeps_spare=keeps_spare,
        )
        self.scheduler = LocalScheduler(self.clock, max_runners=settings.max_runners)
        self._surroundings = Surroundings(
            database=self.database,
            pool=self.pool,
            clock=self.clock,
            new_id=self.new_id,
            scheduler=self.scheduler,
            build_folder=self._build_folder,
            environment=lambda conn, session: load_environment(
                conn, session, opener=opener or NoKeys(), public_url=public_url
            ),
            public_url=public_url,
            listener=listener or Silence(),
            outcomes=outcomes or Nobody(),
            policy=Policy(
                limits=settings.limits,
                max_failures=settings.max_failures,
                effects_per_turn=settings.effects_per_turn,
            ),
            instruments=instruments or NoInstruments(),
        )

    def start(self) -> int:
        """Begin to give turns; how many unfinished sessions were found."""
        self.pool.start()
        # Before the first turn: a signal that it sends to a session of which the scheduler does not know yet that it
        # waits would wake nobody.
        found = recover(self.database, self.scheduler)
        self.scheduler.open(
            lambda session_id, control: run_turn(self._surroundings, session_id, control),
            lambda session_id: stop_idle(self._surroundings, session_id),
        )
        return found

    def close(self, *, grace_s: float = 0.0) -> None:
        """Stop, in this order: no more turns, no more processes, then the store, which flushes what is queued.

        Activities under way have `grace_s` to come to their ends.
        """
        self.scheduler.close(grace_s=grace_s)
        self.pool.close()
        self.database.close()
        self._let_go()

    def count(self) -> Levels:
        """How things stand now."""
        running, queued, waiting = self.scheduler.count()
        return Levels(
            turns_running=running,
            runners_warm=self.pool.count_warm(),
            sessions_queued=queued,
            sessions_waiting=waiting,
            journal_commits=self.database.writer.commits,
            journal_queued=self.database.writer.queued,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _let_go(self) -> None:
        if self._ownership is not None:
            self._ownership.release()
        os.close(self._lock)

    def _build_folder(self, build_id: str) -> Path:
        digest = self._digests.get(build_id)
        if digest is None:
            digest = self._digests[build_id] = self.database.read(lambda conn: builds.get(conn, build_id)).digest
        found = self.folders.find(digest)
        if found is not None:
            return found
        files = self.database.read(lambda conn: builds.read_files(conn, build_id))
        return self.folders.write(digest, files)


def _hash_seed(data_dir: Path) -> int:
    """One seed for the installation: the order of a set of strings must not change between runs."""
    path = data_dir / HASH_SEED_FILE
    try:
        return int(path.read_text())
    except FileNotFoundError:
        seed = secrets.randbelow(2**32 - 1) + 1
        path.write_text(f"{seed}\n")
        return seed
