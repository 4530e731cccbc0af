"""Connections to services that a server holds open: one for each token, whoever wants events of it, whoever has it."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from accounts.provider import CLIENT_ID, CLIENT_SECRET, Provider, providing
from autokitteh_server.accounts.accounts import open_accounts
from autokitteh_server.accounts.lines import Lines
from autokitteh_server.accounts.refresh import NEW_US
from autokitteh_server.core.clock import VirtualClock, system_slug
from autokitteh_server.core.entities import FeedState
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.operations import connecting, connections, deployments, variables
from autokitteh_server.operations.listening import Events
from autokitteh_server.sources.gateways import Gateways
from autokitteh_server.storage import leases
from gateways import Changes
from gateways import serving as serving_service
from served import ECHO, PROJECT, Served, serving
from unit.integrations.slack_service import APP_TOKEN, BOT_TOKEN, Slack
from unit.integrations.test_gateway_salesforce import ORGANIZATION, USER, Salesforce

PATIENCE_S = 30.0


StandIn = TypeVar("StandIn", Slack, Salesforce)


class Around(Generic[StandIn]):
    """A service, in a loop of its own."""

    def __init__(self, make: Callable[[Changes], StandIn]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="service")
        self._thread.start()
        self._stop = asyncio.Event()
        self.changes = Changes()
        self.service = make(self.changes)
        is_up = threading.Event()
        self._serving = asyncio.run_coroutine_threadsafe(self._serve(is_up), self._loop)
        assert is_up.wait(PATIENCE_S)

    async def _serve(self, is_up: threading.Event) -> None:
        async with serving_service(self.service.app) as self.service.address:
            is_up.set()
            await self._stop.wait()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have something done at the service."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something has come of what a server did."""
        self.do(self.changes.until(holds))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._serving.result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Town(Around[Slack]):
    """Slack."""

    def __init__(self) -> None:
        super().__init__(Slack)
        self.slack = self.service

    def open_sockets(self) -> int:
        return sum(not each.closed for each in self.slack.sockets)


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    try:
        yield town
    finally:
        town.close()


@pytest.fixture
def salesforce() -> Iterator[Around[Salesforce]]:
    around = Around(Salesforce)
    try:
        yield around
    finally:
        around.close()


def connect(served: Served, town: Town, **values: str) -> str:
    usual = {"auth_type": "socketMode", "private_app_token": APP_TOKEN, "private_bot_token": BOT_TOKEN}
    return served.connect("slack", {**usual, "base_url": town.slack.base_url, **values})


def shown(served: Served, connection_id: str, state: FeedState) -> Events:
    """How a connection's events are said to come in, once that is so."""
    tick = threading.Event()
    for _ in range(int(PATIENCE_S * 100)):
        events = connecting.get(served.services, connection_id).events
        if events is not None and events.state is state and events.since is not None:
            return events
        tick.wait(0.01)
    raise AssertionError(f"it is {events}")


@contextmanager
def other_server(served: Served, holder: str = "another", lines: Lines | None = None) -> Iterator[Gateways]:
    """What another server on the same database would hold."""
    app, server = served.app, served.app.server
    lines = lines or app.service_events.feeding.lines
    gateways = Gateways(server.database, lines, app.intake, server.clock, server.new_id, holder=holder)
    gateways.open()
    try:
        yield gateways
    finally:
        gateways.close()


def test_what_comes_over_a_socket_starts_sessions(tmp_path: Path, town: Town) -> None:
    """As it would if it were posted; Slack hears that it was taken, and the connection says how it stands."""
    with serving(tmp_path) as served:
        connection_id = connect(served, town, team_id="T01")
        town.until(lambda: town.slack.sockets)
        town.do(town.slack.send_events(1, 21))
        results = served.wait_all(20)
        town.until(lambda: not town.slack.unanswered)
        assert [each.session.result["data"]["text"] for each in results] == [f"no. {n}" for n in range(1, 21)]
        assert results[0].session.result["data"]["thread_ts"] == ""
        assert "connected to Slack" in shown(served, connection_id, FeedState.OPEN).message
        town.do(town.slack.send_events(1, 3))  # again, as after an answer that was lost
        town.until(lambda: not town.slack.unanswered)
        assert len(served.sessions()) == 20
    assert town.open_sockets() == 0


def test_events_of_another_team_are_not_for_it(tmp_path: Path, town: Town) -> None:
    with serving(tmp_path) as served:
        connect(served, town, team_id="T02")
        town.until(lambda: town.slack.sockets)
        town.do(town.slack.send_events(1, 2))
        town.until(lambda: not town.slack.unanswered)
        assert served.events() == []


def test_there_is_one_socket_for_each_token(tmp_path: Path, town: Town) -> None:
    """Two connections share it, and each gets its events."""
    with serving(tmp_path) as served:
        first = connect(served, town)
        second = connections.create(served.services, PROJECT, "second", "slack").id
        for var in variables.list_all(served.services, first, reveal=True):
            variables.set_value(served.services, second, var.name, var.value)
        served.deploy(ECHO, served.trigger_of("second", second))
        shown(served, first, FeedState.OPEN)
        shown(served, second, FeedState.OPEN)
        town.do(town.slack.send_events(1, 2))
        assert len({each.session.trigger_id for each in served.wait_all(2)}) == 2
        assert town.open_sockets() == 1


def test_it_is_let_go_when_nobody_wants_it(tmp_path: Path, town: Town) -> None:
    with serving(tmp_path) as served:
        connection_id = connect(served, town)
        shown(served, connection_id, FeedState.OPEN)
        deployments.deactivate(served.services, PROJECT)
        town.until(lambda: not town.open_sockets())
        events = connecting.get(served.services, connection_id).events
        assert events is not None and events.state in (FeedState.OFF, FeedState.OPEN)  # until it is noted


def test_a_token_that_is_refused_waits_for_another(tmp_path: Path, town: Town) -> None:
    with serving(tmp_path) as served:
        connection_id = connect(served, town, private_app_token="xapp-wrong")
        assert "invalid_auth" in shown(served, connection_id, FeedState.FAILED).message
        assert town.slack.opens == 1
        variables.set_value(served.services, connection_id, "private_app_token", APP_TOKEN)
        shown(served, connection_id, FeedState.OPEN)


def test_what_lacks_a_token_says_so(tmp_path: Path, town: Town) -> None:
    with serving(tmp_path) as served:
        connection_id = connect(served, town, private_bot_token="")
        assert "lacks bot_token" in shown(served, connection_id, FeedState.OFF).message


def test_of_two_servers_one_has_it_until_it_dies(tmp_path: Path, town: Town) -> None:
    """The other one takes it over once nothing was heard of the first for a while."""
    clock = VirtualClock(1_764_000_000_000_000)
    with serving(tmp_path, clock=clock) as served:
        # Somebody has it who is not there any more.
        dead_until = clock.now_us() + 30_000_000
        name = f"slack {hashlib.sha256(APP_TOKEN.encode()).hexdigest()[:32]}"
        served.database.write(lambda conn: leases.take(conn, name, "dead", until=dead_until, now=clock.now_us()))
        connect(served, town)
        with other_server(served) as other:
            served.app.service_events.gateways.changed()
            other.changed()
            assert town.slack.opens == 0
            clock.reach(dead_until)
            served.app.service_events.gateways.changed()
            other.changed()
            town.until(lambda: town.slack.sockets)
            for _ in range(3):
                served.app.service_events.gateways.changed()
                other.changed()
            town.do(town.slack.send_events(1, 6))
            served.wait_all(5)
            assert town.slack.opens == 1
        # Whoever had it has let go, or has it still.
        served.app.service_events.gateways.changed()
        town.until(lambda: town.open_sockets() == 1)
        town.do(town.slack.send_events(6, 8))
        served.wait_all(7)


def test_where_a_gateway_was_is_there_for_the_next(tmp_path: Path) -> None:
    """Also for another server, and after a crash; not for ever."""
    clock = VirtualClock(1_764_000_000_000_000)
    now = clock.now_us()
    with serving(tmp_path, clock=clock) as served:
        database = served.database
        assert database.write(lambda conn: leases.take(conn, "discord x", "one", until=now + 30, now=now))
        database.write(lambda conn: leases.keep_place(conn, "discord x", "one", "here"))
        database.write(lambda conn: leases.keep_place(conn, "discord x", "two", "nowhere"))
        assert not database.write(lambda conn: leases.take(conn, "discord x", "two", until=now + 40, now=now + 29))
        assert database.write(lambda conn: leases.take(conn, "discord x", "two", until=now + 40, now=now + 30))
        assert database.read(lambda conn: leases.places(conn, ["discord x"])) == {"discord x": "here"}
        assert not database.write(lambda conn: leases.take(conn, "discord x", "one", until=now + 50, now=now + 31))
        clock.reach(now + 8 * 24 * 3600 * 1_000_000)
        assert served.app.sweeper.sweep_now().leases == 1  # type: ignore[union-attr]
        assert database.read(lambda conn: leases.places(conn, ["discord x"])) == {}


def lines_of(served: Served, provider: Provider, told: list[str]) -> Lines:
    """Ways to services, with tokens that the tests' provider gives. `told`: how connections stand then."""
    services = served.services
    spec = load_integration("salesforce")
    auth = tuple(
        replace(each, oauth=replace(each.oauth, token_url=f"{provider.url}/token")) for each in spec.auth if each.oauth
    )
    accounts = open_accounts(
        database=served.database,
        box=services.keyring.box,
        clock=services.clock,
        new_slug=system_slug,
        environ={},
        public_url="",
        find_integration=lambda _: replace(spec, auth=auth),
        mark=lambda connection_id, code, message: told.append(message),
    )
    return replace(served.app.service_events.feeding.lines, tokens=accounts.tokens)


def connect_to(served: Served, salesforce: Around[Salesforce], provider: Provider, number: int = 0) -> str:
    """A connection with a token that is good for ever, as Salesforce says, and one to renew it with."""
    refresh = f"s3cr3t-refresh-{number}"
    provider.good_refresh.add(refresh)
    values = {
        "auth_type": "oauthPrivate",
        "private_client_id": CLIENT_ID,
        "private_client_secret": CLIENT_SECRET,
        "oauth_access_token": f"s3cr3t-access-{number}",
        "oauth_refresh_token": refresh,
        "instance_url": salesforce.service.address,
        "organization_id": ORGANIZATION,
        "user_id": USER,
    }
    return served.connect("salesforce", values, name=f"conn_{number}", project=f"program_{number}")


def is_polled(salesforce: Around[Salesforce], token: str) -> Callable[[], bool]:
    return lambda: salesforce.service.polling and salesforce.service.authorizations[-1] == f"Bearer {token}"


def publish(salesforce: Around[Salesforce], first: int, last: int) -> None:
    async def happen() -> None:
        salesforce.service.publish_numbers(first, last)

    salesforce.do(happen())


def test_a_token_that_is_refused_is_renewed(tmp_path: Path, salesforce: Around[Salesforce]) -> None:
    """Once, and stored; events go on where they were, and the gateway is not opened anew for it."""
    clock = VirtualClock(1_764_000_000_000_000)
    with serving(tmp_path, clock=clock) as served, providing(lasts_s=0) as provider:
        told: list[str] = []
        served.app.service_events.gateways.close()
        connection_id = connect_to(served, salesforce, provider)
        clock.reach(clock.now_us() + 2 * NEW_US)
        salesforce.service.good_tokens = {"s3cr3t-access-0"}
        with other_server(served, lines=lines_of(served, provider, told)):
            salesforce.until(is_polled(salesforce, "s3cr3t-access-0"))
            publish(salesforce, 0, 3)
            served.wait_all(3)
            salesforce.service.good_tokens = {"s3cr3t-access-2"}  # the provider has counted a token to renew with
            publish(salesforce, 3, 5)
            served.wait_until(lambda: len(served.sessions()) >= 5)
            salesforce.until(is_polled(salesforce, "s3cr3t-access-2"))
            publish(salesforce, 5, 6)
            results = served.wait_all(6)

            told_of = {each.session.result["data"]["Description"] for each in results}
            assert told_of == {f"no. {n}" for n in range(6)}  # the clock stands still, and so their ids have no order
            assert "connected" in shown(served, connection_id, FeedState.OPEN).message
            # Once another connection has a part in it, it was seen that this one has another token.
            shown(served, connect_to(served, salesforce, provider, 1), FeedState.OPEN)
            assert len(provider.asked) == 1
            assert len(salesforce.service.asked_for("/meta/handshake")) == 2
            found = variables.list_all(served.services, connection_id, reveal=True)
            assert {var.name: var.value for var in found}["oauth_access_token"] == "s3cr3t-access-2"


def test_a_token_that_cannot_be_renewed_is_for_somebody_to_mend(tmp_path: Path, salesforce: Around[Salesforce]) -> None:
    """The service is left alone until they have; then it goes on."""
    clock = VirtualClock(1_764_000_000_000_000)
    with serving(tmp_path, clock=clock) as served, providing(lasts_s=0) as provider:
        told: list[str] = []
        served.app.service_events.gateways.close()
        connection_id = connect_to(served, salesforce, provider)
        clock.reach(clock.now_us() + 2 * NEW_US)
        provider.revoke()
        salesforce.service.good_tokens = set()
        with other_server(served, lines=lines_of(served, provider, told)) as gateways:
            message = shown(served, connection_id, FeedState.FAILED).message
            assert "s3cr3t" not in message
            assert told
            gateways.changed()
            salesforce.service.good_tokens = {"s3cr3t-access-9"}
            variables.set_value(served.services, connection_id, "oauth_access_token", "s3cr3t-access-9")
            gateways.changed()
            shown(served, connection_id, FeedState.OPEN)
            assert len(provider.asked) == 1
            assert len(salesforce.service.asked_for("/meta/handshake")) == 2


def test_of_two_connections_one_that_lets_in_is_enough(tmp_path: Path, salesforce: Around[Salesforce]) -> None:
    """Of the same user, whose oldest token Salesforce takes back when there are many."""
    clock = VirtualClock(1_764_000_000_000_000)
    with serving(tmp_path, clock=clock) as served, providing(lasts_s=0) as provider:
        told: list[str] = []
        served.app.service_events.gateways.close()
        first = connect_to(served, salesforce, provider, 0)
        second = connect_to(served, salesforce, provider, 1)
        clock.reach(clock.now_us() + 2 * NEW_US)
        provider.good_refresh.discard("s3cr3t-refresh-0")
        salesforce.service.good_tokens = {"s3cr3t-access-2", "s3cr3t-access-4"}
        with other_server(served, lines=lines_of(served, provider, told)):
            shown(served, first, FeedState.OPEN)
            shown(served, second, FeedState.OPEN)
            publish(salesforce, 0, 1)
            assert len({each.session.trigger_id for each in served.wait_all(2)}) == 2
            assert len(salesforce.service.clients) == 1
