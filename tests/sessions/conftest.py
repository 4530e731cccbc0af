"""Servers that the tests share, and a service on the network for programs to talk to."""

from collections.abc import Iterator

import pytest

from harness import Bench
from sessions.service import Service


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server."""
    with Bench(tmp_path_factory.mktemp("durable")) as bench:
        yield bench


@pytest.fixture(scope="session")
def evicting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server that throws a session's runner away after each effect."""
    with Bench(tmp_path_factory.mktemp("evicting"), effects_per_turn=1, max_warm=0) as bench:
        yield bench


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service on the network."""
    with Service() as running:
        yield running
