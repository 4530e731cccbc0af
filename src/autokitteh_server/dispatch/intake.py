"""Where everything that happens comes in: many threads' events, few transactions.

A commit costs the same for one event as for a hundred. So whatever arrives while a batch is under way makes up the
next one. Nobody is told that his event was accepted before it is durable, with everything that it starts.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from autokitteh_server.core.background import Background
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.instruments import Instruments, NoInstruments
from autokitteh_server.dispatch.dispatch import Dispatcher
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.engine.scheduler import Scheduler
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.errors import StorageUnavailable

#: Most events in one transaction: bounds how long the first of them waits.
_BATCH = 128

#: A batch of so many means that events pour in.
_POURING = 8

#: Seconds without events, after which sessions need not stand back any more.
_CALM_AFTER_S = 0.05

_Item = tuple[Incoming, "Future[Dispatched]"]


class Intake:
    """Threads may share it."""

    def __init__(
        self, database: Database, new_id: IdSource, scheduler: Scheduler, *, instruments: Instruments | None = None
    ) -> None:
        self._dispatcher = Dispatcher(database, new_id)
        self._scheduler = scheduler
        self._instruments = instruments or NoInstruments()
        self._queue: list[_Item] = []
        self._holds_back = False
        self._background = Background("intake", self._work)

    def open(self) -> None:
        """Begin to dispatch."""
        self._background.open()

    def close(self) -> None:
        """Dispatch what is queued, and take no more. Returns when that is done."""
        self._background.close()

    def submit(self, incoming: Incoming) -> "Future[Dispatched]":
        """Dispatch something that has happened. The future is set once everything is durable, or to what went wrong.

        Raises FailedPrecondition while the server stops.
        """
        future: Future[Dispatched] = Future()
        future.set_running_or_notify_cancel()  # whoever waits may go away; what has happened has happened
        with self._background.changed:
            if self._background.is_closing:
                raise FailedPrecondition("the server is stopping", "Try again when it runs.")
            self._queue.append((incoming, future))
            self._background.changed.notify_all()
        return future

    def announce(self, results: Sequence[Dispatched]) -> None:
        """Have what was started and reached go on. For those, too, who dispatch in a transaction of their own."""
        for result in results:
            for start in result.starts:
                self._scheduler.start(start.session_id, start.project_id)
            for wake in result.wakes:
                self._scheduler.wake(wake.session_id, wake.subscription_id)

    def count(self, kind: str, result: Dispatched) -> None:
        """Have it counted. For those, too, who dispatch in a transaction of their own."""
        if result.is_repeat:
            self._instruments.event_repeated(kind)
        elif result.event is not None:
            self._instruments.event_dispatched(kind, [verdict.kind for verdict in result.event.verdicts])

    def _work(self) -> None:
        background = self._background
        while True:
            with background.changed:
                while not self._queue and not background.is_closing:
                    if not background.changed.wait(_CALM_AFTER_S if self._holds_back else None):
                        self._hold_back(False)
                if not self._queue:
                    return
                batch, self._queue = self._queue[:_BATCH], self._queue[_BATCH:]
            self._hold_back(len(batch) >= _POURING)
            self._dispatch(batch)

    def _hold_back(self, is_wanted: bool) -> None:
        if is_wanted != self._holds_back:
            self._holds_back = is_wanted
            self._scheduler.hold_back(is_wanted)

    def _dispatch(self, batch: Sequence[_Item]) -> None:
        try:
            crash_point("event.before_commit")
            results = self._dispatcher.dispatch([incoming for incoming, _ in batch])
        except Exception as err:
            self._fail(batch, err)
            return
        crash_point("event.after_commit")
        self.announce(results)
        crash_point("event.after_start")
        for (incoming, future), result in zip(batch, results, strict=True):
            self.count(incoming.kind, result)
            future.set_result(result)

    def _fail(self, batch: Sequence[_Item], err: Exception) -> None:
        if len(batch) > 1 and not isinstance(err, StorageUnavailable):
            # One that cannot be stored must not take the others with it.
            for item in batch:
                self._dispatch([item])
            return
        for _, future in batch:
            future.set_exception(err)
