"""A runner's end of the socket: sends from any thread, and lets whoever waits for a reply do the reading.

There is no reading thread. A thread that waits becomes the reader until its reply has come, hands what belongs to
others to the handler, and leaves the reading to the next who waits: one session in one thread pays for no hand-over.
"""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable
from typing import NoReturn

from autokitteh_runner.protocol import Connection, Message


def _server_is_gone() -> NoReturn:
    # Nothing of what this process does now counts any more, and user code must not get a chance to catch an exception.
    os._exit(0)


class Channel:
    """Thread-safe sending, and waiting for conditions that arriving messages bring about.

    When the server closes the socket, the process ends at once, wherever it is.
    """

    def __init__(self, sock: socket.socket, handle: Callable[[Message], None]) -> None:
        self._connection = Connection(sock)
        self._handle = handle  # called in the thread that reads, with every message
        self._send_lock = threading.Lock()
        self._turn = threading.Condition()
        self._reading = False
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_w, False)
        os.set_blocking(self._wake_r, False)
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self._poll.register(self._wake_r, select.POLLIN)
        #: True while a frame is being written: no asynchronous exception may be raised then.
        self.sending = False

    def send(self, message: Message) -> None:
        """Send a message whole."""
        with self._send_lock:
            self.sending = True
            try:
                self._connection.send(message)
            except OSError:
                _server_is_gone()
            finally:
                self.sending = False

    def receive_first(self) -> Message:
        """The next message, for the beginning, before anything else uses the channel."""
        message = self._connection.receive()
        if message is None:
            _server_is_gone()
        return message

    def wake(self) -> None:
        """Make a thread that waits look at its condition again. Any thread may call it."""
        # A full pipe wakes as well as another byte would.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_w, b"x")

    def wait(self, ready: Callable[[], bool], *, wakeable: bool = False) -> None:
        """Wait until `ready()`, handling messages meanwhile.

        `ready` is asked after every message, and with `wakeable` after every `wake()`, too.
        """
        while not ready():
            with self._turn:
                if self._reading:
                    self._turn.wait(0.1)
                    continue
                self._reading = True
            try:
                self._read(wakeable)
            finally:
                with self._turn:
                    self._reading = False
                    self._turn.notify_all()

    def _read(self, wakeable: bool) -> None:
        if wakeable and not self._wait_for_bytes():
            return
        try:
            message = self._connection.receive()
        except OSError:
            _server_is_gone()
        if message is None:
            _server_is_gone()
        while message is not None:
            self._handle(message)
            message = self._connection.buffered()

    def _wait_for_bytes(self) -> bool:
        """Whether the socket has something to read; False after a wake-up alone."""
        ready = {fd for fd, _ in self._poll.poll()}
        if self._wake_r in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_r, 4096)
        return bool(ready - {self._wake_r})
