"""Connections to services that are held open: one for each token, by one of the servers, in one event loop.

Who holds one says so every few seconds in the database. When a server has not said so for a while, another one takes
over; one that cannot say so lets go before that.
"""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from autokitteh_server.accounts import keeping
from autokitteh_server.accounts.errors import NotConnected, TokenRefused
from autokitteh_server.accounts.lines import Lines
from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Connection as Link
from autokitteh_server.core.entities import FeedState
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.integrations.forms import find_problem
from autokitteh_server.integrations.gateway import Gateway, GatewayRefused, GatewayState
from autokitteh_server.integrations.incoming import load_gateway, load_webhook
from autokitteh_server.integrations.matching import CONNECTION_ID
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import TOKENS
from autokitteh_server.integrations.webhook import Found, is_for
from autokitteh_server.secretbox.box import CannotOpen
from autokitteh_server.sources.deliveries import incoming_of
from autokitteh_server.storage import connections, feeds, leases
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

_LEASE_US: Final = 30_000_000

#: How often it is said again, and looked whether there are others to be held.
_ROUND_S: Final = 5.0

#: A gateway that ended though it never should is opened again after this.
_AGAIN_S: Final = 60.0

#: So many tokens are asked for at once.
_ASKING: Final = 4

_STATES: Final = {
    GatewayState.CONNECTING: FeedState.STARTING,
    GatewayState.OPEN: FeedState.OPEN,
    GatewayState.WAITING: FeedState.WAITING,
    GatewayState.FAILED: FeedState.FAILED,
}

_Standing = tuple[FeedState, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A gateway that somebody wants events of."""

    gateway: Gateway
    links: Mapping[str, Mapping[str, str]] = field(repr=False)  # connections with the token: their variables, by id

    @property
    def variables(self) -> Mapping[str, str]:
        """Those that it is opened with."""
        return self.links[min(self.links)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there was to be held at one moment."""

    wanted: Mapping[str, Wanted]  # by names that tell nothing of the token
    without: Mapping[str, _Standing]  # connections that have no gateway, by id, and why
    noted: Mapping[str, _Standing]  # how each connection is said to stand


class Gateways:
    """Keeps them, in a thread of its own."""

    def __init__(
        self, database: Database, lines: Lines, intake: Intake, clock: Clock, new_id: IdSource, *, holder: str
    ) -> None:
        """`holder`: what no other server on the database is called."""
        self._database = database
        self._lines = lines
        self._intake = intake
        self._clock = clock
        self._new_id = new_id
        self._holder = holder
        # Apart from the loop's own threads: services that hang must not keep us from saying what we hold.
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="gateway-token")
        self._held: dict[str, _Held] = {}
        self._until = 0  # until when they are ours
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._background = Background("gateways", lambda: asyncio.run(self._work()))

    def open(self) -> None:
        """Begin to hold what there is."""
        self._background.open()

    def close(self) -> None:
        """Let go of all of them. Returns when that is done."""
        with self._background.changed:
            self._background.is_closing = True
        self.changed()
        self._background.close()
        self._asking.shutdown(cancel_futures=True)

    def changed(self) -> None:
        """Look again what is to be held. Any thread."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _work(self) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
        try:
            while not self._background.is_closing:
                self._wake.clear()
                try:
                    await self._advance()
                except Exception:  # whatever it is: those that are open stay open, and the next round may do better
                    _log.exception("connections to services cannot be looked after now")
                try:
                    await asyncio.wait_for(self._wake.wait(), _ROUND_S)
                except TimeoutError:
                    pass
        finally:
            with self._lock:
                self._loop = None
            places = {name: held.place for name, held in self._held.items()}
            await self._let_go(list(self._held))

            def write(conn: Connection) -> None:
                self._keep_places(conn, places)
                leases.release(conn, self._holder, now=self._clock.now_us())

            try:
                await asyncio.to_thread(self._database.write, write)
            except ServerError as error:
                _log.warning("other servers have to wait for what this one held open: %s", error)

    async def _advance(self) -> None:
        """One round: see what there is, say what is ours, open and close."""
        try:
            seen = await asyncio.to_thread(self._see)
            ours = await asyncio.to_thread(self._take, list(seen.wanted)) if seen.wanted else {}
        except ServerError as error:
            _log.error("connections to services cannot be looked after now: %s", error)
            if self._clock.now_us() > self._until - _LEASE_US // 3:
                await self._let_go(list(self._held))
            return
        await self._let_go([name for name, held in self._held.items() if not held.is_still(seen.wanted.get(name))])
        await self._let_go([name for name in self._held if name not in ours])
        for name, place in ours.items():
            wanted = seen.wanted[name]
            if name in self._held:
                self._held[name].wanted = wanted
            else:
                self._held[name] = held = _Held(self, wanted, place)
                held.task = asyncio.create_task(held.run(), name=f"gateway {name}")
        await self._note(seen)

    def _see(self) -> Seen:
        integrations = [name for name in INTEGRATIONS if load_gateway(name) is not None]
        return self._database.read(lambda conn: self._look(conn, connections.awaited(conn, integrations)))

    def _look(self, conn: Connection, links: Sequence[Link]) -> Seen:
        found: dict[str, tuple[Gateway, dict[str, Mapping[str, str]]]] = {}
        without: dict[str, _Standing] = {}
        for link in links:
            gateway = load_gateway(link.integration)
            assert gateway is not None
            try:
                values = keeping.load(conn, self._lines.box, link.id).values
            except CannotOpen as error:
                without[link.id] = FeedState.FAILED, error.message
                continue
            problem = find_problem(load_integration(link.integration), values)
            token = gateway.token(values)
            if problem is not None:
                without[link.id] = FeedState.OFF, f"{problem.message}. {problem.remedy}"
            elif token:
                name = f"{link.integration} {hashlib.sha256(token.encode()).hexdigest()[:32]}"
                found.setdefault(name, (gateway, {}))[1][link.id] = {**values, CONNECTION_ID: link.id}
            elif load_webhook(link.integration) is not None:
                without[link.id] = FeedState.PUSHED, "its service sends them"
        rows = feeds.of_connections(conn, [link.id for link in links])
        noted = {each.connection_id: (each.state, each.message) for each in rows.values()}
        wanted = {name: Wanted(gateway=gateway, links=links) for name, (gateway, links) in found.items()}
        return Seen(wanted=wanted, without=without, noted=noted)

    def _take(self, names: Sequence[str]) -> Mapping[str, str]:
        """Those of the gateways that are this server's, for a while, and where each has left off."""
        now = self._clock.now_us()
        until = now + _LEASE_US
        places = {name: held.place for name, held in list(self._held.items())}

        def write(conn: Connection) -> Mapping[str, str]:
            ours = [name for name in names if leases.take(conn, name, self._holder, until=until, now=now)]
            self._keep_places(conn, places)
            return leases.places(conn, ours)

        ours = self._database.write(write)
        self._until = until
        return ours

    def _keep_places(self, conn: Connection, places: Mapping[str, str]) -> None:
        for name, place in places.items():
            leases.keep_place(conn, name, self._holder, place)

    async def _let_go(self, names: Sequence[str]) -> None:
        tasks = [self._held.pop(name).task for name in names]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    async def _note(self, seen: Seen) -> None:
        """Store how they stand, where that is not what is said of them."""
        standing = dict(seen.without)
        for held in self._held.values():
            standing |= dict.fromkeys(held.wanted.links, held.standing)
        new = {each: now for each, now in standing.items() if each in seen.noted and seen.noted[each] != now}
        if not new:
            return

        def write(conn: Connection) -> None:
            for connection_id, (state, message) in new.items():
                feeds.note(conn, connection_id, state, message, self._clock.now_us())

        try:
            await asyncio.to_thread(self._database.write, write)
        except ServerError as error:
            _log.warning("how connections to services stand is not stored: %s", error)

    async def fresh(self, wanted: Wanted, *, is_refused: bool) -> Mapping[str, str]:
        """The variables of the first of the connections that has a good token.

        `is_refused`: the tokens that they have are not. Raises GatewayRefused if somebody has to mend all of them,
        and ServerError.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._asking, partial(self._fresh, sorted(wanted.links), is_refused))

    def _fresh(self, connection_ids: Sequence[str], is_refused: bool) -> Mapping[str, str]:
        """In a thread: it may wait for the service."""
        lasting: list[ServerError] = []
        passing: list[ServerError] = []
        for connection_id in connection_ids:
            try:
                return self._open(connection_id, force=is_refused)
            except (NotConnected, CannotOpen) as error:
                lasting.append(error)
            except TokenRefused as error:
                (lasting if error.is_lasting else passing).append(error)
            except ServerError as error:
                passing.append(error)
        if passing:
            raise passing[0]
        raise GatewayRefused(f"{lasting[0].message}. {lasting[0].remedy}".strip())

    def _open(self, connection_id: str, *, force: bool) -> Mapping[str, str]:
        link = self._database.read(lambda conn: connections.get(conn, connection_id))
        values, _ = self._lines.open(link, load_integration(link.integration), force=force)
        return {**values, CONNECTION_ID: connection_id}

    async def submit(self, wanted: Wanted, events: Sequence[Found]) -> None:
        """Have events dispatched to those connections with the token that they are for. Raises ServerError."""
        now = self._clock.now_us()
        pending = [
            self._intake.submit(incoming_of(self._new_id, owner, event, received_at=now))
            for event in events
            for owner, values in wanted.links.items()
            if is_for(event, _with_unknown(values, event))
        ]
        await asyncio.gather(*map(asyncio.wrap_future, pending))

    def stands_otherwise(self) -> None:
        """How one stands is to be stored. In the event loop."""
        self._wake.set()


def _with_unknown(values: Mapping[str, str], event: Found) -> Mapping[str, str]:
    """A connection's variables, with what it does not say taken from an event: its token says that it is meant."""
    told = {name: value for match in event.match for name, value in match.values.items()}
    return {**told, **{name: value for name, value in values.items() if value}}


def _lasting(values: Mapping[str, str]) -> Mapping[str, str]:
    """Variables without those that the server itself renews."""
    return {name: value for name, value in values.items() if name not in TOKENS}


class _Held:
    """A gateway that is held open. It is the listener of its gateway."""

    def __init__(self, gateways: Gateways, wanted: Wanted, place: str) -> None:
        self._gateways = gateways
        self._opened_with = wanted.variables
        self.wanted = wanted
        self.place = place
        self.standing: _Standing = FeedState.STARTING, ""
        self.task: asyncio.Task[None] | None = None

    def is_still(self, wanted: Wanted | None) -> bool:
        """Whether what is wanted now is what is held."""
        if wanted is None:
            return False
        if not wanted.gateway.asks_for_tokens:
            return wanted.variables == self._opened_with
        if self.standing[0] is FeedState.FAILED:
            return wanted.links == self.wanted.links  # somebody may have connected one of them anew
        return _lasting(wanted.variables) == _lasting(self._opened_with)

    async def run(self) -> None:
        """Hold it until this is cancelled. One that is refused is left alone until its connections change."""
        while True:
            try:
                await self.wanted.gateway.run(self._opened_with, self)
            except GatewayRefused as error:
                self.stands(GatewayState.FAILED, str(error))
                await asyncio.Event().wait()
            except Exception as error:
                _log.exception("a connection to a service has ended")
                self.stands(GatewayState.WAITING, f"it has ended ({type(error).__name__}), and is opened again")
            await asyncio.sleep(_AGAIN_S)

    async def variables(self, *, is_refused: bool = False) -> Mapping[str, str]:
        return await self._gateways.fresh(self.wanted, is_refused=is_refused)

    async def deliver(self, events: Sequence[Found]) -> None:
        await self._gateways.submit(self.wanted, events)

    def keep(self, place: str) -> None:
        self.place = place

    def stands(self, state: GatewayState, message: str) -> None:
        new = _STATES[state], message
        if new != self.standing:
            self.standing = new
            level = logging.WARNING if state in (GatewayState.WAITING, GatewayState.FAILED) else logging.INFO
            _log.log(level, "the gateway of %s: %s: %s", ", ".join(self.wanted.links), state, message)
            self._gateways.stands_otherwise()
