"""Effects that the server takes part in: requests, which it does and records, and waits, which it ends."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autokitteh.errors import ResultTooLargeError
from autokitteh_runner.arrivals import Arrivals
from autokitteh_runner.channel import Channel
from autokitteh_runner.outbox import Outbox
from autokitteh_runner.outcome import answered
from autokitteh_runner.preview import shorten
from autokitteh_runner.protocol import Done, Idle, Request, Wait, dump_json, load_json
from autokitteh_runner.replay import Entry, Place, Replay
from autokitteh_runner.scope import Task, workflow_task
from autokitteh_runner.site import Sites

#: Characters of arguments that the log shows.
_SHOWN = 2_000


class Waits:
    """Requests and waits of one session. `request` may be called in any thread."""

    def __init__(self, channel: Channel, outbox: Outbox, replay: Replay, sites: Sites, arrivals: Arrivals) -> None:
        self._channel = channel
        self._outbox = outbox
        self._replay = replay
        self._sites = sites
        self._arrivals = arrivals
        self._answers: dict[Place, Done | None] = {}  # of those that block
        self._tokens = itertools.count(1)
        self.body_bytes = 0  # what a request may have; 0 means no limit

    def handle(self, done: Done) -> bool:
        """Whether an answer is for one of those that block."""
        place = (done.task, done.index)
        if place not in self._answers:
            return False
        self._answers[place] = done
        return True

    def request(self, kind: str, name: str, arguments: Mapping[str, Any], shown: str) -> Any:
        """Have the server do something and record it, both or neither. Outside workflow code it is not recorded."""
        task = workflow_task()
        site = self._sites.here()
        if task is None:
            place = (f"@{next(self._tokens)}", -1)
        else:
            place = (task.path, task.take_index())
            entry = self._replay.take(*place, kind, name, site)
            if entry is not None and entry.done is not None:
                return answered(entry.done.codec, entry.payload)
        body = dump_json(arguments).encode()
        if self.body_bytes and len(body) > self.body_bytes:
            raise ResultTooLargeError(
                f"What is given to {name} has {len(body):,} bytes, the limit is {self.body_bytes:,}. Give it less"
            )
        self._outbox.send()
        return self._ask(Request(*place, kind, name, site, "", shorten(shown, _SHOWN), body))

    def ask(self, kind: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """Have the server tell what must not be recorded, wherever the code is. It is asked again in replay."""
        place = (f"@{next(self._tokens)}", -1)
        return self._ask(Request(*place, kind, name, "", "", "", dump_json(arguments).encode()))

    def _ask(self, request: Request) -> Any:
        place = (request.task, request.index)
        self._answers[place] = None
        self._channel.send(request)
        self._channel.wait(lambda: self._answers[place] is not None)
        done = self._take_answer(place)
        return answered(done.codec, done.body)

    def wait(self, kind: str, name: str, seconds: float | None, names: Sequence[str], shown: str) -> Any:
        """Wait, for a moment or one of several signals, in blocking code. Gives what came, or None for time-out."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._meet(task, kind, name, seconds, names, shown, self._sites.here())
        if entry is not None and entry.done is not None:
            self._arrivals.advance_clock(entry.done.finished_at)
            return answered(entry.done.codec, entry.payload)
        place = (wait.task, wait.index)
        self._outbox.send()
        self._answers[place] = None
        self._channel.send(wait)
        self._arrivals.wait_until(lambda: self._answers[place] is not None)
        done = self._take_answer(place)
        self._arrivals.advance_clock(done.finished_at)
        return answered(done.codec, done.body)

    def wait_plainly(self, kind: str, name: str, seconds: float | None, names: Sequence[str], shown: str) -> Any:
        """`wait` in a session that is not durable, in any thread: nothing is replayed."""
        place = (f"@{next(self._tokens)}", -1)
        self._outbox.send()
        self._answers[place] = None
        site, shown = self._sites.here(), shorten(shown, _SHOWN)
        self._channel.send(Wait(*place, kind, name, site, shown, list(names), seconds, False, None))
        if threading.active_count() == 1:
            self._channel.send(Idle(self._arrivals.seen))  # nobody but this thread could have something to do
        self._channel.wait(lambda: self._answers[place] is not None)
        done = self._take_answer(place)
        return answered(done.codec, done.body)

    async def wait_async(self, kind: str, name: str, seconds: float, site: str) -> None:
        """Wait for a moment in the event loop."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._meet(task, kind, name, seconds, (), f"{seconds:g}", site)
        place = (wait.task, wait.index)
        self._arrivals.expect(place, entry, wait)
        try:
            await self._arrivals.wait_for(place)
        except asyncio.CancelledError:
            self._arrivals.call_off(place)
            raise

    def open_timer(self, seconds: float, fire: Callable[[], None]) -> Callable[[], None]:
        """A timer of asyncio's own, such as that of a time-out. Gives a function that calls it off."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._meet(task, "timer", "asyncio.timer", seconds, (), f"{seconds:g}", self._sites.here())
        place = (wait.task, wait.index)
        self._arrivals.receive(place, lambda codec, payload: fire())
        self._arrivals.expect(place, entry, wait)

        return lambda: self._arrivals.call_off(place)

    def _meet(
        self, task: Task, kind: str, name: str, seconds: float | None, names: Sequence[str], shown: str, site: str
    ) -> tuple[Wait, Entry | None]:
        """Take a wait's place in the task: what it waits for, since when perhaps, and what is recorded of it."""
        index = task.take_index()
        entry = self._replay.take(task.path, index, kind, name, site)
        is_open = entry is not None and bool(entry.start)
        deadline_at = load_json(entry.start)["deadline_at"] if entry is not None and is_open else None
        shown = shorten(shown, _SHOWN)
        return Wait(task.path, index, kind, name, site, shown, list(names), seconds, is_open, deadline_at), entry

    def _take_answer(self, place: Place) -> Done:
        done = self._answers.pop(place)
        assert done is not None
        return done
