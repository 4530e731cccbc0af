"""One server for all tests of a file: a start takes a second, and names are never used twice."""

from collections.abc import Iterator

import pytest

from api.stage import Stage, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that runs."""
    with staged(tmp_path_factory.mktemp("server")) as running:
        yield running
