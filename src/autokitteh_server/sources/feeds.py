"""Connections whose services have to be told or asked: which ones there are, and when something is to be done for each.

They are rows in the database, so that any server may do what is due, and one that dies leaves it to the others.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Connection as Link
from autokitteh_server.core.entities import Feed
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.core.workers import Workers
from autokitteh_server.integrations.incoming import load_feed, load_gateway
from autokitteh_server.integrations.spec import TOKENS
from autokitteh_server.sources.feeding import Feeding, forget_place
from autokitteh_server.storage import connections, feeds, variables
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

#: What has changed may have been changed by another server, or by a session that subscribed, which tell nobody.
_LOOK_AGAIN_US: Final = 10_000_000

#: For so long nobody else does what a server has begun. Should it take longer, nothing bad comes of that.
_CLAIM_US: Final = 60_000_000

#: Before something that the database has kept from being done is tried again.
_RETRY_US: Final = 1_000_000

#: Services that are asked at once. A poll that waits for news takes one, too.
_AT_ONCE: Final = 32

#: Steps under way get so long to come to their ends when the server stops. Nothing bad comes of it if they do not.
_CLOSE_S: Final = 1.0


def fed_integrations() -> frozenset[str]:
    """Those for whose events something has to be done."""
    return frozenset(name for name in INTEGRATIONS if load_feed(name) is not None or load_gateway(name) is not None)


class Feeds:
    """Does what is due, in threads of its own."""

    def __init__(self, database: Database, clock: Clock, feeding: Feeding) -> None:
        self._database = database
        self._clock = clock
        self._feeding = feeding
        self._is_new = True
        self._is_stale = False
        self._has_ended = False
        self._look_at = 0
        self._worked_at = 0
        self._rest_until = 0
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._workers = Workers("feeds", _AT_ONCE)
        self._background = Background("feeds", self._work)

    def open(self) -> None:
        """Begin to work."""
        self._background.open()

    def close(self) -> None:
        """Begin nothing more. What is under way may go on for a moment, and then counts as not done."""
        self._background.close()
        self._workers.close(within_s=_CLOSE_S)

    def changed(self) -> None:
        """Look again what is to be done: connections, deployments or triggers have changed. Any thread."""
        with self._background.changed:
            self._is_stale = True
            self._background.changed.notify_all()

    def _work(self) -> None:
        background = self._background
        while not background.is_closing:
            if self._is_stale:
                self._is_stale = False
                self._look_at = 0
            self._has_ended = False  # what ends from here on may not be seen by the look that follows
            until = self._advance()
            with background.changed:
                if not (self._is_stale or self._has_ended or background.is_closing):
                    # Others may be at work: the clock of a test must not jump because of a feed alone.
                    self._clock.wait(background.changed, until_us=until, idle=False)

    def _advance(self) -> int:
        """See what there is, begin what is due; the moment of the next look."""
        now = self._clock.now_us()
        if now < self._worked_at - _LOOK_AGAIN_US:  # the clock was set back: nothing would be due for so long
            self._is_new, self._look_at = True, 0
        self._worked_at = now
        try:
            if self._is_new:  # what could not be done may be possible now: the server may have an address
                self._database.write(lambda conn: feeds.hurry(conn, None, now))
                self._is_new = False
            if now >= self._look_at:
                reconcile(self._database, self._feeding, now)
                self._look_at = now + _LOOK_AGAIN_US
            next_at = self._next_at() if self._begin(now) else None
        except ServerError as error:
            _log.error("services cannot be asked for events now, and will be later: %s", error)
            return now + _RETRY_US
        except Exception:  # whatever it is: all others must go on
            _log.exception("services cannot be asked for events now, and will be later")
            return now + _RETRY_US
        soon = [self._look_at, *([next_at] if next_at is not None else [])]
        return max(min(soon), now + _RETRY_US // 100, min(self._rest_until, now + _RETRY_US))

    def _next_at(self) -> int | None:
        """When something is due that is not being done: that has the look repeated when it ends."""
        with self._lock:
            busy = frozenset(self._busy)
        return self._database.read(lambda conn: feeds.next_at(conn, besides=busy))

    def _begin(self, now: int) -> bool:
        """Begin what is due; whether more could be begun."""
        if now < self._rest_until <= now + _RETRY_US:
            return False
        for feed in self._database.read(lambda conn: feeds.due(conn, now, limit=2 * _AT_ONCE)):
            with self._lock:
                if len(self._busy) >= _AT_ONCE:
                    return False
                if feed.connection_id in self._busy:  # it is just being claimed, or was hurried: it is due again then
                    continue
                self._busy.add(feed.connection_id)
            self._workers.submit(partial(self._step, feed, self._clock.now_us() + _CLAIM_US))
        return True

    def _step(self, feed: Feed, until: int) -> None:
        try:
            if self._database.write(lambda conn: feeds.claim(conn, feed, until)):
                self._feeding.step(feed, until)
        except ServerError as error:
            self._rest_until = self._clock.now_us() + _RETRY_US  # it is still due, if it could not even be claimed
            _log.warning("what is to be done for connection %s is not stored: %s", feed.connection_id, error)
        except Exception:
            self._rest_until = self._clock.now_us() + _RETRY_US
            _log.exception("what is to be done for connection %s has failed", feed.connection_id)
        finally:
            with self._lock:
                self._busy.discard(feed.connection_id)
            with self._background.changed:
                self._has_ended = True
                self._background.changed.notify_all()


def reconcile(database: Database, feeding: Feeding, now: int) -> None:
    """Have a feed for each connection of which somebody wants events, and for no other.

    Those whose credentials have changed since are looked at anew. Raises StorageUnavailable.
    """
    integrations = fed_integrations()

    def read(conn: Connection) -> tuple[Sequence[Link], Mapping[str, Feed], frozenset[str]]:
        wanted = connections.awaited(conn, integrations)
        known = feeds.all_of(conn)
        return wanted, known, _changed(conn, [each for each in wanted if each.id in known], known)

    wanted, known, changed = database.read(read)
    new = [each for each in wanted if each.id not in known]
    gone = known.keys() - {each.id for each in wanted}
    if not (new or gone or changed):
        return

    def write(conn: Connection) -> None:
        for each in connections.of_ids(conn, gone):
            feeds.remove(conn, each.id)
            if (plan := load_feed(each.integration)) is not None:
                forget_place(conn, feeding.lines, each.id, plan, now)
        for each in connections.of_ids(conn, [each.id for each in new]):
            is_held_open = load_feed(each.integration) is None
            feeds.add(conn, Feed(connection_id=each.id, next_at=None if is_held_open else now, changed_at=now))
        feeds.renew(conn, changed, now)

    database.write(write)


def _changed(conn: Connection, links: Sequence[Link], known: Mapping[str, Feed]) -> frozenset[str]:
    """Those whose variables have changed since: what is stored for a feed is as old as its step.

    Those that are held open look at their variables themselves.
    """
    return frozenset(
        var.owner_id
        for var in variables.of_owners(conn, [each.id for each in links if known[each.id].next_at is not None])
        if var.name not in TOKENS and var.updated_at > known[var.owner_id].worked_at > 0
    )
