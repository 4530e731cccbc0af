"""Ctrl-C and other orders to end: the first is a message to the command's loop, the second ends the process."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ORDERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_as_messages(deliver: Callable[[signal.Signals], None], clean_up: Callable[[], None]) -> Iterator[None]:
    """Have `deliver` called for the first signal, which must be safe in a signal handler.

    With the second one `clean_up` is called, and the process ends at once. A signal that is ignored, as by `nohup`,
    stays so.
    """
    received = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal received
        if received:
            clean_up()
            os._exit(128 + number)
        received = True
        deliver(signal.Signals(number))

    before = {number: signal.getsignal(number) for number in _ORDERS}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
