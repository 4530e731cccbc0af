"""One server for all tests of a file: a start takes a second, and names are never used twice."""

from collections.abc import Iterator

import pytest

from api.stage import Stage, staged
from postgres_cluster import Cluster


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=(pytest.mark.postgres, pytest.mark.slow))]
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that runs."""
    settings = {}
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        settings["db"] = cluster.url(cluster.create_database())
    with staged(tmp_path_factory.mktemp("server"), **settings) as running:
        yield running
