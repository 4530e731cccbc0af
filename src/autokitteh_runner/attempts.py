"""Running an activity: its attempts, its time-out, and the thread where async activities have their event loop."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autokitteh.activities import ActivityOptions
from autokitteh_runner.channel import Channel
from autokitteh_runner.scope import Outside, scope

Ended = tuple[Any, BaseException | None]


@dataclass(slots=True)
class Attempt:
    """What is told of each attempt. `failed` says whether there is to be another one."""

    begin: Callable[[], None]
    failed: Callable[[BaseException], bool]
    begun: bool = False  # the first has been told of already

    @classmethod
    def already_begun(cls) -> "Attempt":
        """For something that is under way and is not to be made again."""
        return cls(lambda: None, lambda error: False, True)

    def next(self) -> None:
        """Tell of the next attempt."""
        if self.begun:
            self.begun = False
        else:
            self.begin()


def run_sync(
    attempt: Attempt,
    options: ActivityOptions,
    channel: Channel,
    fn: Any,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Ended:
    """Call a function in the main thread, again after failures as often as `attempt` says."""
    while True:
        attempt.next()
        before = scope.set(Outside.ACTIVITY)
        try:
            if options.timeout is None:
                return fn(*args, **kwargs), None
            with _alarm(options.timeout, channel):
                return fn(*args, **kwargs), None
        except BaseException as err:
            if not isinstance(err, Exception) or not attempt.failed(err):
                return None, err
        finally:
            scope.reset(before)
        time.sleep(options.retry_delay)


async def run_async(attempt: Attempt, options: ActivityOptions, make: Callable[[], Any]) -> Ended:
    """Await what `make` gives, again after failures as often as `attempt` says."""
    scope.set(Outside.ACTIVITY)
    while True:
        attempt.next()
        try:
            return await asyncio.wait_for(make(), options.timeout), None
        except BaseException as err:
            if not isinstance(err, Exception) or not attempt.failed(err):
                return None, err
        await asyncio.sleep(options.retry_delay)


@contextmanager
def _alarm(seconds: float, channel: Channel) -> Any:
    """Raise TimeoutError in the main thread when the time is over, though never in the middle of a message."""

    def ring(signum: int, frame: object) -> None:
        if channel.sending:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        else:
            raise TimeoutError(f"The activity took longer than its time-out of {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


class ActivityThread:
    """A thread with an ordinary event loop, in which async activities overlap."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="activities", daemon=True).start()

    def submit(
        self, running: Coroutine[Any, Any, Ended], finish: Callable[[Any, BaseException | None], None]
    ) -> Callable[[], object]:
        """Run a coroutine there; `finish` is called, there, with what came of it. Gives a function that cancels it."""
        future = asyncio.run_coroutine_threadsafe(running, self._loop)

        def done(future: Any) -> None:
            if future.cancelled():
                finish(None, asyncio.CancelledError())
            else:
                finish(*future.result())

        future.add_done_callback(done)
        return future.cancel
