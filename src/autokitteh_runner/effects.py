"""The effects of a session: each is found in the journal, or made and recorded.

Everything that crosses the border of workflow code goes through here. The parts: what is replayed, records on their
way, arrivals in the event loop, activities, and what the server takes part in.
"""

import os
from collections.abc import Callable
from typing import NoReturn

from autokitteh.errors import NonDeterminismError
from autokitteh_runner.activities import Activities
from autokitteh_runner.arrivals import Arrivals
from autokitteh_runner.channel import Channel
from autokitteh_runner.outbox import Outbox
from autokitteh_runner.protocol import Ack, Done, End, Limits, Message
from autokitteh_runner.replay import Replay
from autokitteh_runner.site import Sites
from autokitteh_runner.stopwatch import Stopwatch
from autokitteh_runner.waits import Waits


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
        self.open_timer = self.waits.open_timer
        self.let_in_next = self.arrivals.let_in_next
        self.now = self.arrivals.now

    def begin(self, limits: Limits, created_at: int) -> None:
        """Take over the session's limits, and let its own time begin when it was created."""
        self.limits = limits
        self.activities.result_bytes = limits.result_bytes
        self.arrivals.advance_clock(created_at)

    def warn_once(self, site: str, about: str, text: str) -> None:
        """A warning, once in the session for each line and subject. Any thread."""
        if (site, about) not in self.replay.warned:
            self.replay.warned.add((site, about))
            self.outbox.say("warning", about, text, site=site)

    def check_replay_is_over(self) -> None:
        """The handler has returned: if the journal says that it did more than that, end the session as failed."""
        try:
            self.replay.check_exhausted()
        except NonDeterminismError as err:
            self.fail(err)

    def end(self, state: str, error: str = "", body: bytes = b"") -> NoReturn:
        """Tell the server that the session is over, and end this process. Any thread."""
        self.stopwatch.stop()
        self.outbox.send()
        self.channel.send(End(state, error, body))
        # Not sys.exit: nothing of the project's may run after the end, and other threads may be running.
        os._exit(0)

    def fail(self, error: NonDeterminismError) -> NoReturn:
        """End the session for an error that user code must not be able to catch."""
        self.end("ERROR", f"{type(error).__name__}: {error}")

    def _handle(self, message: Message) -> None:
        if isinstance(message, Ack):
            self.outbox.answered += 1
        elif isinstance(message, Done):
            self.arrivals.seen += 1
            if not self.waits.handle(message):
                self.arrivals.handle(message)
