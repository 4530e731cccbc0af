"""`ak` in an empty folder."""

from pathlib import Path

import pytest

from ak_process import Ak


@pytest.fixture
def ak(tmp_path: Path) -> Ak:
    return Ak(tmp_path)
