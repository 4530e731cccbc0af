"""Calls as effects: activities, whose results are durable before the code goes on, and notes, which ride along."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from autokitteh.activities import ActivityOptions
from autokitteh.errors import ActivityInterruptedError
from autokitteh_runner import outcome as outcomes
from autokitteh_runner.arrivals import AWAIT, Arrival, Arrivals
from autokitteh_runner.attempts import ActivityThread, Attempt, run_async, run_sync
from autokitteh_runner.channel import Channel
from autokitteh_runner.mutation import Snapshot
from autokitteh_runner.outbox import Outbox, now_us
from autokitteh_runner.outcome import Outcome
from autokitteh_runner.preview import digest, error_line, preview_call, type_name
from autokitteh_runner.protocol import WireRecord
from autokitteh_runner.replay import Entry, Place, Replay
from autokitteh_runner.stopwatch import Stopwatch

_DEFAULT: Final = ActivityOptions()


class WarnOnce(Protocol):
    """Warns once for each site and subject, or subject alone; see `Effects.warn_once`."""

    def __call__(self, site: str, about: str, text: str, *, anywhere: bool = False) -> None: ...


@dataclass(slots=True)
class Call:
    """A call that is an effect, and how far it has come."""

    place: Place
    name: str
    site: str
    fn: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    options: ActivityOptions | None = None  # None: it is an activity by itself, without a mark
    attempt: int = 0
    failed: int = 0
    started_at: int = 0
    digest: str = ""
    shown: str = ""  # preview of the arguments

    def arguments(self) -> outcomes.Arguments:
        """What the call may change."""
        return outcomes.arguments_of(self.fn, self.args, self.kwargs)

    def record(self, kind: str, phase: str, outcome: Outcome | None = None, **fields: Any) -> WireRecord:
        """A record of the call as it stands."""
        task, index = self.place
        record = WireRecord(
            kind, phase, task, index, self.name, self.site, self.digest, self.shown, "", "", self.attempt,
            self.started_at, 0, "", 0,
        )  # fmt: skip
        if outcome is not None:
            fields |= {"result": outcome.shown, "error": outcome.error_text, "size": len(outcome.payload)}
        return record._replace(**fields)


class Activities:
    """Activities and notes of one session. Used by the main thread."""

    def __init__(
        self,
        channel: Channel,
        outbox: Outbox,
        replay: Replay,
        arrivals: Arrivals,
        stopwatch: Stopwatch,
        warn_once: WarnOnce,
    ) -> None:
        self._channel = channel
        self._outbox = outbox
        self._replay = replay
        self._arrivals = arrivals
        self._stopwatch = stopwatch
        self._warn_once = warn_once
        self._thread: ActivityThread | None = None
        self.result_bytes = 0  # limit of one result
        #: Called at the end of an activity, in its thread: what it printed has to be in the log before its result is.
        self.finish_line: Callable[[], None] = lambda: None

    def call(self, call: Call) -> Any:
        """Make a call as an activity, or do again what is recorded of it."""
        entry = self._replay.take(*call.place, "call", call.name, call.site)
        if entry is not None and entry.done is not None:
            if entry.done.codec.startswith(AWAIT):
                return self._await_recorded(call, entry)
            self._compare(entry, call)
            return outcomes.replayed(entry.done.codec, entry.payload, call.name, call.fn, call.args, call.kwargs)
        attempts = self._take_up(call, entry)
        arguments = call.arguments()
        snapshot = Snapshot(arguments)
        with self._stopwatch.paused():
            result, error = run_sync(attempts, call.options or _DEFAULT, self._channel, call.fn, call.args, call.kwargs)
            self.finish_line()
        if error is None and call.options is None and inspect.isawaitable(result):
            return self._go_on_async(call, result, arguments, snapshot)
        outcome = self._outcome(call, result, error, arguments, snapshot)
        self._record_end("call", call, outcome, outcome.codec)
        self._outbox.send_and_wait()
        return outcome.get()

    def call_async(self, call: Call) -> Coroutine[Any, Any, Any]:
        """The same for a function that gives a coroutine. It is met now, and run when it is awaited."""
        entry = self._replay.take(*call.place, "call", call.name, call.site)
        if entry is not None and entry.done is not None:
            return self._await_recorded(call, entry)
        return self._await_activity(call, entry)

    def note(self, call: Call) -> Any:
        """A cheap read that differs from run to run: recorded, and never waited for."""
        entry = self._replay.take(*call.place, "note", call.name, call.site)
        if entry is not None and entry.done is not None:
            return outcomes.replayed(entry.done.codec, entry.payload, call.name, call.fn, call.args, call.kwargs)
        call.shown, call.attempt, call.started_at = preview_call(call.args, call.kwargs), 1, now_us()
        arguments = call.arguments() if call.args or call.kwargs else ()
        snapshot = Snapshot(arguments)
        try:
            result = call.fn(*call.args, **call.kwargs)
            outcome = outcomes.succeeded(result, call.name, arguments, snapshot, self.result_bytes)
        except Exception as err:
            outcome = outcomes.raised(err, call.name, snapshot)
        self._record_end("note", call, outcome, outcome.codec)
        self._outbox.has_notes = True
        return outcome.get()

    # --- attempts ----------------------------------------------------------------------------------------------------

    def _take_up(self, call: Call, entry: Entry | None) -> Attempt:
        """What is called around each attempt of an activity that is to be made, perhaps for the second time."""
        call.digest, call.shown = digest(call.args, call.kwargs), preview_call(call.args, call.kwargs)
        if entry is not None:
            call.attempt, call.failed = entry.attempts, entry.failed
            if call.options is not None and call.options.on_unknown == "fail" and call.attempt > call.failed:
                self._refuse_unknown(call)

        def begin() -> None:
            # Nothing external may happen before what it depends on is durable.
            must_wait = self._outbox.has_notes or (call.options is not None and call.options.on_unknown == "fail")
            if call.attempt == 0 and not must_wait and self._may_be_repeating():
                call.attempt = 1
            call.attempt += 1
            call.started_at = now_us()
            self._outbox.add(call.record("call", "start"))
            if must_wait:
                self._outbox.send_and_wait()
            else:
                self._outbox.send()

        def failed(error: BaseException) -> bool:
            if call.failed >= (call.options.retries if call.options else 0):
                return False
            call.failed += 1
            self._outbox.add(call.record("call", "failed", error=error_line(error), finished_at=now_us()))
            return True

        return Attempt(begin, failed)

    def _refuse_unknown(self, call: Call) -> None:
        """Record and raise ActivityInterruptedError: an attempt was cut off that must not be made again."""
        error = ActivityInterruptedError(
            f"{call.name} was under way when the session's process was lost, and may or may not have taken effect; it "
            'is marked on_unknown="fail". Look whether it has, and catch this error where the answer is known'
        )
        outcome = outcomes.raised(error, call.name, Snapshot(()))
        self._record_end("call", call, outcome, outcome.codec)
        self._outbox.send_and_wait()
        outcome.get()

    def _may_be_repeating(self) -> bool:
        """Whether an activity without any record may have been made before, in a process that the server died with.

        Its start rides along with the next commit and may have been lost. That holds for the activities next behind
        the journal's end only: once anything new is durable, what follows has never been reached before.
        """
        return self._replay.cut_off and self._outbox.answered == 0 and self._arrivals.seen == 0

    # --- ends --------------------------------------------------------------------------------------------------------

    def _outcome(
        self,
        call: Call,
        result: Any,
        error: BaseException | None,
        arguments: outcomes.Arguments,
        snapshot: Snapshot,
    ) -> Outcome:
        # While others are under way they may go on changing what they share with this one.
        alone = self._arrivals.under_way == 0
        if error is not None:
            outcome = outcomes.raised(error, call.name, snapshot, alone=alone)
        else:
            outcome = outcomes.succeeded(
                result, call.name, arguments, snapshot, self.result_bytes, alone=alone, marked=call.options is not None
            )
        for reason in snapshot.uncaptured:
            self._warn_of_changes(call, reason, arguments)
        return outcome

    def _warn_of_changes(self, call: Call, reason: str, arguments: outcomes.Arguments) -> None:
        text = f"{call.name} may change its {reason}. A change could not be recorded: replay would not have it"
        label, owner = arguments[0]
        if label == "self" and reason.startswith("self ("):
            # A client, say, is used in many lines by many methods, and there is no more to be said of any of them.
            cls = type_name(owner)
            text += f". That goes for all methods of {cls}"
            self._warn_once(call.site, f"methods of {cls}", text, anywhere=True)
        else:
            self._warn_once(call.site, call.name, text)

    def _record_end(self, kind: str, call: Call, outcome: Outcome, codec: str) -> int:
        at = now_us()
        self._outbox.add(call.record(kind, "done", outcome, finished_at=at, codec=codec), outcome.payload)
        return at

    def _compare(self, entry: Entry, call: Call) -> None:
        """For diagnosis only: another argument or another line is a warning."""
        if entry.digest and entry.digest != digest(call.args, call.kwargs):
            shown = preview_call(call.args, call.kwargs)
            self._warn_once(call.site, call.name, f"{call.name} is replayed with other arguments than it had: {shown}")
        elif entry.site != call.site:
            self._warn_once(call.site, call.name, f"{call.name} is replayed at another line; it was at {entry.site}")

    # --- async activities --------------------------------------------------------------------------------------------

    async def _await_recorded(self, call: Call, entry: Entry) -> Any:
        self._compare(entry, call)
        self._arrivals.expect(call.place, entry)
        codec, payload = await self._arrivals.wait_for(call.place)
        return outcomes.replayed(codec.removeprefix(AWAIT), payload, call.name, call.fn, call.args, call.kwargs)

    async def _await_activity(self, call: Call, entry: Entry | None) -> Any:
        attempts = self._take_up(call, entry)
        arguments = call.arguments()
        snapshot = Snapshot(arguments)
        # The first start is recorded here and not in the thread, so that the order of starts is that of the code.
        attempts.begin()
        attempts.begun = True
        running = run_async(attempts, call.options or _DEFAULT, lambda: call.fn(*call.args, **call.kwargs))
        return await self._in_thread(call, running, arguments, snapshot)

    async def _go_on_async(self, call: Call, awaitable: Any, arguments: outcomes.Arguments, snapshot: Snapshot) -> Any:
        """A function that was not known to be async has given an awaitable, say a coroutine."""

        async def run() -> Any:
            return await awaitable

        running = run_async(Attempt.already_begun(), _DEFAULT, run)
        return await self._in_thread(call, running, arguments, snapshot)

    async def _in_thread(
        self,
        call: Call,
        running: Coroutine[Any, Any, tuple[Any, BaseException | None]],
        arguments: outcomes.Arguments,
        snapshot: Snapshot,
    ) -> Any:
        made: list[Outcome] = []

        def finish(result: Any, error: BaseException | None) -> None:
            def record() -> Arrival:  # in the main thread: pickling must not race with workflow code
                outcome = self._outcome(call, result, error, arguments, snapshot)
                made.append(outcome)
                at = self._record_end("call", call, outcome, AWAIT + outcome.codec)
                return Arrival(call.place, outcome.codec, outcome.payload, at)

            self.finish_line()
            self._arrivals.ended(record)

        if self._thread is None:
            self._thread = ActivityThread()
        self._arrivals.begun()
        cancel = self._thread.submit(running, finish)
        try:
            await self._arrivals.wait_for(call.place)
        except asyncio.CancelledError:
            cancel()
            raise
        return made[0].get()
