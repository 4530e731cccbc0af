"""A few threads that do what they are given. They end with the program, whatever they wait for."""

import threading
from collections import deque
from collections.abc import Callable


class Workers:
    """Threads are made when there is work, up to a number. Threads may share it."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._changed = threading.Condition()
        self._queue: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._idle = 0
        self._is_closing = False

    def submit(self, work: Callable[[], None]) -> None:
        """Have something done, which is to raise nothing. Nothing is done any more once it is closed."""
        with self._changed:
            if self._is_closing:
                return
            self._queue.append(work)
            if len(self._queue) > self._idle and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
            self._changed.notify()

    def close(self, *, within_s: float) -> bool:
        """Begin nothing more, and wait for what is being done; False if that takes longer, and goes on."""
        with self._changed:
            self._is_closing = True
            self._queue.clear()
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._threads, within_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._queue or self._is_closing)
                self._idle -= 1
                if not self._queue:
                    self._threads -= 1
                    self._changed.notify_all()
                    return
                work = self._queue.popleft()
            work()
