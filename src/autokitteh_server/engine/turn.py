"""The turn of a session, top to bottom: claim it, give it a runner, answer the runner until it ends or waits.

A turn runs in a thread of its own and blocks. What the runner must know to be durable is committed before it is told;
everything else rides along with the next commit. Each `crash_point` is a place where the crash suite kills the server.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from autokitteh_runner.protocol import (
    VERSION,
    Ack,
    Append,
    Done,
    End,
    Idle,
    Message,
    ProtocolError,
    ReplayRecord,
    Request,
    Run,
    Unwait,
    WireRecord,
    cut_payloads,
    dump_json,
    max_body_bytes,
)
from autokitteh_runner.protocol import Wait as WaitMessage
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.errors import Fenced, InternalError, InvalidArgument, NotFound, ServerError
from autokitteh_server.core.journal import Record
from autokitteh_server.core.masking import masker
from autokitteh_server.core.secret_forms import mask_of, mask_value
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine import deaths, hearing, inbox, requests, wire
from autokitteh_server.engine.claimed import Claimed
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.endings import Then, end_session, tell_of_end
from autokitteh_server.engine.environment import Environment
from autokitteh_server.engine.log_limit import LogLimit
from autokitteh_server.engine.surroundings import Surroundings, TurnEnd, TurnResult
from autokitteh_server.engine.waits import in_order, is_due, next_deadline
from autokitteh_server.runners.pool import WarmRunner
from autokitteh_server.runners.process import Runner
from autokitteh_server.storage import journal, sessions, subscriptions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.errors import DoubledRecord

#: A runner that has not been heard of for this long has its loose records committed: the log must not lag behind.
LINGER_US: Final = 2_000

#: A wait that is over this soon is waited for within the turn.
SHORT_WAIT_US: Final = 20_000


#: What warnings of turns that failed for a reason of the server's own are about.
_TROUBLE: Final = "server"


def run_turn(around: Surroundings, session_id: str, control: TurnControl) -> TurnResult:
    """Give a session a turn. Whatever goes wrong with the session itself is recorded there and not raised."""
    try:
        has_process = around.pool.has_warm(session_id)
        session = around.database.write(
            lambda conn: sessions.claim(conn, session_id, now=around.clock.now_us(), has_process=has_process)
        )
    except NotFound:
        around.pool.drop(session_id)
        return TurnResult(TurnEnd.GONE)
    if session is None:
        around.pool.drop(session_id)
        return TurnResult(TurnEnd.ENDED)
    crash_point("turn.claimed")
    if session.epoch == 1:
        around.instruments.session_started()
    turn = Turn(around, session, control)
    began_at = around.clock.now_us()
    try:
        result = turn.take()
        around.instruments.turn_ended((around.clock.now_us() - began_at) / 1e6, result.end.name.lower())
        return result
    except Fenced:
        turn.throw_runner_away()
        return TurnResult(TurnEnd.GONE)
    except Exception as error:
        turn.throw_runner_away()
        turn.tell_of_trouble(error)
        raise
    except BaseException:
        turn.throw_runner_away()
        raise


class Turn:
    """One turn under way. Used by one thread."""

    def __init__(self, around: Surroundings, session: Session, control: TurnControl) -> None:
        self._around = around
        self._clock = around.clock
        self._session = session
        self._claimed = Claimed(session, around.database, around.listener)
        self._control = control
        self._runner: Runner | None = None
        self._heard_of = True  # False: it was kept warm, and has not said anything since
        self._waits: dict[tuple[str, int], WaitMessage] = {}
        self._sent = 0  # answers to waits and requests
        self._in_flight: dict[tuple[str, int], Record] = {}  # starts of activities without an end
        self._effects = 0
        self._used_up = False  # it has had as many effects as the policy gives a turn
        self._failures = session.failures
        self._mask = mask_of(())  # takes the session's secrets out of what people will read
        self._log = LogLimit(0)  # until there is a runner, nobody says anything

    def take(self) -> TurnResult:
        """Have the turn."""
        result = self._begin()
        while result is None:
            result = self._go_on()
        return result

    def throw_runner_away(self) -> None:
        """Kill the runner, if there is one. Nothing that counts is lost with it."""
        if self._runner is not None:
            self._runner.kill()
            self._runner = None

    def tell_of_trouble(self, error: Exception) -> None:
        """Say in the session's log why it does not go on, once for each reason, if that can be written."""
        what = str(error) if isinstance(error, ServerError) else "The server's own log has the reason."
        text = self._mask(masker.mask(f"The session cannot go on now, and will try again. {what}"))
        session_id = self._session.id

        def tell(conn: Connection) -> None:
            if not journal.has_warning(conn, session_id, _TROUBLE, text):
                now = self._clock.now_us()
                journal.insert(conn, session_id, [wire.line("warning", now, name=_TROUBLE, result=text)])

        try:
            self._claimed.transact(tell)
        except Exception:
            pass  # it is the store that is in trouble, or somebody else has the session; `error` is what counts

    def _begin(self) -> TurnResult | None:
        if self._control.stop_asked:
            return self._stopped()
        if not self._session.durable and self._session.failures > self._around.policy.max_failures:
            # For a session without durability each process is a start from the beginning.
            self._end(SessionState.ERROR, None, deaths.interrupted_too_often(self._around.policy.max_failures))
            return TurnResult(TurnEnd.ENDED)
        if self._take_warm_runner():
            return self._rest()  # woken perhaps for nothing: then it says nothing either
        self._fork_runner()
        return None

    def _go_on(self) -> TurnResult | None:
        try:
            return self._step()
        except ProtocolError as err:  # the code has got hold of the socket
            self._heard_of = True
            return self._lost(f"sent what is no message ({err})")
        except _Lost:
            return self._lost("")
        except DoubledRecord:
            return self._begin_anew()

    def _step(self) -> TurnResult | None:
        # Without durability it would have to start anew: it has all the time there is to come to its end.
        may_leave = self._control.leave_asked and self._session.durable and not self._in_flight
        if self._control.abandoned or may_leave:
            self.throw_runner_away()
            return TurnResult(TurnEnd.GONE)
        if self._control.stop_asked and (self._control.stop_forced or not self._in_flight):
            return self._stopped()
        if self._used_up:
            return self._release()
        if self._control.take_poke() and self._complete_waits():
            return None
        message = self._next_message()
        return None if message is None else _HANDLERS[type(message)](self, message)

    # --- the runner --------------------------------------------------------------------------------------------------

    def _take_warm_runner(self) -> bool:
        """Go on with the runner of the turn before, if there still is one."""
        warm = self._around.pool.take_warm(self._session.id)
        if warm is None:
            return False
        if warm.epoch + 1 != self._session.epoch:  # another server had the session in between
            warm.runner.kill()
            return False
        self._runner, self._waits, self._sent, self._mask = warm.runner, warm.waits, warm.sent, warm.mask
        self._log = warm.log
        self._heard_of = False
        return True

    def _fork_runner(self) -> None:
        """Begin or replay in a new runner."""
        session = self._session
        workplace = self._around.workplace(session)
        self._runner = runner = self._around.pool.fork(workplace.place)
        runner.limits = workplace.limits
        self._log = LogLimit(workplace.limits.log_bytes)
        temporary = str(runner.temporary or "")
        runner.connection.limit_body(max_body_bytes(int(workplace.limits.result_bytes)))
        records, environment = self._around.database.read(
            lambda conn: (journal.load_replay(conn, session.id), self._around.environment(conn, session))
        )
        if records and not session.durable:
            # It starts from its beginning, and subscribes again.
            self._claimed.transact(lambda conn: subscriptions.end_all(conn, session.id))
        self._mask = mask_of(environment.secrets)
        kept = wire.kept_vars(records) if session.durable else None
        self._note_beginning(records, environment)
        if session.durable:
            # Before it can do anything: if this server dies, the next process must know that there was one, whose first
            # activity may have taken effect.
            self._claimed.commit()
        self._send(
            Run(
                version=VERSION,
                session_id=session.id,
                project=session.project_id,
                root=str(workplace.root),
                entry=session.entry,
                durable=session.durable,
                created_at=session.created_at,
                vars=environment.values if kept is None else environment.with_kept(kept),
                limits=asdict(workplace.limits),
                temporary=temporary,
                confine=workplace.confine,
                readable=[*workplace.readable, str(workplace.root)],
                writable=[*workplace.writable, temporary],
                body=dump_json(session.event).encode(),
            )
        )
        for piece in wire.journal_pieces(records if session.durable else ()):
            self._send(piece)

    def _note_beginning(self, records: Sequence[tuple[ReplayRecord, bytes]], environment: Environment) -> None:
        """Say in the journal that a new process begins, and how much of it there is to replay."""
        effects = sum(record.phase == "done" and record.index >= 0 for record, _ in records)
        text = (
            "" if not records else f"resumed, {effects} records replayed" if self._session.durable else "started again"
        )
        state = wire.line("state", self._clock.now_us(), name="RUNNING", result=text)
        is_first = self._session.durable and not records
        self._claimed.append([wire.beginning(state, environment.kept()) if is_first else state])

    def _next_message(self) -> Message | None:
        """The next message, or None after something else that the turn should look at. Raises _Lost, ProtocolError."""
        assert self._runner is not None
        connection = self._runner.connection
        message = self._arrived()
        if message is not None:
            return message
        now = self._clock.now_us()
        deadline = next_deadline(map(wire.wait, self._waits.values()))
        until = min(
            (
                moment
                for moment in (deadline, now + LINGER_US if self._claimed.is_loose else None)
                if moment is not None
            ),
            default=None,
        )
        if not self._control.wait(connection.fileno(), self._clock, until):
            if deadline is not None and deadline <= self._clock.now_us():
                self._complete_waits()
            elif self._claimed.is_loose:
                self._claimed.commit()
            return None
        try:
            if not connection.fill():
                raise _Lost
        except OSError as err:
            raise _Lost from err
        return self._arrived()

    def _arrived(self) -> Message | None:
        """A message that is here. Raises ProtocolError, also for one that is none from a runner."""
        assert self._runner is not None
        message = self._runner.connection.buffered()
        if message is not None:
            self._heard_of = True
            hearing.check_message(message)
        return message

    def _send(self, message: Message) -> None:
        assert self._runner is not None
        try:
            self._runner.connection.send(message)
        except OSError:
            pass  # it has died; the next read says so, after what it had still sent

    # --- what the runner says ----------------------------------------------------------------------------------------

    def _on_append(self, message: Append) -> None:
        payloads = cut_payloads([record[-1] for record in message.records], message.body)
        records = [
            self._masked(wire.record(WireRecord(*fields), payload))
            for fields, payload in zip(message.records, payloads, strict=True)
        ]
        ended = [self._follow(record) for record in records]
        admitted = map(self._log.admit, records)
        self._claimed.append([record for record in admitted if record is not None])
        if not message.sync:
            return
        crash_point("turn.before_commit")
        self._claimed.commit()
        crash_point("turn.after_commit")
        if any(ended):
            self._count_effect()
        self._answer(Ack())

    def _masked(self, record: Record) -> Record:
        """A record without secrets in what is there for people. What replay needs is as it was."""
        shown = self._mask(record.args), self._mask(record.result), self._mask(record.error)
        if shown == (record.args, record.result, record.error):
            return record
        return record._replace(args=shown[0], result=shown[1], error=shown[2])

    def _follow(self, record: Record) -> bool:
        """Keep the list of what is under way; whether this record ends an effect."""
        place = (record.task, record.index)
        if record.kind != "call":
            return False
        if record.phase == "start":
            self._in_flight[place] = record
            return False
        self._in_flight.pop(place, None)
        return record.phase == "done"

    def _on_request(self, message: Request) -> None:
        if message.kind in requests.UNRECORDED:
            self._tell(message)
        else:
            self._do(message)

    def _tell(self, message: Request) -> None:
        """Answer what no journal may have."""
        try:
            arguments = hearing.load_arguments(message)
            told = requests.UNRECORDED[message.kind](self._around, self._session, arguments)
        except requests.RequestError as err:
            self._answer_effect(self._end_of(message, "json-error", [err.error, err.message]))
            return
        if self._mask(told.secret) == told.secret:
            before, own = self._mask, mask_of([told.secret])
            self._mask = lambda text: own(before(text))
        self._answer_effect(self._end_of(message, "json", told.value))

    def _do(self, message: Request) -> None:
        ctx: requests.Context | None = None
        arguments = hearing.load_arguments(message)

        def do(conn: Connection) -> Record:
            nonlocal ctx  # a transaction may be tried again: only the last one's consequences count
            ctx = requests.Context(conn, self._session, self._clock.now_us(), self._around, self._mask)
            value = requests.handle(ctx, message.kind, arguments)
            record = self._end_of(message, "json", value)
            journal.insert(conn, self._session.id, [record])
            return record

        try:
            record = self._claimed.transact(do)
        except (requests.RequestError, InvalidArgument) as err:
            name = err.error if isinstance(err, requests.RequestError) else "ValueError"
            record = self._end_of(message, "json-error", [name, err.message], f"{name}: {err.message}")
            self._claimed.transact(lambda conn: journal.insert(conn, self._session.id, [record]))
            ctx = None
        crash_point("turn.after_commit")
        for consequence in ctx.after if ctx is not None else ():
            consequence()
        self._answer_effect(record)

    def _on_wait(self, message: WaitMessage) -> None:
        if not message.opened:
            now = self._clock.now_us()
            deadline_at = None
            if message.seconds is not None:
                deadline_at = min(now + round(message.seconds * 1_000_000), hearing.LAST_MOMENT)
            start = {"deadline_at": deadline_at, "names": message.names}
            self._claimed.append([self._masked(wire.effect(message, "start", "json", start, started_at=now))])
            message = wire.with_deadline(message, deadline_at)
            if message.kind == "next_event" and self._refuse_unknown(message):
                return
        self._waits[message.task, message.index] = message
        # With activities under way it will not say that it is idle until they have ended, and code that is not durable
        # says so only where it has no other threads.
        if message.names and (self._in_flight or not self._session.durable):
            self._complete(message, wire.wait(message))

    def _refuse_unknown(self, message: WaitMessage) -> bool:
        """End a wait for events of subscriptions that the session does not have: it would never be over."""
        wanted = set(message.names)
        session_id = self._session.id
        own = self._around.database.read(lambda conn: {each.id for each in subscriptions.of_session(conn, session_id)})
        if wanted <= own:
            return False
        text = f"this session has no subscription {', '.join(sorted(wanted - own))}; it may have been ended"
        record = wire.effect(
            message, "done", "json-error", ["AutoKittehError", text], started_at=self._clock.now_us(),
            finished_at=self._clock.now_us(), error=f"AutoKittehError: {text}",
        )  # fmt: skip
        self._claimed.transact(lambda conn: journal.insert(conn, session_id, [record]))
        self._answer_effect(record)
        return True

    def _on_unwait(self, message: Unwait) -> None:
        self._waits.pop((message.task, message.index), None)

    def _on_idle(self, message: Idle) -> TurnResult | None:
        return None if message.seen < self._sent else self._rest()

    def _rest(self) -> TurnResult | None:
        """The runner has nothing to do until a wait is over: end the turn, unless one is over now or soon."""
        deadline = next_deadline(map(wire.wait, self._waits.values()))
        if deadline is not None and deadline - self._clock.now_us() <= SHORT_WAIT_US:
            self._complete_waits()
            return None
        return self._park()

    def _on_end(self, message: End) -> TurnResult:
        state = SessionState(message.state)
        result = hearing.load_sent(message.body) if message.body else None
        self._end(state, result, message.error or None)
        self.throw_runner_away()
        return TurnResult(TurnEnd.ENDED)

    # --- waits -------------------------------------------------------------------------------------------------------

    def _complete_waits(self) -> bool:
        """Complete every wait that is over; whether there was one."""
        completed = False
        for entity in in_order(map(wire.wait, self._waits.values())):
            message = self._waits[entity.task, entity.index]
            if (entity.names or is_due(entity, self._clock.now_us())) and self._complete(message, entity):
                completed = True
        return completed

    def _complete(self, message: WaitMessage, entity: Wait) -> bool:
        now = self._clock.now_us()

        def complete(conn: Connection) -> Record | None:
            value = inbox.take(conn, self._session.id, entity)
            if value is None and not is_due(entity, now):
                return None
            record = self._masked(wire.effect(message, "done", "json", value, started_at=now, finished_at=now))
            journal.insert(conn, self._session.id, [record])
            # From here on it has work to do, also if nobody lives to tell it.
            sessions.unpark(conn, self._session.id, self._session.epoch, now=now)
            return record

        crash_point("turn.before_wake")
        record = self._claimed.transact(complete)
        if record is None:
            return False
        crash_point("turn.after_commit")
        del self._waits[message.task, message.index]
        self._answer_effect(record)
        return True

    def _park(self) -> TurnResult | None:
        waits = tuple(wire.wait(message) for message in self._waits.values())
        now = self._clock.now_us()

        def park(conn: Connection) -> bool:
            # A signal or an event may have come since the last look, from another server even.
            if inbox.has_for(conn, self._session.id, waits):
                return False
            sessions.park(conn, self._session.id, self._session.epoch, waits, now=now)
            return True

        crash_point("turn.before_park")
        if not self._claimed.transact(park):
            self._complete_waits()
            return None
        crash_point("turn.after_park")
        assert self._runner is not None
        # Without durability the process is all there is of the session: it must not be let go.
        warm = WarmRunner(
            self._runner,
            self._session.epoch,
            self._waits,
            self._sent,
            mask=self._mask,
            log=self._log,
            is_needed=not self._session.durable,
        )
        self._around.pool.keep_warm(self._session.id, warm)
        self._runner = None
        return TurnResult(TurnEnd.WAITING, waits)

    def _release(self) -> TurnResult:
        """Have the session go on in another process."""
        self.throw_runner_away()
        self._claimed.append(
            [wire.line("state", self._clock.now_us(), name="RELEASED", result="goes on in another process")]
        )
        return TurnResult(TurnEnd.AGAIN)

    # --- ends --------------------------------------------------------------------------------------------------------

    def _lost(self, what: str) -> TurnResult:
        """The runner has died without a word, or did what makes it as good as dead."""
        assert self._runner is not None
        runner = self._runner
        status = None if what else runner.wait_status()
        self.throw_runner_away()
        if limit := runner.killed_for or deaths.limit_of(status, runner.limits):
            # The next process would come to the same end.
            self._end(SessionState.ERROR, None, f"killed: {limit}. {deaths.HOW_TO_ALLOW_MORE}")
            return TurnResult(TurnEnd.ENDED)
        if not self._heard_of:
            # It died while it was kept, of the machine's want of memory say; the session has done nothing.
            return TurnResult(TurnEnd.AGAIN)
        if not what and not runner.pid:
            raise InternalError("no process can be had for the session", "Look at the limits of processes and memory.")
        return self._failed(what or deaths.describe_status(status))

    def _failed(self, what: str) -> TurnResult:
        """Have the session go on in another process, unless that has failed too often."""
        how = deaths.describe(what, list(self._in_flight.values()))
        session = self._session
        self._claimed.append([wire.line("warning", self._clock.now_us(), name="runner", result=how)])
        if session.durable:  # otherwise the claim has counted it
            self._failures = self._claimed.transact(
                lambda conn: sessions.count_failure(conn, session.id, session.epoch)
            )
        if self._failures < self._around.policy.max_failures:
            return TurnResult(TurnEnd.AGAIN)
        self._end(SessionState.ERROR, None, f"{how}. That happened {self._failures} times in a row")
        return TurnResult(TurnEnd.ENDED)

    def _begin_anew(self) -> TurnResult:
        """The runner has sent a record that the journal has: nothing can be written any more under this claim."""
        self.throw_runner_away()
        now = self._clock.now_us()
        session = self._around.database.write(
            lambda conn: sessions.claim(conn, self._session.id, now=now, has_process=True)
        )
        if session is None:
            return TurnResult(TurnEnd.GONE)
        self._session = session
        self._claimed = Claimed(session, self._around.database, self._around.listener)
        return self._failed("sent a record that the journal has already")

    def _stopped(self) -> TurnResult:
        self.throw_runner_away()
        self._around.pool.drop(self._session.id)
        self._end(SessionState.STOPPED, None, "stopped")
        return TurnResult(TurnEnd.ENDED)

    def _end(self, state: SessionState, result: Any, error: str | None) -> None:
        session = self._session
        now = self._clock.now_us()
        error = None if error is None else self._mask(error)
        shown_result = mask_value(result, self._mask)
        shown = error if error is not None else "" if result is None else dump_json(shown_result)[:200]
        record = wire.line("state", self._clock.now_us(), name=state.value, result=shown)

        def end(conn: Connection) -> Then:
            journal.insert(conn, session.id, [record])
            sessions.finish(conn, session.id, session.epoch, state, shown_result, error, now=now)
            return end_session(self._around, conn, session, state, result, error, now=now)

        crash_point("turn.before_end")
        then = self._claimed.transact(end)
        crash_point("turn.after_end")
        tell_of_end(self._around, session, state, then)

    def _count_effect(self) -> None:
        session, policy = self._session, self._around.policy
        if self._failures and session.durable:
            self._failures = 0
            self._claimed.transact(lambda conn: sessions.reset_failures(conn, session.id, session.epoch))
        self._effects += 1
        if policy.effects_per_turn is not None and self._effects >= policy.effects_per_turn and session.durable:
            self._used_up = True

    def _answer_effect(self, record: Record) -> None:
        if record.index >= 0:  # what an activity asks for is no effect of its own
            self._count_effect()
        self._sent += 1
        self._answer(Done(record.task, record.index, record.codec, record.finished_at, record.payload))

    def _answer(self, message: Message) -> None:
        """Let the code go on, unless the turn is about to end."""
        if self._used_up or (self._control.stop_asked and not self._in_flight):
            return
        self._send(message)
        crash_point("turn.after_ack")

    def _end_of(self, message: Request, codec: str, value: Any, error: str = "") -> Record:
        now = self._clock.now_us()
        return self._masked(wire.effect(message, "done", codec, value, started_at=now, finished_at=now, error=error))


_HANDLERS: dict[type[Any], Callable[[Turn, Any], TurnResult | None]] = {
    Append: Turn._on_append,
    Request: Turn._on_request,
    WaitMessage: Turn._on_wait,
    Unwait: Turn._on_unwait,
    Idle: Turn._on_idle,
    End: Turn._on_end,
}


class _Lost(Exception):
    """The runner's end of the socket is closed."""
