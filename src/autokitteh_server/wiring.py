"""The composition root: builds a server's parts from its settings, starts and stops them in order."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from autokitteh_server.builds.folders import BuildFolders
from autokitteh_server.builds.source import source_from_files
from autokitteh_server.config import Settings
from autokitteh_server.core import crashpoints
from autokitteh_server.core.clock import Clock, SystemClock, SystemIds
from autokitteh_server.core.entities import Build, BuildSetup, Session
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.instruments import Instruments, Levels, NoInstruments
from autokitteh_server.core.manifest import MANIFEST_FILES
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.environment import Opener, load_environment
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.engine.recovery import recover
from autokitteh_server.engine.requests import RequestError
from autokitteh_server.engine.stop import stop_idle
from autokitteh_server.engine.surroundings import (
    Credentials,
    Listener,
    Outcomes,
    Policy,
    SessionEvents,
    Surroundings,
    Workplace,
)
from autokitteh_server.engine.turn import run_turn
from autokitteh_server.storage import builds
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.data_folder import take_folder
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.ownership import Ownership
from autokitteh_server.wiring_runners import Runners


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


class NoSessionEvents:
    """For a server at which no events arrive."""

    def dispatch(
        self, conn: Connection, session: Session, state: SessionState, error: str | None, *, now: int
    ) -> Callable[[], None]:
        return lambda: None


class NoCredentials:
    """Credentials of a server that gets no tokens for its connections."""

    def refresh(self, session: Session, connection: str, *, force: bool) -> dict[str, str]:
        raise RequestError("AutoKittehError", "this server has no OAuth for the connection")

    def sign(self, session: Session, connection: str, payload: dict[str, Any]) -> str:
        raise RequestError("AutoKittehError", "this server has no key of an app for the connection")


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
        credentials: Credentials | None = None,
        session_events: SessionEvents | None = None,
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
        self._workplaces: dict[str, Workplace] = {}  # of builds, which never change
        self.runners = Runners(settings, environ=environ, clock=self.clock, keeps_spare=keeps_spare)
        self.pool = self.runners.pool
        self.setups = self.runners.setups
        self.scheduler = LocalScheduler(self.clock, max_runners=settings.max_runners)
        self._surroundings = Surroundings(
            database=self.database,
            pool=self.pool,
            clock=self.clock,
            new_id=self.new_id,
            scheduler=self.scheduler,
            workplace=self._workplace,
            environment=lambda conn, session: load_environment(
                conn, session, opener=opener or NoKeys(), public_url=public_url
            ),
            public_url=public_url,
            listener=listener or Silence(),
            outcomes=outcomes or Nobody(),
            credentials=credentials or NoCredentials(),
            session_events=session_events or NoSessionEvents(),
            policy=Policy(
                max_failures=settings.max_failures,
                effects_per_turn=settings.effects_per_turn,
            ),
            instruments=instruments or NoInstruments(),
        )

    def start(self) -> int:
        """Begin to give turns; how many unfinished sessions were found."""
        self.runners.start()
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
        self.runners.close()
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

    def warm_up(self, project_id: str, build: Build) -> tuple[str, ...]:
        """Get ready for sessions of a build; what people should know about how they will start."""
        workplace = self._workplace_of(project_id, build.id)
        imported, why_bare = self.pool.warm_up(workplace.place)
        failed = imported.failed if imported is not None else {}
        slow = (f"sessions start slowly, each with imports of its own: {why_bare}",) if why_bare else ()
        return (*(f"`import {module}` fails: {why}" for module, why in failed.items()), *slow)

    def _workplace(self, session: Session) -> Workplace:
        return self._workplace_of(session.project_id, session.build_id)

    def _workplace_of(self, project_id: str, build_id: str) -> Workplace:
        found = self._workplaces.get(build_id)
        # Both may have been removed meanwhile, if all that lives is a session that was started before.
        if found is None or not found.root.is_dir() or not found.place.python.exists():
            build = self.database.read(lambda conn: builds.get(conn, build_id))
            found = self.runners.workplace(project_id, self._folder_of(build), build.setup or self._set_up(build))
            self._workplaces[build_id] = found
        return found

    def _folder_of(self, build: Build) -> Path:
        folder = self.folders.find(build.digest)
        if folder is not None:
            return folder
        return self.folders.write(build.digest, self.database.read(lambda conn: builds.read_files(conn, build.id)))

    def _set_up(self, build: Build) -> BuildSetup:
        """Find out what a build needs that an earlier version has made."""
        files = self.database.read(lambda conn: builds.read_files(conn, build.id))
        name = next((path for path in MANIFEST_FILES if path in files), None)
        setup = self.setups.prepare(source_from_files("" if name else "project", files)).setup
        self.database.write(lambda conn: builds.set_up(conn, build.id, setup))
        return setup
