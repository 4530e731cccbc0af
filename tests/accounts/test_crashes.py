"""Servers that are killed while a connection gets a token: nothing is half stored, and a person can begin again."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from accounts.provider import Provider, providing
from accounts.stage import Stage
from autokitteh_server.accounts.errors import StaleLink, TokenRefused
from autokitteh_server.core import crashpoints
from autokitteh_server.core.clock import VirtualClock
from autokitteh_server.core.entities import Connection
from autokitteh_server.storage.database import Database

FIRST = "s3cr3t-access-0"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@contextmanager
def server(url: str, provider: Provider, clock: VirtualClock | None = None) -> Iterator[Stage]:
    with Database.open(url) as database:
        yield Stage(database, provider, clock=clock)


def die(crash_at: str, url: str, provider: Provider, work: Callable[[Stage], object]) -> None:
    """Do something in a server of its own, which dies at a crash point."""
    pid = os.fork()
    if pid == 0:
        try:
            crashpoints.arm(crash_at)
            with server(url, provider) as stage:
                work(stage)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("crash_at", "is_asked", "is_stored"),
    [
        ("oauth.before_exchange", False, False),
        ("oauth.after_exchange", True, False),
        ("oauth.after_commit", True, True),
    ],
)
def test_a_server_that_dies_on_the_way_back(
    store_url: str, provider: Provider, crash_at: str, is_asked: bool, is_stored: bool
) -> None:
    """The browser that comes again is told to begin again, and can; a code is never shown twice to the service."""
    with server(store_url, provider) as stage:
        connection = stage.connection()
        sent = stage.start(connection)
    query = stage.agree(sent)

    die(crash_at, store_url, provider, lambda dying: dying.finish(sent, query))

    with server(store_url, provider) as stage:
        assert len(provider.asked) == is_asked
        assert ("oauth_access_token" in stage.values(connection)) is is_stored
        assert not is_stored or len(stage.values(connection)) == 9  # all of it
        with pytest.raises(StaleLink, match="used already"):
            stage.finish(sent, query)
        stage.connect(connection)
        assert stage.values(connection)["oauth_access_token"] == provider.good_access


@pytest.mark.parametrize(
    ("crash_at", "is_stored"),
    [("refresh.before_request", False), ("refresh.after_request", False), ("refresh.after_commit", True)],
)
@pytest.mark.parametrize("rotates", [False, True])
def test_a_server_that_dies_while_it_renews(
    store_url: str, provider: Provider, crash_at: str, is_stored: bool, rotates: bool
) -> None:
    """Nobody waits for it, and the next one renews; only what a service has changed and nobody stored is lost.

    Then the connection is marked, and a person connects it anew.
    """
    provider.rotates = rotates
    with server(store_url, provider) as stage:
        connection = stage.connected(left_s=60)

    die(crash_at, store_url, provider, lambda dying: dying.accounts.tokens.fresh(connection))

    with server(store_url, provider) as stage:
        assert (stage.values(connection)["oauth_access_token"] != FIRST) is is_stored
        if rotates and crash_at == "refresh.after_request":
            _is_lost(stage, connection)
        assert stage.accounts.tokens.fresh(connection).access == provider.good_access


def _is_lost(stage: Stage, connection: Connection) -> None:
    with pytest.raises(TokenRefused, match="invalid_grant"):
        stage.accounts.tokens.fresh(connection)
    assert [code.value for _, code, _ in stage.marks.told] == ["error"]
    stage.connect(connection)
