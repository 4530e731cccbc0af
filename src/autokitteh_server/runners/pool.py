"""Which runner serves which session: new ones are forked, those of waiting sessions are kept warm, within bounds."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from autokitteh_runner.protocol import Wait
from autokitteh_server.runners.process import ForkServer, Runner


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
        is_needed: bool = False,
    ) -> None:
        self.runner = runner
        self.epoch = epoch  # of its last turn: if others had turns since then, it knows nothing of them
        self.waits = waits
        self.sent = sent  # answers sent to it so far
        self.mask = mask  # takes the secrets that it was given out of what people will read
        self.is_needed = is_needed  # all that there is of its session: it is never let go


class RunnerPool:
    """Threads may share it."""

    def __init__(
        self, start_fork_server: Callable[[], ForkServer], *, max_warm: int, keeps_spare: bool = False
    ) -> None:
        """`keeps_spare`: one runner is forked ahead, so that the next session need not wait for a fork."""
        self._start_fork_server = start_fork_server
        self._max_warm = max_warm
        self._keeps_spare = keeps_spare
        self._spare: tuple[ForkServer, Runner] | None = None
        self._fork_server: ForkServer | None = None
        self._starting = threading.Lock()
        self._lock = threading.Lock()
        self._warm: OrderedDict[str, WarmRunner] = OrderedDict()  # least recently used first
        self._needed: dict[str, WarmRunner] = {}

    def start(self) -> None:
        """Start the fork server now rather than with the first session."""
        server = self._alive_fork_server()
        if self._keeps_spare:
            self._put_spare(server)

    def fork(self) -> Runner:
        """A new runner."""
        server = self._alive_fork_server()
        with self._lock:
            spare, self._spare = self._spare, None
        # The spare of a fork server that has gone is gone with it.
        is_fine = spare is not None and spare[0] is server and spare[1].is_silent
        runner = spare[1] if spare is not None and is_fine else server.fork()
        if self._keeps_spare:
            self._put_spare(server)
        return runner

    def _put_spare(self, server: ForkServer) -> None:
        """Have the next runner forked. Returns at once."""
        new = server.fork()
        with self._lock:
            surplus, self._spare = self._spare, (server, new)
        if surplus is not None:  # two threads had the same thought
            surplus[1].kill()

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
        with self._lock:
            self._keeps_spare = False
            warm = [*self._warm.values(), *self._needed.values()]
            self._warm, self._needed = OrderedDict(), {}
        for old in warm:
            old.runner.kill()
        with self._starting:
            if self._fork_server is not None:
                self._fork_server.close()

    def _alive_fork_server(self) -> ForkServer:
        with self._starting:
            if self._fork_server is not None and not self._fork_server.is_alive:
                self._fork_server.close()  # a dead process, too, is there until somebody has asked how it ended
                self._fork_server = None
            if self._fork_server is None:
                self._fork_server = self._start_fork_server()
            return self._fork_server
