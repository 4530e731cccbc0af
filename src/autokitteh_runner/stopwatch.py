"""How long workflow code has been running without coming back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Runs while workflow code runs. The main thread sets it, the watchdog looks at it."""

    def __init__(self) -> None:
        #: When workflow code began to run, by the monotonic clock; None while it does not run.
        self.since: float | None = None

    def start(self) -> None:
        """Workflow code begins to run."""
        self.since = time.monotonic()

    def stop(self) -> None:
        """Workflow code has come back."""
        self.since = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While the thread waits or runs an activity, workflow code is not to blame for the time."""
        was_running = self.since is not None
        self.since = None
        try:
            yield
        finally:
            if was_running:
                self.start()
