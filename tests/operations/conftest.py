"""Operations with a real store and a clock that stands still."""

import pytest

from autokitteh_server.storage.database import Database
from operations.stage import Stage


@pytest.fixture
def stage(database: Database) -> Stage:
    """What operations work with, on either kind of store."""
    return Stage(database)
