"""The effects of a session: each is found in the journal, or made and recorded.

Everything that crosses the border of workflow code goes through here. The parts: what is replayed, records on their
way, arrivals in the event loop, activities, and what the server takes part in.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from autokitteh.errors import NonDeterminismError
from autokitteh_runner.activities import Activities
from autokitteh_runner.arrivals import Arrivals
from autokitteh_runner.channel import Channel
from autokitteh_runner.outbox import Outbox
from autokitteh_runner.preview import shorten
from autokitteh_runner.protocol import BODY_SLACK_BYTES, Ack, Done, End, Limits, Message
from autokitteh_runner.replay import Replay
from autokitteh_runner.site import Sites
from autokitteh_runner.stopwatch import Stopwatch
from autokitteh_runner.waits import Waits

#: Characters of the error that ends a session, with its traceback.
_ERROR_LIMIT = 200_000


class Effects:
    """One session's effects, and what its event loop needs from outside (`loop.Host`)."""

    def __init__(self, channel: Callable[[Callable[[Message], None]], Channel], sites: Sites) -> None:
        self.channel = channel(self._handle)
        self.limits = Limits()
        self.stopwatch = Stopwatch()
        self.replay = Replay()
        self.outbox = Outbox(self.channel, self.stopwatch)
        self.arrivals = Arrivals(self.channel, self.outbox, self.replay, self.stopwatch)
        self.waits = Waits(self.channel, self.outbox, self.replay, sites, self.arrivals)
        self.activities = Activities(
            self.channel, self.outbox, self.replay, self.arrivals, self.stopwatch, self.warn_once
        )
        self.now = self.arrivals.now

    def begin(self, limits: Limits, created_at: int) -> None:
        """Take over the session's limits, and let its own time begin when it was created."""
        self.limits = limits
        self.activities.result_bytes = self.waits.body_bytes = int(limits.result_bytes)
        # Half of what is left in a body is for records before it.
        self.outbox.max_payload_bytes = limits.result_bytes and int(limits.result_bytes) + BODY_SLACK_BYTES // 2
        self.arrivals.advance_clock(created_at)

    def open_timer(self, seconds: float, fire: Callable[[], None]) -> Callable[[], None]:
        """A timer of the event loop."""
        with self.failing():
            return self.waits.open_timer(seconds, fire)

    def let_in_next(self) -> None:
        """Wait for the next arrival in the event loop, and let it in."""
        with self.failing():
            self.arrivals.let_in_next()

    def warn_once(self, site: str, about: str, text: str, *, anywhere: bool = False) -> None:
        """A warning, once in the session for each line and subject, or for the subject `anywhere`. Any thread."""
        sites = self.replay.warned.setdefault(about, set())
        if site not in sites and not (anywhere and sites):
            sites.add(site)
            self.outbox.say("warning", about, text, site=site)

    def check_replay_is_over(self) -> None:
        """The handler has returned: if the journal says that it did more than that, end the session as failed."""
        with self.failing():
            self.replay.check_exhausted()

    def end(self, state: str, error: str = "", body: bytes = b"") -> NoReturn:
        """Tell the server that the session is over, and end this process. Any thread."""
        self.stopwatch.stop()
        self.outbox.send()
        self.channel.send(End(state, shorten(error, _ERROR_LIMIT), body))
        # Not sys.exit: nothing of the project's may run after the end, and other threads may be running.
        os._exit(0)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """End the session where replay does not match: user code must not be able to catch that."""
        try:
            yield
        except NonDeterminismError as err:
            self.end("ERROR", f"{type(err).__name__}: {err}")

    def _handle(self, message: Message) -> None:
        if isinstance(message, Ack):
            self.outbox.answered += 1
        elif isinstance(message, Done):
            self.arrivals.seen += 1
            if not self.waits.handle(message):
                self.arrivals.handle(message)
