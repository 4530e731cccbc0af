"""How other threads reach a turn that blocks on its runner's socket."""

import contextlib
import os
import select
import threading

from autokitteh_server.core.clock import Clock


class TurnControl:
    """A turn's ear for the world: signals that have arrived, and orders to stop. One a worker thread, used again."""

    def __init__(self) -> None:
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self._lock = threading.Lock()
        self._poked = False
        self.stop_asked = False
        self.stop_forced = False
        self.leave_asked = False  # the server is closing: leave the session as it is, after the activity under way
        self.abandoned = False  # ... at once

    def reset(self) -> None:
        """Be ready for the next turn."""
        with self._lock:
            self._poked = self.stop_asked = self.stop_forced = self.leave_asked = self.abandoned = False
            self._drain()

    def poke(self) -> None:
        """Have the turn look into the session's inbox. Any thread."""
        with self._lock:
            self._poked = True
            self._ring()

    def stop(self, *, force: bool) -> None:
        """Have the turn end the session. Any thread."""
        with self._lock:
            self.stop_asked = True
            self.stop_forced |= force
            self._ring()

    def leave(self) -> None:
        """Have the turn leave its session as it is, once no activity is under way. Any thread."""
        with self._lock:
            self.leave_asked = True
            self._ring()

    def abandon(self) -> None:
        """Have the turn leave its session as it is, at once. Any thread."""
        with self._lock:
            self.abandoned = True
            self._ring()

    def take_poke(self) -> bool:
        """Whether it was poked since the last look."""
        with self._lock:
            poked, self._poked = self._poked, False
            return poked

    def wait(self, fd: int, clock: Clock, until_us: int | None) -> bool:
        """Wait for bytes on `fd`, a poke, an order, or the moment. Whether `fd` has something to read."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._read_fd, select.POLLIN)
        # Rounded up: a poll that is over too early would be repeated in a busy loop.
        timeout_ms = None if until_us is None else max(0, -((clock.now_us() - until_us) // 1000))
        ready = {ready_fd for ready_fd, _ in poll.poll(timeout_ms)}
        if not ready and until_us is not None:
            clock.reach(until_us)
        if self._read_fd in ready:
            with self._lock:
                self._drain()
        return fd in ready

    def close(self) -> None:
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _ring(self) -> None:
        # A full pipe rings as well as another byte would.
        with contextlib.suppress(BlockingIOError):
            os.write(self._write_fd, b"x")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read_fd, 4096):
                pass
