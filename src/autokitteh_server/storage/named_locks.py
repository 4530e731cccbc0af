"""Locks for threads, each with a name that need not have been known before."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class NamedLocks:
    """Threads may share it. It remembers only the names that somebody holds or waits for."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}  # with how many hold it or wait

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Keep other threads that ask for the name waiting."""
        with self._mutex:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._mutex:
                lock, users = self._locks.pop(name)
                if users > 1:
                    self._locks[name] = lock, users - 1
