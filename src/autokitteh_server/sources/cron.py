"""Schedules: each tick is taken in the transaction that stores its event and starts its session."""

import logging
from typing import Final

from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Trigger
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.schedules import ScheduleError, parse_schedule
from autokitteh_server.dispatch.dispatch import dispatch_in
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.storage import deployments, triggers
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

#: The schedules may be changed by another server, too, which tells nobody.
_LOOK_AGAIN_US: Final = 60_000_000

#: Time before a tick that failed for a reason of the server's own is tried again.
_RETRY_US: Final = 1_000_000

#: Ticks taken in one transaction.
_BATCH: Final = 100


class Cron:
    """Lets schedules fire, in a thread of its own."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, intake: Intake) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._intake = intake
        self._is_stale = False
        self._background = Background("cron", self._work)

    def open(self) -> None:
        """Begin to fire."""
        self._background.open()

    def close(self) -> None:
        """Fire no more. Returns when the thread has ended."""
        self._background.close()

    def schedules_changed(self) -> None:
        """Look again when the next tick is. Any thread."""
        with self._background.changed:
            self._is_stale = True
            self._background.changed.notify_all()

    def _work(self) -> None:
        background = self._background
        while not background.is_closing:
            self._is_stale = False
            until = self.fire_due()
            with background.changed:
                if not (self._is_stale or background.is_closing):
                    # Others may be at work: the clock of a test must not jump because of a schedule alone.
                    self._clock.wait(background.changed, until_us=until, idle=False)

    def fire_due(self) -> int:
        """Fire all that is due; the moment of the next look. What its thread does over and over."""
        now = self._clock.now_us()
        try:
            while self._fire(now):
                pass
            next_at = self._database.read(triggers.next_tick_at)
        except ServerError as err:
            _log.error("schedules cannot fire, and will be tried again: %s", err)
            return now + _RETRY_US
        except Exception:  # whatever it is: the other schedules must go on
            _log.exception("schedules cannot fire, and will be tried again")
            return now + _RETRY_US
        return min(now + _LOOK_AGAIN_US, next_at if next_at is not None else now + _LOOK_AGAIN_US)

    def _fire(self, now: int) -> bool:
        """Fire a batch of what is due; whether there was something."""

        def fire(conn: Connection) -> tuple[bool, list[Dispatched]]:
            due = triggers.due(conn, now, limit=_BATCH)
            deployed = deployments.active_of(conn, {trigger.project_id for trigger, _ in due})
            taken = [
                trigger for trigger, at in due if triggers.claim_tick(conn, trigger.id, at, next_tick_at(trigger, now))
            ]
            ticks = [self._tick(trigger.id, now) for trigger in taken if trigger.project_id in deployed]
            return bool(due), dispatch_in(conn, self._new_id, ticks) if ticks else []

        is_some, results = self._database.write(fire)
        self._intake.announce(results)
        for result in results:
            self._intake.count("schedule", result)
        return is_some

    def _tick(self, trigger_id: str, now: int) -> Incoming:
        return Incoming(
            event_id=self._new_id("evt"),
            source_id=trigger_id,
            event_type="tick",
            data={},
            received_at=now,
            kind="schedule",
        )


def next_tick_at(trigger: Trigger, now: int) -> int | None:
    """When a schedule fires next, after now: ticks that were missed are not made up for one by one.

    The one that is due fires late, though: after a downtime there is one tick.
    """
    try:
        schedule = parse_schedule(trigger.schedule, trigger.timezone)
    except ScheduleError as err:  # it was fine when it was saved: a time zone is gone, say
        _log.error("trigger %s will not fire any more: %s", trigger.name, err)
        return None
    return schedule.next_after(now, anchor_us=trigger.anchor_at)
