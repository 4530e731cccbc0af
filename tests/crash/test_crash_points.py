"""The server is killed at every crash point, each time it comes by: nothing is lost, nor done twice unseen."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from autokitteh_server.core import crashpoints
from crash.servers import run_through_crashes
from crash.truth import CHATTY, EVERY_KIND, GATHER, SMALL, Program
from postgres_cluster import Cluster

MakeStore = Callable[[], str]


@pytest.fixture
def new_postgres(postgres_cluster: Cluster, postgres_template: str) -> MakeStore:
    """Makes the address of another store with all tables."""
    return lambda: postgres_cluster.url(postgres_cluster.create_database(template=postgres_template))


def sweep(folder: Path, program: Program, point: str, new_store: MakeStore = lambda: "") -> int:
    """Kill the server at each passage of a crash point in turn; how many passages there are."""
    for passage in range(1, 200):
        if not run_through_crashes(folder / str(passage), program, [f"{point}:{passage}"], new_store()):
            return passage - 1
    raise AssertionError("there is no end of it")


@pytest.mark.parametrize("point", crashpoints.NAMES)
def test_killed_at_each_passage(tmp_path: Path, point: str) -> None:
    """Two activities and a sleep, killed wherever there is something to be killed."""
    assert sweep(tmp_path, SMALL, point) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("program", [EVERY_KIND, GATHER, CHATTY], ids=lambda program: program.name)
@pytest.mark.parametrize("point", crashpoints.NAMES)
def test_killed_at_each_passage_of_every_kind_of_effect(tmp_path: Path, program: Program, point: str) -> None:
    """Signals, children, the store, tasks side by side, and many lines."""
    waits = point in ("turn.before_park", "turn.after_park", "turn.before_wake")
    assert sweep(tmp_path, program, point) >= (0 if waits and program is CHATTY else 1)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("point", crashpoints.NAMES)
def test_killed_at_each_passage_on_postgresql(tmp_path: Path, new_postgres: MakeStore, point: str) -> None:
    """The same over the other store."""
    assert sweep(tmp_path, SMALL, point, new_postgres) >= 1


@pytest.mark.postgres
def test_killed_at_random_on_postgresql(tmp_path: Path, new_postgres: MakeStore) -> None:
    """A few crashes in a row, over the other store."""
    crash_at_random(tmp_path, EVERY_KIND, seed=1, crashes=4, db=new_postgres())


@pytest.mark.parametrize("program", [SMALL, EVERY_KIND, GATHER], ids=lambda program: program.name)
def test_killed_again_during_recovery(tmp_path: Path, program: Program) -> None:
    """A server that recovers from a crash dies as well, and so does the next."""
    crash_at_random(tmp_path, program, seed=0, crashes=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 18))
def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    """Many crashes in a row, at points and in programs chosen by lot."""
    program = (SMALL, EVERY_KIND, GATHER, CHATTY)[seed % 4]
    crash_at_random(tmp_path, program, seed=seed, crashes=2 + seed % 3)


def crash_at_random(folder: Path, program: Program, *, seed: int, crashes: int, db: str = "") -> None:
    """Run a program through servers that die at points chosen by lot."""
    choose = random.Random(f"{program.name} {seed}")
    points = [f"{choose.choice(crashpoints.NAMES)}:{choose.randrange(1, 5)}" for _ in range(crashes)]
    run_through_crashes(folder, program, points, db)
