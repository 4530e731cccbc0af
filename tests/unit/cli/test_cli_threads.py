"""A thread that dies is told of, and nothing else is."""

import logging
import threading
from collections.abc import Callable

import pytest

from autokitteh_server.cli.threads import deaths_of_threads


def run(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, name="cron")
    thread.start()
    thread.join()


def test_a_thread_that_dies(caplog: pytest.LogCaptureFixture) -> None:
    """Its name and its exception are in the log, and the server is told; afterwards all is as before."""
    before, told = threading.excepthook, []

    def die() -> None:
        raise LookupError("no such tick")

    with deaths_of_threads(lambda: told.append(threading.current_thread().name)):
        run(lambda: None)
        assert told == []
        run(die)

    assert told == ["cron"]
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL and record.exc_info
    assert record.getMessage() == "the thread cron has died: LookupError('no such tick')"
    assert threading.excepthook is before
