"""Stores for tests: whatever asks for `store_url`, `empty_url` or `database` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from autokitteh_server.storage.database import Database
from postgres_cluster import Cluster, NoPostgreSQL, run_cluster

BOTH_DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server, one for each process of tests. Skips where its programs are missing."""
    yield from _cluster_or_skip()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that the test may end."""
    yield from _cluster_or_skip()


def _cluster_or_skip() -> Iterator[Cluster]:
    try:
        with run_cluster() as cluster:
            yield cluster
    except NoPostgreSQL as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """The name of a database with all tables."""
    name = postgres_cluster.create_database()
    Database.open(postgres_cluster.url(name)).close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=BOTH_DIALECTS)
def dialect_name(request: pytest.FixtureRequest) -> str:
    """What kind of store the test runs on."""
    return str(request.param)


@pytest.fixture
def empty_url(dialect_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store without tables."""
    if dialect_name == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.url(cluster.create_database())


@pytest.fixture
def store_url(dialect_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store with all tables and no rows."""
    if dialect_name == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.url(cluster.create_database(template=request.getfixturevalue("postgres_template")))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """An open store with all tables and no rows."""
    with Database.open(store_url) as opened:
        yield opened
