"""Connections for tests of the helpers: their variables, and the server's part."""

from collections.abc import Callable, Iterator

import pytest

from autokitteh import testing

GIVEN = Callable[..., None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> GIVEN:
    """Sets variables of the connection `conn`."""

    def give(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"conn__{name}", value)

    return give


@pytest.fixture
def server() -> Iterator[testing.MemoryRuntime]:
    """The server's part: fresh tokens, and signatures."""
    with testing.session() as runtime:
        yield runtime
