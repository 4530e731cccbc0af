"""Threads that die: a server that lacks one would go on, and do only half of what it promises."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)


@contextmanager
def deaths_of_threads(deliver: Callable[[], None]) -> Iterator[None]:
    """Have `deliver` called, in the thread itself, when a thread ends with an exception. The log gets that.

    For the whole process: it is for the command that is all of one.
    """

    def tell(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        _log.critical("the thread %s has died: %r", name, args.exc_value, exc_info=args.exc_value)
        deliver()

    before, threading.excepthook = threading.excepthook, tell
    try:
        yield
    finally:
        threading.excepthook = before
