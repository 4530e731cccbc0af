"""One confining server for many tests: what one session does must not matter to the next anyway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from isolation.stage import Stage, confining

SERVERS_SECRET = "A_SECRET_OF_THE_SERVERS"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server as it is by default, with a secret in its own environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERVERS_SECRET, "hush-hush")
        folder: Path = tmp_path_factory.mktemp("isolation")
        with confining(folder) as made:
            yield made
