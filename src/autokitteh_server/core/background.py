"""A thread that works for the server until it is told to stop."""

import threading
from collections.abc import Callable


class Background:
    """One thread. What it shares with others is guarded by `changed`, by which it is also woken."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        """`work` is to return soon after `is_closing` was set, which is told by `changed`."""
        self.changed = threading.Condition()
        self.is_closing = False
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def open(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Have it stop. Returns when it has."""
        with self.changed:
            self.is_closing = True
            self.changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
