"""Fixtures for tests of real sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.life import Gate


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A gate at which activities hold until the test opens it."""
    gate = Gate(tmp_path)
    yield gate
    gate.close()
