"""The effects of a durable session: each is found in the journal, or made and recorded.

`Effects` is the one object that knows the journal, the channel to the server and what is under way. Everything that
crosses the border of workflow code goes through one of `call`, `call_async`, `note`, `request`, `wait` and the event
loop's timers.
"""

import asyncio
import inspect
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from autokitteh.activities import ActivityOptions
from autokitteh.errors import ActivityInterruptedError, NonDeterminismError
from autokitteh_runner import outcome as outcomes
from autokitteh_runner.activity import ActivityThread, Attempt, run_async, run_sync
from autokitteh_runner.channel import Channel
from autokitteh_runner.classify import Decision
from autokitteh_runner.mutation import Snapshot
from autokitteh_runner.outcome import Outcome
from autokitteh_runner.preview import digest, preview_call
from autokitteh_runner.protocol import (
    Ack,
    Append,
    Done,
    End,
    Idle,
    Limits,
    Message,
    Request,
    Unwait,
    Wait,
    WireRecord,
    dump_json,
    load_json,
)
from autokitteh_runner.replay import Entry, Place, Replay
from autokitteh_runner.scope import Task, workflow_task
from autokitteh_runner.site import Sites

_DEFAULT: Final = ActivityOptions()

#: Receives (codec, payload) when an effect that workflow code waits for in its event loop is over.
Deliver = Callable[[str, bytes], None]


@dataclass(slots=True)
class _Call:
    """An activity on its way: what is needed to record it."""

    place: Place
    name: str
    site: str
    digest: str
    args: str
    attempt: int = 0
    failed: int = 0
    started_at: int = 0


@dataclass(slots=True)
class _Finished:
    """An async activity that has ended in its thread, and is not recorded yet."""

    call: _Call
    outcome: Callable[[], Outcome]  # made in the main thread: pickling must not race with workflow code


class Effects:
    """One session's effects. All methods but `record` and `request` are called in the main thread."""

    def __init__(self, channel: Callable[[Callable[[Message], None]], Channel], limits: Limits, sites: Sites) -> None:
        self.channel = channel(self._handle)
        self.limits = limits
        self.sites = sites
        self.replay = Replay()
        #: When workflow code began to run without coming back, by the monotonic clock; None while it does not run.
        self.busy_since: float | None = None
        #: Called at the end of an activity, in its thread: what it printed has to be in the log before its result is.
        self.finish_activity_line: Callable[[], None] = lambda: None
        self._outbox: list[WireRecord] = []
        self._payloads: list[bytes] = []
        self._outbox_lock = threading.Lock()
        self._unsure = False  # notes are queued that nothing external may depend on yet
        self._syncs = 0
        self._acks = 0
        self._seen = 0  # `Done`s received
        self._awaited: dict[Place, Done | None] = {}  # of blocking waits and requests
        self._recorded: dict[Place, Entry] = {}  # met, and to be delivered by the event loop in the recorded order
        self._pending: dict[Place, Deliver] = {}  # what the event loop waits for
        self._deliveries: deque[tuple[Place, str, bytes, int]] = deque()
        self._unannounced: dict[Place, Wait] = {}  # waits of the event loop that the server need not know of yet
        self._finished: deque[_Finished] = deque()
        self._under_way = 0  # async activities
        self._activity_thread: ActivityThread | None = None
        self._tokens = 0
        self._clock_us = 0

    def start_clock(self, created_at: int) -> None:
        """Let the session's own time begin when the session did."""
        self._clock_us = created_at

    def check_replay_is_over(self) -> None:
        """The handler has returned: if the journal says that it did more than that, end the session as failed."""
        try:
            self.replay.check_exhausted()
        except NonDeterminismError as err:
            self.fail(err)

    # --- calls -------------------------------------------------------------------------------------------------------

    def call(
        self, task: Task, decision: Decision, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any], site: str
    ) -> Any:
        """Make a call as an activity, or do again what is recorded of it."""
        index = task.take_index()
        name = decision.name
        entry = self.replay.take(task.path, index, "call", name, site)
        if entry is not None and entry.done is not None:
            return self._call_again(entry, (task.path, index), fn, args, kwargs, site)
        call = self._new_call((task.path, index), name, args, kwargs, site, entry)
        self._refuse_unknown(call, decision.options, entry)
        arguments = outcomes.arguments_of(fn, args, kwargs)
        snapshot = Snapshot(arguments)
        self.busy_since = None
        result, error = run_sync(
            self._attempts(call, decision.options), decision.options or _DEFAULT, self.channel, fn, args, kwargs
        )
        self.finish_activity_line()
        self.busy_since = time.monotonic()
        if error is None and decision.options is None and inspect.isawaitable(result):
            return self._go_on_async(call, result, name, arguments, snapshot)
        outcome = self._outcome(result, error, name, arguments, snapshot, site)
        self._record_end(call, outcome)
        self.sync()
        return _result(outcome)

    def call_async(
        self, task: Task, decision: Decision, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any], site: str
    ) -> Coroutine[Any, Any, Any]:
        """The same for a function that gives a coroutine. Its place is taken now, it is run when it is awaited."""
        index = task.take_index()
        place = (task.path, index)
        entry = self.replay.take(task.path, index, "call", decision.name, site)
        if entry is not None and entry.done is not None:
            return self._await_recorded(place, entry, fn, args, kwargs, site)
        return self._await_activity(place, entry, decision, fn, args, kwargs, site)

    def note(self, task: Task, name: str, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any], site: str) -> Any:
        """A cheap read that differs from run to run: recorded, and never waited for."""
        index = task.take_index()
        entry = self.replay.take(task.path, index, "note", name, site)
        if entry is not None and entry.done is not None:
            return outcomes.replayed(entry.done.codec, entry.payload, name, fn, args, kwargs)
        call = _Call((task.path, index), name, site, "", preview_call(args, kwargs), 1, started_at=_now_us())
        arguments = outcomes.arguments_of(fn, args, kwargs) if args or kwargs else ()
        snapshot = Snapshot(arguments)
        try:
            outcome = outcomes.succeeded(fn(*args, **kwargs), name, arguments, snapshot, self.limits.result_bytes)
        except Exception as err:
            outcome = outcomes.raised(err, name, snapshot)
        self._record_end(call, outcome, kind="note")
        self._unsure = True
        return _result(outcome)

    def _new_call(
        self, place: Place, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], site: str, entry: Entry | None
    ) -> _Call:
        call = _Call(place, name, site, digest(args, kwargs), preview_call(args, kwargs))
        if entry is not None:
            call.attempt, call.failed = entry.attempts, entry.failed
        return call

    def _refuse_unknown(self, call: _Call, options: ActivityOptions | None, entry: Entry | None) -> None:
        """Record and raise ActivityInterruptedError where an attempt was cut off that must not be made again."""
        if entry is None or options is None or options.on_unknown != "fail" or entry.attempts == entry.failed:
            return
        error = ActivityInterruptedError(
            f"{call.name} was under way when the session's process was lost, and may or may not have taken effect; it "
            'is marked on_unknown="fail". Look whether it has, and catch this error where the answer is known'
        )
        outcome = outcomes.raised(error, call.name, Snapshot(()))
        self._record_end(call, outcome)
        self.sync()
        _result(outcome)

    def _attempts(self, call: _Call, options: ActivityOptions | None) -> Attempt:
        """What `activity` calls around each attempt."""
        must_be_durable = options is not None and options.on_unknown == "fail"

        def begin() -> None:
            # Nothing external may happen before what it depends on is durable.
            must_wait = must_be_durable or self._unsure
            if call.attempt == 0 and not must_wait and self._may_be_repeating():
                call.attempt = 1
            call.attempt += 1
            call.started_at = _now_us()
            self.record(self._record_of(call, "start"))
            self._send(sync=must_wait)

        def failed(error: BaseException) -> bool:
            if call.failed >= (options.retries if options else 0):
                return False
            call.failed += 1
            text = f"{type(error).__name__}: {error}"[:2000]
            self.record(self._record_of(call, "failed", error=text, finished_at=_now_us()))
            return True

        return Attempt(begin, failed)

    def _may_be_repeating(self) -> bool:
        """Whether an activity without any record may have been made before, in a process that the server died with.

        Its start rides along with the next commit and may have been lost. That holds for the activities next behind
        the journal's end only: once anything new is durable, what follows has never been reached before.
        """
        return self.replay.cut_off and self._acks == 0 and self._seen == 0

    def _outcome(
        self,
        result: Any,
        error: BaseException | None,
        name: str,
        arguments: outcomes.Arguments,
        snapshot: Snapshot,
        site: str,
    ) -> Outcome:
        if error is not None:
            outcome = outcomes.raised(error, name, snapshot)
        else:
            outcome = outcomes.succeeded(result, name, arguments, snapshot, self.limits.result_bytes)
        for reason in snapshot.uncaptured:
            self.warn_once(
                site, name, f"{name} may change its {reason}. A change could not be recorded: replay would not have it"
            )
        return outcome

    def _call_again(
        self, entry: Entry, place: Place, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any], site: str
    ) -> Any:
        assert entry.done is not None
        if entry.done.codec.startswith("await "):
            return self._await_recorded(place, entry, fn, args, kwargs, site)
        self._compare(entry, args, kwargs, site)
        return outcomes.replayed(entry.done.codec, entry.payload, entry.name, fn, args, kwargs)

    def _compare(self, entry: Entry, args: Sequence[Any], kwargs: Mapping[str, Any], site: str) -> None:
        """For diagnosis only: another argument or another line is a warning."""
        if entry.digest and entry.digest != digest(args, kwargs):
            self.warn_once(
                site,
                entry.name,
                f"{entry.name} is replayed with other arguments than it had: {preview_call(args, kwargs)}",
            )
        elif entry.site != site:
            self.warn_once(site, entry.name, f"{entry.name} is replayed at another line; it was at {entry.site}")

    # --- async activities --------------------------------------------------------------------------------------------

    async def _await_recorded(
        self, place: Place, entry: Entry, fn: Any, args: Sequence[Any], kwargs: Mapping[str, Any], site: str
    ) -> Any:
        assert entry.done is not None
        self._compare(entry, args, kwargs, site)
        self._recorded[place] = entry
        codec, payload = await self._arrival(place)
        return outcomes.replayed(codec.removeprefix("await "), payload, entry.name, fn, args, kwargs)

    async def _await_activity(
        self,
        place: Place,
        entry: Entry | None,
        decision: Decision,
        fn: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        site: str,
    ) -> Any:
        call = self._new_call(place, decision.name, args, kwargs, site, entry)
        self._refuse_unknown(call, decision.options, entry)
        arguments = outcomes.arguments_of(fn, args, kwargs)
        snapshot = Snapshot(arguments)
        attempts = self._attempts(call, decision.options)
        # The first start is recorded here and not in the thread, so that the order of starts is that of the code.
        attempts.begin()
        attempts.begun = True
        running = run_async(attempts, decision.options or _DEFAULT, lambda: fn(*args, **kwargs))
        return await self._in_thread(call, running, arguments, snapshot)

    async def _go_on_async(
        self, call: _Call, awaitable: Any, name: str, arguments: outcomes.Arguments, snapshot: Snapshot
    ) -> Any:
        """A function that was not known to be async has given an awaitable, say a coroutine."""

        async def run() -> Any:
            return await awaitable

        running = run_async(Attempt.already_begun(), _DEFAULT, run)
        return await self._in_thread(call, running, arguments, snapshot)

    async def _in_thread(
        self,
        call: _Call,
        running: Coroutine[Any, Any, tuple[Any, BaseException | None]],
        arguments: outcomes.Arguments,
        snapshot: Snapshot,
    ) -> Any:
        made: list[Outcome] = []

        def finish(result: Any, error: BaseException | None) -> None:
            def make() -> Outcome:
                made.append(self._outcome(result, error, call.name, arguments, snapshot, call.site))
                return made[0]

            self.finish_activity_line()
            self._finished.append(_Finished(call, make))
            self.channel.wake()

        if self._activity_thread is None:
            self._activity_thread = ActivityThread()
        self._under_way += 1
        cancel = self._activity_thread.submit(running, finish)
        try:
            await self._arrival(call.place)
        except asyncio.CancelledError:
            cancel()
            raise
        return _result(made[0])

    async def _arrival(self, place: Place) -> tuple[str, bytes]:
        future: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()

        def deliver(codec: str, payload: bytes) -> None:
            if not future.done():  # the task that waited may have been cancelled
                future.set_result((codec, payload))

        self._pending[place] = deliver
        return await future

    def _record_finished(self) -> None:
        """Record the async activities that have ended; they are delivered when that is durable."""
        if not self._finished:
            return
        ended: list[tuple[Place, str, bytes, int]] = []
        while self._finished:
            finished = self._finished.popleft()
            self._under_way -= 1
            outcome = finished.outcome()
            at = self._record_end(finished.call, outcome, awaited=True)
            ended.append((finished.call.place, outcome.codec, outcome.payload, at))
        self.sync()
        self._deliveries.extend(ended)

    # --- requests and waits ------------------------------------------------------------------------------------------

    def request(self, kind: str, name: str, arguments: Mapping[str, Any], shown: str) -> Any:
        """Have the server do something and record it, both or neither. Outside workflow code it is not recorded."""
        task = workflow_task()
        site = self.sites.here()
        if task is None:
            place = self._token()
        else:
            place = (task.path, task.take_index())
            entry = self.replay.take(*place, kind, name, site)
            if entry is not None and entry.done is not None:
                return outcomes.answered(entry.done.codec, entry.payload)
        self._send()
        self._awaited[place] = None
        self.channel.send(Request(*place, kind, name, site, "", shown, dump_json(arguments).encode()))
        with self._away(task is not None):
            self.channel.wait(lambda: self._awaited[place] is not None)
        done = self._awaited.pop(place)
        assert done is not None
        return outcomes.answered(done.codec, done.body)

    def wait(self, kind: str, name: str, seconds: float | None, names: Sequence[str], shown: str) -> Any:
        """Wait, for a moment or one of several signals, in blocking code. Gives what came, or None for time-out."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._wait_of(task, kind, name, seconds, names, shown)
        place = (wait.task, wait.index)
        if entry is not None and entry.done is not None:
            self._advance_clock(entry.done.finished_at)
            return outcomes.answered(entry.done.codec, entry.payload)
        self._send()
        self._awaited[place] = None
        self.channel.send(wait)
        with self._away(True):
            while self._awaited[place] is None:
                self._record_finished()
                self._say_idle()
                self.channel.wait(
                    lambda: self._awaited[place] is not None or bool(self._finished), wakeable=self._under_way > 0
                )
        done = self._awaited.pop(place)
        assert done is not None
        self._advance_clock(done.finished_at)
        return outcomes.answered(done.codec, done.body)

    async def wait_async(self, kind: str, name: str, seconds: float, site: str) -> None:
        """Wait for a moment in the event loop."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._wait_of(task, kind, name, seconds, (), f"{seconds:g}", site)
        place = (wait.task, wait.index)
        self._expect(place, wait, entry)
        try:
            await self._arrival(place)
        except asyncio.CancelledError:
            self._call_off(place)
            raise

    def _wait_of(
        self, task: Task, kind: str, name: str, seconds: float | None, names: Sequence[str], shown: str, site: str = ""
    ) -> tuple[Wait, Entry | None]:
        index = task.take_index()
        site = site or self.sites.here()
        entry = self.replay.take(task.path, index, kind, name, site)
        deadline_at = load_json(entry.start)["deadline_at"] if entry is not None and entry.start else None
        opened = entry is not None and bool(entry.start)
        return Wait(task.path, index, kind, name, site, shown, list(names), seconds, opened, deadline_at), entry

    def _expect(self, place: Place, wait: Wait, entry: Entry | None) -> None:
        if entry is not None and entry.done is not None:
            self._recorded[place] = entry
        else:
            self._unannounced[place] = wait

    def _call_off(self, place: Place) -> None:
        # Where it is recorded as over, or has been announced, it stays expected: its end is passed over in its turn.
        if self._unannounced.pop(place, None) is None and place not in self._recorded:
            self.channel.send(Unwait(*place))

    def _token(self) -> Place:
        with self._outbox_lock:
            self._tokens += 1
            return (f"@{self._tokens}", -1)

    # --- for the event loop ------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The session's own time in seconds: that of the last wait or activity which the event loop saw end."""
        return self._clock_us / 1e6

    def open_timer(self, seconds: float, fire: Callable[[], None]) -> Callable[[], None]:
        """A timer of asyncio's own, such as that of a time-out."""
        task = workflow_task()
        assert task is not None
        wait, entry = self._wait_of(task, "timer", "asyncio.timer", seconds, (), f"{seconds:g}")
        place = (wait.task, wait.index)
        self._pending[place] = lambda codec, payload: fire()
        self._expect(place, wait, entry)
        called_off = False

        def call_off() -> None:
            nonlocal called_off
            if not called_off:
                called_off = True
                self._pending[place] = lambda codec, payload: None
                self._call_off(place)

        return call_off

    def let_in_next(self) -> None:
        """Wait for the next arrival, in the recorded order as long as there is one, and deliver it."""
        place = self.replay.next_over(self._pending)
        if place is not None:
            entry = self._recorded.pop(place)
            assert entry.done is not None
            self._deliver(place, entry.done.codec, entry.payload, entry.done.finished_at)
            return
        with self._away(True):
            while not self._deliveries:
                self._record_finished()
                if not self._deliveries:
                    self._wait_for_arrival()
        self._deliver(*self._deliveries.popleft())

    def _wait_for_arrival(self) -> None:
        self._send()
        # The first to be over first: those whose time has gone by meanwhile end as soon as the server knows them.
        for wait in sorted(self._unannounced.values(), key=_urgency):
            self.channel.send(wait)
        self._unannounced.clear()
        if not self._pending:
            raise RuntimeError(
                "All tasks of the session wait for one another, and for nothing from outside: this would never end"
            )
        self._say_idle()
        self.channel.wait(lambda: bool(self._deliveries or self._finished), wakeable=self._under_way > 0)

    def _deliver(self, place: Place, codec: str, payload: bytes, at: int) -> None:
        self._advance_clock(at)
        self._pending.pop(place)(codec, payload)

    def _advance_clock(self, at: int) -> None:
        self._clock_us = max(self._clock_us, at)

    def _say_idle(self) -> None:
        if self._under_way == 0:
            self.channel.send(Idle(self._seen))

    # --- records -----------------------------------------------------------------------------------------------------

    def record(self, record: WireRecord, payload: bytes = b"") -> None:
        """Queue a record; it goes with the next `_send`. Any thread."""
        with self._outbox_lock:
            self._outbox.append(record)
            if payload:
                self._payloads.append(payload)

    def say(self, kind: str, name: str, text: str, task: str = "0", index: int = -1, site: str = "") -> None:
        """Put a line into the log, at once. Any thread."""
        at = _now_us()
        self.record(WireRecord(kind, "done", task, index, name, site, "", "", text, "", 1, at, at, "", 0))
        self._send()

    def warn_once(self, site: str, about: str, text: str) -> None:
        """A warning, once in the session for each line and subject."""
        if (site, about) not in self.replay.warned:
            self.replay.warned.add((site, about))
            self.say("warning", about, text, site=site)

    def sync(self) -> None:
        """Return when everything recorded so far is durable."""
        self._send(sync=True)

    def _send(self, sync: bool = False) -> None:
        with self._outbox_lock:
            records, self._outbox = self._outbox, []
            body = b"".join(self._payloads)
            self._payloads = []
            if sync:
                self._syncs += 1
            elif not records:
                return
            # Inside the lock, so that records of two threads can't overtake one another.
            self.channel.send(Append(records, sync, body))
        if sync:
            self._unsure = False
            before, self.busy_since = self.busy_since, None
            self.channel.wait(lambda: self._acks >= self._syncs)
            self.busy_since = before and time.monotonic()

    def _record_of(self, call: _Call, phase: str, error: str = "", finished_at: int = 0) -> WireRecord:
        task, index = call.place
        return WireRecord(
            "call", phase, task, index, call.name, call.site, call.digest, call.args, "", error, call.attempt,
            call.started_at, finished_at, "", 0,
        )  # fmt: skip

    def _record_end(self, call: _Call, outcome: Outcome, kind: str = "call", awaited: bool = False) -> int:
        at = _now_us()
        codec = ("await " if awaited else "") + outcome.codec
        payload = outcome.payload
        task, index = call.place
        self.record(
            WireRecord(
                kind, "done", task, index, call.name, call.site, call.digest, call.args, outcome.shown,
                outcome.error_text, call.attempt, call.started_at, at, codec, len(payload),
            ),
            payload,
        )  # fmt: skip
        return at

    # --- arriving ----------------------------------------------------------------------------------------------------

    def _handle(self, message: Message) -> None:
        if isinstance(message, Ack):
            self._acks += 1
        elif isinstance(message, Done):
            self._seen += 1
            place = (message.task, message.index)
            if place in self._awaited:
                self._awaited[place] = message
            elif place in self._pending:
                self._deliveries.append((place, message.codec, message.body, message.finished_at))

    @contextmanager
    def _away(self, from_workflow: bool) -> Any:
        """While the thread waits, workflow code is not to blame for the time."""
        if from_workflow:
            self.busy_since = None
        try:
            yield
        finally:
            if from_workflow:
                self.busy_since = time.monotonic()

    # --- the end -----------------------------------------------------------------------------------------------------

    def end(self, state: str, error: str = "", body: bytes = b"") -> NoReturn:
        """Tell the server that the session is over, and end this process. Any thread."""
        self.busy_since = None
        self._send()
        self.channel.send(End(state, error, body))
        # Not sys.exit: nothing of the project's may run after the end, and other threads may be running.
        os._exit(0)

    def fail(self, error: NonDeterminismError) -> NoReturn:
        """End the session for an error that user code must not be able to catch."""
        self.end("ERROR", f"{type(error).__name__}: {error}")


def _result(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def _urgency(wait: Wait) -> tuple[bool, float]:
    time = wait.deadline_at if wait.opened else wait.seconds
    return not wait.opened, math.inf if time is None else time


def _now_us() -> int:
    return time.time_ns() // 1000
