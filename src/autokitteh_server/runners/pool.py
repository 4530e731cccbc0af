"""Which runner serves which session: new ones are forked, those of waiting sessions are kept warm, within bounds.

There is a fork server for each place. One that nobody has used for a while is ended.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from autokitteh_runner.protocol import Wait
from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import InternalError
from autokitteh_server.runners.places import Imported, Place
from autokitteh_server.runners.process import ForkServer, Runner

_log = logging.getLogger(__name__)

#: How often it is looked which fork servers nobody uses.
_LOOK_US = 30_000_000


class WarmRunner:
    """A runner between two turns of its session, with what it waits for."""

    def __init__(
        self,
        runner: Runner,
        epoch: int,
        waits: dict[tuple[str, int], Wait],
        sent: int,
        *,
        mask: Callable[[str], str],
        log: Any = None,
        is_needed: bool = False,
    ) -> None:
        self.runner = runner
        self.epoch = epoch  # of its last turn: if others had turns since then, it knows nothing of them
        self.waits = waits
        self.sent = sent  # answers sent to it so far
        self.mask = mask  # takes the secrets that it was given out of what people will read
        self.log = log  # how much it may still put into the log; the turn's affair
        self.is_needed = is_needed  # all that there is of its session: it is never let go


@dataclass(slots=True)
class _Station:
    """A place with its fork server."""

    place: Place
    starting: threading.Lock = field(default_factory=threading.Lock)
    server: ForkServer | None = None
    spare: Runner | None = None
    why_bare: str = ""  # why nothing is imported ahead: it could not be forked from then
    used_at: int = 0


class RunnerPool:
    """Threads may share it."""

    def __init__(
        self,
        start_fork_server: Callable[[Place], ForkServer],
        *,
        max_warm: int,
        clock: Clock,
        keeps_spare: bool = False,
        idle_us: int | None = None,
    ) -> None:
        """`keeps_spare`: one runner is forked ahead, so that the next session need not wait for a fork.

        `idle_us`: after so long without a session a fork server is ended; None: never.
        """
        self._start_fork_server = start_fork_server
        self._max_warm = max_warm
        self._keeps_spare = keeps_spare
        self._clock = clock
        self._idle_us = idle_us
        self._lock = threading.Lock()
        self._stations: dict[Place, _Station] = {}
        self._warm: OrderedDict[str, WarmRunner] = OrderedDict()  # least recently used first
        self._needed: dict[str, WarmRunner] = {}
        self._keeper = Background("fork-servers", self._keep)

    def start(self, places: Iterable[Place] = ()) -> None:
        """Start these fork servers now rather than with the first session."""
        if self._idle_us is not None:
            self._keeper.open()
        for place in places:
            self._start_ahead(self._station(place))

    def fork(self, place: Place) -> Runner:
        """A new runner."""
        station = self._station(place)
        with self._lock:
            station.used_at = self._clock.now_us()
        try:
            return self._fork_at(station)
        except InternalError:  # it has gone this very moment: there will be another one
            return self._fork_at(station)

    def _fork_at(self, station: _Station) -> Runner:
        server = self._alive_fork_server(station)
        with self._lock:
            spare, station.spare = station.spare, None
        if spare is not None and not spare.is_silent:
            spare = None
        runner = spare if spare is not None else server.fork()
        if self._keeps_spare:
            self._put_spare(station, server)
        return runner

    def runners(self) -> list[Runner]:
        """All that there are."""
        with self._lock:
            servers = [each.server for each in self._stations.values()]
        return [runner for server in servers if server is not None for runner in server.runners()]

    def warm_up(self, place: Place) -> tuple[Imported | None, str]:
        """Start a place's fork server, and wait until it has imported what it is to import.

        What came of that, None if it died of it; and for people why it is not forked from, "" if it is.
        """
        station = self._station(place)
        server = self._alive_fork_server(station)
        imported = server.wait_ready()
        self._start_ahead(station)  # the one to be forked from, if that is another
        return imported, station.why_bare

    def count_fork_servers(self) -> int:
        """How many fork servers there are."""
        with self._lock:
            return sum(each.server is not None for each in self._stations.values())

    # --- runners of waiting sessions ---------------------------------------------------------------------------------

    def take_warm(self, session_id: str) -> WarmRunner | None:
        """The runner that was kept for a session, if it still is."""
        with self._lock:
            return self._warm.pop(session_id, None) or self._needed.pop(session_id, None)

    def has_warm(self, session_id: str) -> bool:
        """Whether a runner is kept for a session."""
        with self._lock:
            return session_id in self._warm or session_id in self._needed

    def count_warm(self) -> int:
        """How many runners are kept."""
        with self._lock:
            return len(self._warm) + len(self._needed)

    def keep_warm(self, session_id: str, warm: WarmRunner) -> None:
        """Keep a runner until its session's next turn. If that is one too many, the longest unused is let go."""
        with self._lock:
            if warm.is_needed:
                self._needed[session_id] = warm
                return
            self._warm[session_id] = warm
            surplus = [self._warm.popitem(last=False)[1] for _ in range(len(self._warm) - self._max_warm)]
        for old in surplus:
            old.runner.kill()

    def drop(self, session_id: str) -> None:
        """Let go of the runner that was kept for a session, if any."""
        warm = self.take_warm(session_id)
        if warm is not None:
            warm.runner.kill()

    def close(self) -> None:
        """End every process."""
        self._keeper.close()
        with self._lock:
            self._keeps_spare = False
            warm = [*self._warm.values(), *self._needed.values()]
            self._warm, self._needed = OrderedDict(), {}
            stations = list(self._stations.values())
        for old in warm:
            old.runner.kill()
        for station in stations:
            self._end(station)

    # --- fork servers ------------------------------------------------------------------------------------------------

    def _station(self, place: Place) -> _Station:
        with self._lock:
            return self._stations.setdefault(place, _Station(place, used_at=self._clock.now_us()))

    def _start_ahead(self, station: _Station) -> None:
        server = self._alive_fork_server(station)
        if self._keeps_spare:
            self._put_spare(station, server)

    def _put_spare(self, station: _Station, server: ForkServer) -> None:
        """Have the next runner forked. Returns at once."""
        new = server.fork()
        with self._lock:
            surplus, station.spare = station.spare, new
        if surplus is not None:  # two threads had the same thought
            surplus.kill()

    def _alive_fork_server(self, station: _Station) -> ForkServer:
        """The fork server of a place: the one that there is, or a new one if it has gone, or cannot be forked from."""
        with station.starting:
            server = station.server
            if server is not None and not server.is_alive:
                self._learn_from(station, server)
                server.close()  # a dead process, too, is there until somebody has asked how it ended
                with self._lock:
                    station.server = server = station.spare = None  # its spare has gone with it
            if server is None:
                place = replace(station.place, modules=()) if station.why_bare else station.place
                station.server = server = self._start_fork_server(place)
                if place.modules:
                    # Only then is it known whether a child of it would share what must not be shared.
                    server.wait_ready()
                    if not server.is_alive or (server.imported is not None and not server.imported.is_fit):
                        self._learn_from(station, server)
                        server.close()
                        station.server = server = self._start_fork_server(replace(station.place, modules=()))
            return server

    def _learn_from(self, station: _Station, server: ForkServer) -> None:
        """Find out whether it was what it had imported that ended a fork server."""
        imported = server.imported
        if station.why_bare or not station.place.modules or (imported is not None and imported.is_fit):
            return
        station.why_bare = "the process died when it imported them" if imported is None else imported.why_unfit
        _log.warning(
            "sessions of environment %s start slowly, each with imports of its own (%s): %s",
            station.place.environment or "(none)",
            ", ".join(station.place.modules),
            station.why_bare,
        )

    def _end(self, station: _Station) -> None:
        with station.starting:
            server, station.server, station.spare = station.server, None, None
            if server is not None:
                server.close()

    def _keep(self) -> None:
        """End fork servers that nobody has used for long."""
        while True:
            with self._keeper.changed:
                if self._keeper.is_closing:
                    return
                self._clock.wait(self._keeper.changed, until_us=self._clock.now_us() + _LOOK_US, idle=False)
            for station in self._idle_stations():
                self._end(station)

    def _idle_stations(self) -> list[_Station]:
        assert self._idle_us is not None
        since = self._clock.now_us() - self._idle_us
        with self._lock:
            return [
                each
                for each in self._stations.values()
                if each.server is not None
                and each.used_at < since
                and each.server.count <= (1 if each.spare is not None else 0)
            ]
