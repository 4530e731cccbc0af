"""`ak` in an empty folder."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ak_process import Ak


@pytest.fixture
def ak(tmp_path: Path) -> Ak:
    return Ak(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heeded() -> Iterator[None]:
    """Tests in the background of a shell are to ignore Ctrl-C, and would hand that down to the commands they start."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
