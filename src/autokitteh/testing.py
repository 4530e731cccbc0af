"""An in-memory stand-in for a session, for unit tests of workflow code and for calls outside a session.

    from autokitteh import testing

    def test_reminds_after_an_hour():
        with testing.session() as runtime:
            runtime.send_event("approvals", {"ok": True}, after=3600)
            main.on_request(Event({"user": "ann"}))
        assert runtime.outcomes == [testing.Outcome({"approved": "ann"})]

Nothing waits: a wait makes the virtual clock jump to what comes next, or to its time-out. Nothing is patched either:
`time.sleep` sleeps. Code that is to sleep in virtual time takes the function to sleep with as an argument, and the
test hands it `runtime.clock.sleep`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autokitteh import _runtime
from autokitteh._memory import HttpOutcome, MemoryRuntime, Outcome, SentSignal, Started, VirtualClock
from autokitteh.event import Event

__all__ = ["HttpOutcome", "MemoryRuntime", "Outcome", "SentSignal", "Started", "VirtualClock", "session"]


@contextmanager
def session(
    runtime: MemoryRuntime | None = None, *, match: Callable[[str, Event], bool] | None = None
) -> Iterator[MemoryRuntime]:
    """Let the SDK's functions work on `runtime`, or on a fresh one, until the `with` block ends.

    `match` evaluates filters for a fresh one, as described at MemoryRuntime. Blocks can be nested. Like the runtime of
    a session it holds for the whole process, so tests that run in threads of one process must not share it.
    """
    installed = MemoryRuntime(match=match) if runtime is None else runtime
    before = _runtime.install(installed)
    try:
        yield installed
    finally:
        _runtime.install(before)
