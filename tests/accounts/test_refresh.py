"""Fresh tokens: when they are renewed, by whom, and what is stored; revocation, rotation, and many who ask at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.provider import Provider, providing
from accounts.stage import MINUTE, Stage
from autokitteh_server.accounts.errors import NotConnected, ServiceUnavailable, TokenRefused
from autokitteh_server.core.entities import Connection
from autokitteh_server.core.errors import NotFound
from autokitteh_server.integrations.spec import Code
from autokitteh_server.storage import connections
from autokitteh_server.storage.database import Database
from postgres_cluster import Cluster

FIRST = "s3cr3t-access-0"
PATIENCE_S = 60.0


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.mark.parametrize(
    ("expiry", "is_renewed"),
    [
        ("", False),
        ("0001-01-01T00:00:00Z", False),
        ("0001-01-01 00:00:00 +0000 UTC", False),
        ("2025-06-01T00:05:01Z", False),
        ("2025-06-01T02:05:01+02:00", False),
        ("2025-06-01 00:05:01 +0000 UTC", False),
        ("2025-06-01T00:05:00Z", True),
        ("2025-06-01 00:04:59.999 +0000 UTC m=+1", True),
        ("2024-06-01T00:05:01Z", True),
        ("rubbish", True),
    ],
)
def test_a_token_is_renewed_five_minutes_before_its_end(
    database: Database, provider: Provider, expiry: str, is_renewed: bool
) -> None:
    """In either spelling. What is no time counts as past."""
    stage = Stage(database, provider)
    for access, refresh, end in (
        ("oauth_access_token", "oauth_refresh_token", "oauth_expiry"),
        ("oauth_AccessToken", "oauth_RefreshToken", "oauth_Expiry"),
    ):
        provider.good_refresh.add("s3cr3t-refresh-0")
        values = {"auth_type": "oauth", access: FIRST, refresh: "s3cr3t-refresh-0", end: expiry}
        token = stage.accounts.tokens.fresh(stage.connection(**values))
        assert (token.access != FIRST) is is_renewed


def test_the_new_pair_is_stored_at_once(database: Database, provider: Provider) -> None:
    """A refresh token that the service has changed is the one that is used next; both are encrypted."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=0)

    for number in range(1, 4):
        token = stage.accounts.tokens.fresh(connection)
        values = stage.values(connection)
        assert values["oauth_access_token"] == values["oauth_AccessToken"] == token.access == provider.good_access
        assert {values["oauth_refresh_token"]} == {values["oauth_RefreshToken"]} == provider.good_refresh
        assert len(provider.asked) == number
        stage.clock.reach(stage.clock.now_us() + 56 * MINUTE)
    assert not [name for name, value in stage.stored(connection).items() if "s3cr3t" in value]


def test_a_refresh_token_that_stays_is_kept(database: Database) -> None:
    """Where the service gives no other one."""
    with providing(rotates=False) as provider:
        stage = Stage(database, provider)
        connection = stage.connected(left_s=0)
        stage.accounts.tokens.fresh(connection)

        assert stage.values(connection)["oauth_refresh_token"] == "s3cr3t-refresh-0"


def test_a_forced_token_is_new(database: Database, provider: Provider) -> None:
    """But one that is only seconds old is not renewed again: many may have been refused the same old one."""
    stage = Stage(database, provider)
    connection = stage.connected()

    first = stage.accounts.tokens.fresh(connection, force=True)
    again = stage.accounts.tokens.fresh(connection, force=True)
    stage.clock.reach(stage.clock.now_us() + 10_000_000)
    later = stage.accounts.tokens.fresh(connection, force=True)

    assert FIRST != first.access == again.access != later.access


def test_a_connection_that_was_revoked_is_marked(database: Database, provider: Provider) -> None:
    """With why, and without a secret; connecting it anew mends it."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=0)
    provider.revoke()

    with pytest.raises(TokenRefused, match="invalid_grant") as raised:
        stage.accounts.tokens.fresh(connection)

    assert "s3cr3t" not in str(raised.value)
    ((marked, code, message),) = stage.marks.told
    assert (marked, code) == (connection.id, Code.ERROR)
    assert message == (
        "the service refuses: invalid_grant (the token *** was revoked). Connect it anew: `ak connection init`."
    )
    stage.connect(connection)
    assert stage.accounts.tokens.fresh(connection).access == provider.good_access
    assert stage.marks.told[1:] == [(connection.id, Code.OK, "connected")]


@pytest.mark.parametrize("answer", [(500, b"oops"), (503, b"{}"), (200, b"<html>"), (429, b"")])
def test_a_service_in_trouble_marks_nothing(database: Database, provider: Provider, answer: tuple[int, bytes]) -> None:
    """A token that is good yet is good enough, unless a new one is asked for."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=60)
    provider.fails_with = answer

    assert stage.accounts.tokens.fresh(connection).access == FIRST
    with pytest.raises(ServiceUnavailable):
        stage.accounts.tokens.fresh(connection, force=True)
    stage.clock.reach(stage.clock.now_us() + MINUTE)
    with pytest.raises(ServiceUnavailable):
        stage.accounts.tokens.fresh(connection)

    assert stage.marks.told == []
    provider.fails_with = None
    assert stage.accounts.tokens.fresh(connection).access == provider.good_access


def test_what_cannot_be_renewed_says_why(database: Database, provider: Provider) -> None:
    """Before the service is asked."""
    stage = Stage(database, provider)
    tokens = stage.accounts.tokens

    with pytest.raises(NotConnected, match="missing refresh token"):
        tokens.fresh(stage.connection(auth_type="oauthDefault", oauth_access_token=FIRST), force=True)
    with pytest.raises(NotConnected, match="no access token"):
        tokens.fresh(stage.connection(auth_type="oauthDefault"))
    with pytest.raises(NotConnected, match="gets no tokens by 'pat'"):
        tokens.fresh(stage.connection(auth_type="pat"))
    assert provider.asked == []


def ask_at_once(stages: list[Stage], connection: Connection, provider: Provider, *, force: bool) -> set[str]:
    """Eight threads for each server ask while the service lets the first one wait; what they get."""
    provider.hangs.clear()
    began = threading.Barrier(8 * len(stages) + 1)

    def ask(stage: Stage) -> str:
        began.wait(PATIENCE_S)
        return stage.accounts.tokens.fresh(connection, force=force).access

    with ThreadPoolExecutor(8 * len(stages)) as pool:
        asked = [pool.submit(ask, stage) for stage in stages for _ in range(8)]
        began.wait(PATIENCE_S)
        assert provider.entered.acquire(timeout=PATIENCE_S)
        provider.hangs.set()
        return {each.result(PATIENCE_S) for each in asked}


@pytest.mark.parametrize("force", [False, True])
def test_one_renews_for_all_threads(database: Database, provider: Provider, force: bool) -> None:
    """The service is asked once, and all get the same token."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=60)

    assert ask_at_once([stage], connection, provider, force=force) == {provider.good_access}
    assert len(provider.asked) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("force", [False, True])
def test_one_renews_for_all_servers(
    postgres_cluster: Cluster, postgres_template: str, provider: Provider, force: bool
) -> None:
    """Also where two servers are on one database."""
    url = postgres_cluster.url(postgres_cluster.create_database(template=postgres_template))
    with Database.open(url) as one, Database.open(url) as other:
        first = Stage(one, provider)
        second = Stage(other, provider, clock=first.clock)
        connection = first.connected(left_s=60)

        assert ask_at_once([first, second], connection, provider, force=force) == {provider.good_access}
    assert len(provider.asked) == 1


def test_who_connects_anew_is_not_overwritten(database: Database, provider: Provider) -> None:
    """A renewal that was under way stores nothing over what a person has given meanwhile, or the other way around."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=60)
    sent = stage.start(connection)
    query = stage.agree(sent)
    provider.hangs.clear()
    with ThreadPoolExecutor(2) as pool:
        renewed = pool.submit(stage.accounts.tokens.fresh, connection)
        assert provider.entered.acquire(timeout=PATIENCE_S)
        connected = pool.submit(stage.finish, sent, query)
        assert provider.entered.acquire(timeout=PATIENCE_S)
        provider.hangs.set()
        renewed.result(PATIENCE_S)
        connected.result(PATIENCE_S)

    values = stage.values(connection)
    assert values["oauth_refresh_token"] in provider.good_refresh


def test_a_connection_that_is_deleted_meanwhile_gets_no_token(database: Database, provider: Provider) -> None:
    """Nothing is stored for nobody."""
    stage = Stage(database, provider)
    connection = stage.connected(left_s=60)
    provider.hangs.clear()
    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(stage.accounts.tokens.fresh, connection)
        assert provider.entered.acquire(timeout=PATIENCE_S)
        database.write(lambda conn: connections.remove(conn, connection.id))
        provider.hangs.set()
        with pytest.raises(NotFound):
            renewed.result(PATIENCE_S)

    assert stage.stored(connection) == {}
