"""One step for one connection's events: its service is told where to send them, asked what is new, or both.

What a service has answered is stored in one transaction: the events, with all that they start, and how far it has
come. So a crash neither loses nor repeats anything.
"""

import hashlib
import ipaddress
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from autokitteh_server.accounts import keeping
from autokitteh_server.accounts.errors import ServiceUnavailable
from autokitteh_server.accounts.lines import Lines
from autokitteh_server.core import entities
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import FeedState
from autokitteh_server.core.errors import NotFound, ServerError
from autokitteh_server.core.ids import IdSource, SlugSource
from autokitteh_server.dispatch.dispatch import dispatch_in
from autokitteh_server.dispatch.incoming import Dispatched
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.feed import Feed, Line, Registration
from autokitteh_server.integrations.forms import find_problem
from autokitteh_server.integrations.incoming import load_feed
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import Integration
from autokitteh_server.sources.deliveries import incoming_of
from autokitteh_server.storage import connections, feeds, variables
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

_S: Final = 1_000_000

#: Before something is looked at again that somebody has to change first. Whoever does has it looked at at once.
_IDLE_US: Final = 3600 * _S

#: Before a service that could be asked, but not told, is told again.
_TELL_AGAIN_US: Final = 900 * _S

#: Between what a connection has to know and telling its service. By then other servers know it, too: `known.py`.
_PREPARED_US: Final = 2 * _S

#: A service that has had nothing new is not asked again sooner.
_SHORTEST_US: Final = _S

#: The first pause after a failure; each one after that is twice as long, up to an hour.
_PAUSE_US: Final = 5 * _S


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeding:
    """Threads may share it."""

    database: Database
    lines: Lines
    intake: Intake
    clock: Clock
    new_id: IdSource
    new_slug: SlugSource
    environ: Mapping[str, str]
    public_url: str  # under which services reach the server; "": it has no such address
    variables_changed: Callable[[], None]  # to be called once that is durable by which calls of services are known

    def step(self, feed: entities.Feed, claimed_until: int) -> entities.Feed | None:
        """Do what is to be done for a connection, and store what has become of it; None if it is gone.

        Raises StorageUnavailable.
        """
        now = self.clock.now_us()
        try:
            connection, changed_at = self.database.read(lambda conn: _read(conn, feed.connection_id))
        except NotFound:
            return None
        # Variables may be from the future, by a clock that was set back since. They have not changed for all that.
        step = _Step(self, connection, replace(feed, worked_at=max(now, changed_at)), now)
        try:
            after = step.run()
        except NotFound:
            return None
        except ServiceError as error:
            is_lasting = error.intent is Intent.TERMINAL and feed.failures > 0
            message = f"{step.spec.title} {error.message}"
            after = _failed(step.feed, message, error.remedy, now, is_lasting, error.retry_after_s or 0.0)
        except ServiceUnavailable as error:
            after = _failed(step.feed, error.message, error.remedy, now, False)
        except ServerError as error:
            if error.http_status == 503:
                raise
            after = _failed(step.feed, error.message, error.remedy, now, feed.failures > 0)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # An answer of a shape that nobody foresaw. What it is about may be in the error's text.
            message = f"its service answered something that is not understood ({type(error).__name__})"
            after = _failed(step.feed, message, "", now, False)
        if after.state is not feed.state or after.message != feed.message:
            after = replace(after, changed_at=now)
            level = logging.WARNING if after.state in (FeedState.WAITING, FeedState.FAILED) else logging.INFO
            _log.log(level, "events of connection %s: %s: %s", connection.name, after.state, after.message)
        self.database.write(lambda conn: feeds.save(conn, after, claimed_until=claimed_until))
        return after


class _Step:
    """What is done for a connection at one moment."""

    line: Line

    def __init__(self, feeding: Feeding, connection: entities.Connection, feed: entities.Feed, now: int) -> None:
        plan = load_feed(connection.integration)
        assert plan is not None
        self.plan: Feed = plan
        self.spec: Integration = load_integration(connection.integration)
        self.feeding = feeding
        self.connection = connection
        self.feed = feed
        self.now = now

    def run(self) -> entities.Feed:
        """What has become of the feed. Raises what services and `Lines.open` do."""
        lines, plan = self.feeding.lines, self.plan
        # A token that was refused just now may have been taken back: the next one may not.
        values, http = lines.open(self.connection, self.spec, force=self.feed.failures == 1)
        if problem := find_problem(self.spec, values):
            return _off(self.feed, f"{problem.message}. {problem.remedy}", self.now)
        if why := plan.why_not(values):
            return _off(self.feed, why, self.now)
        about = _digest([values.get(name, "") for name in plan.about])
        if self.feed.about != about:
            if self.feed.about:  # how far it had come with another calendar means nothing
                self.feeding.database.write(lambda conn: forget_place(conn, lines, self.connection.id, plan, self.now))
                values = {name: value for name, value in values.items() if name not in plan.keeps}
            self.feed = replace(self.feed, about=about, polled_at=0)
        self.line = Line(
            connection_id=self.connection.id,
            variables=values,
            http=http,
            public_url=self.feeding.public_url,
            environ=self.feeding.environ,
            now=self.now,
            new_secret=self.feeding.new_slug,
        )
        return self._tell_or_ask()

    def _tell_or_ask(self) -> entities.Feed:
        why_untold = self._why_untold()
        trouble = ""
        if not why_untold and self.plan.register is not None and self._must_tell():
            if prepared := self.plan.prepare(self.line):
                self._keep(prepared)
                message = "its service is about to be told where to send them"
                return _good(self.feed, FeedState.STARTING, message, self.feeding.clock.now_us() + _PREPARED_US)
            try:
                self._register(self.plan.register)
            except ServiceError as error:
                if self.plan.poll is None:
                    raise
                trouble = f"{self.spec.title} {error.message}"
                self.feed = replace(self.feed, registered_url="", renew_at=self.now + _TELL_AGAIN_US)
        if why_untold:
            self.feed = replace(self.feed, registered_url="", renew_at=None)
        if self.feed.registered_url:
            return self._pushed()
        if self.plan.poll is None:
            return _off(self.feed, why_untold, self.now)
        why = trouble or why_untold or "it could not be told where to send them"
        return self._polled(self.plan.poll_every_s, FeedState.POLLED, f"{_often(self.plan)}: {why}")

    def _pushed(self) -> entities.Feed:
        message = "its service sends them"
        if self.plan.poll is not None and self.plan.poll_anyway_s is not None:
            after = self._polled(self.plan.poll_anyway_s, FeedState.PUSHED, message)
        else:
            after = _good(self.feed, FeedState.PUSHED, message, self.now + _IDLE_US)
        if after.renew_at is None or after.next_at is None:
            return after
        return replace(after, next_at=min(after.next_at, max(after.renew_at, self.now + _PAUSE_US)))

    def _polled(self, every_s: float, state: FeedState, message: str) -> entities.Feed:
        assert self.plan.poll is not None
        news = self.plan.poll(self.line, self.feed.polled_at)
        # A service that was to wait until there is something may not have done so.
        at_least = self.now + (0 if news.events or news.has_more else _SHORTEST_US)
        # While it failed, nobody could have it hurry: something may have become new since it answered.
        pause = 0 if news.has_more or self.feed.failures else int(every_s * _S)
        next_at = max(at_least, self.feeding.clock.now_us() + pause)
        after = _good(replace(self.feed, polled_at=self.now), state, message, next_at)
        incoming = [
            incoming_of(self.feeding.new_id, self.connection.id, found, received_at=self.now) for found in news.events
        ]

        def write(conn: Connection) -> Sequence[Dispatched] | None:
            if not self._is_place_kept(conn):
                return None
            self._save(conn, news.variables)
            return dispatch_in(conn, self.feeding.new_id, incoming) if incoming else []

        crash_point("feed.before_commit")
        results = self.feeding.database.write(write)
        crash_point("feed.after_commit")
        if results is None:  # another server has asked, too, and was faster
            return replace(after, polled_at=self.feed.polled_at, next_at=self.now)
        self.feeding.intake.announce(results)
        for result in results:
            self.feeding.intake.count("connection", result)
        return after

    def _register(self, register: Callable[[Line], Registration]) -> None:
        told = register(self.line)
        new = {
            name: value
            for name, value in told.variables.items()
            if not value or name not in self.plan.keeps or not self.line.variables.get(name)
        }
        self.feed = replace(self.feed, registered_url=self.feeding.public_url, renew_at=told.renew_at)
        values = {name: value for name, value in {**self.line.variables, **new}.items() if value}

        self._keep(new)
        self.line = replace(self.line, variables=values)

    def _keep(self, variables: Mapping[str, str]) -> None:
        """Store what the service's calls are known by, before it calls."""

        def write(conn: Connection) -> None:
            self._save(conn, variables)
            feeds.save(conn, self.feed, claimed_until=None)

        self.feeding.database.write(write)
        self.feeding.variables_changed()

    def _must_tell(self) -> bool:
        feed = self.feed
        if feed.renew_at is not None and self.now >= feed.renew_at:
            return True
        if not feed.registered_url:
            return feed.renew_at is None  # otherwise it could not be told, and is told again then
        return feed.registered_url != self.feeding.public_url

    def _why_untold(self) -> str:
        """Why the service cannot be told where to send events; "": it can."""
        if self.plan.register is None:
            return "it cannot be told where to send them"
        url = self.feeding.public_url
        if not url or _is_local(url) or (self.plan.needs_https and not url.startswith("https://")):
            return "the server has no public address (`ak up --tunnel-url`)"
        missing = [name for name in self.plan.needs if not self.feeding.environ.get(name)]
        return f"the server's {missing[0]} is not set" if missing else ""

    def _is_place_kept(self, conn: Connection) -> bool:
        """Whether it is still as far as it was when the service was asked."""
        present = keeping.load(conn, self.feeding.lines.box, self.connection.id).values
        return all(present.get(name, "") == self.line.variables.get(name, "") for name in self.plan.keeps)

    def _save(self, conn: Connection, values: Mapping[str, str]) -> None:
        """Store variables of the connection. Raises NotFound if it was removed meanwhile: nobody would remove them."""
        connections.get(conn, self.connection.id)
        secret = self.spec.secret_variables
        keeping.save(conn, self.feeding.lines.box, self.connection.id, values, now=self.now, secret=secret)


def forget_place(conn: Connection, lines: Lines, connection_id: str, plan: Feed, now: int) -> None:
    """Have a connection begin anew: what has happened until then is not asked for."""
    keeping.save(conn, lines.box, connection_id, dict.fromkeys(plan.keeps, ""), now=now)


def _read(conn: Connection, connection_id: str) -> tuple[entities.Connection, int]:
    """A connection, and when its variables have changed last. Raises NotFound."""
    owned = variables.of_owners(conn, [connection_id])
    return connections.get(conn, connection_id), max((var.updated_at for var in owned), default=0)


def _good(feed: entities.Feed, state: FeedState, message: str, next_at: int) -> entities.Feed:
    return replace(feed, state=state, message=message, next_at=next_at, failures=0)


def _off(feed: entities.Feed, why: str, now: int) -> entities.Feed:
    return _good(replace(feed, registered_url="", renew_at=None), FeedState.OFF, why, now + _IDLE_US)


def _failed(
    feed: entities.Feed, message: str, remedy: str, now: int, is_lasting: bool, at_least_s: float = 0.0
) -> entities.Feed:
    pause = min(_IDLE_US, max(_PAUSE_US << min(feed.failures, 10), int(at_least_s * _S)))
    return replace(
        feed,
        state=FeedState.FAILED if is_lasting else FeedState.WAITING,
        message=f"{message}. {remedy}" if remedy else message,
        failures=feed.failures + 1,
        next_at=now + (_IDLE_US if is_lasting else pause),
    )


def _digest(values: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(values).encode()).hexdigest()


def _often(plan: Feed) -> str:
    return f"its service is asked {f'every {plan.poll_every_s:g} s' if plan.poll_every_s else 'all the time'}"


def _is_local(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
