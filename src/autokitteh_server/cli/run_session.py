"""The loop of `ak run`: start a session, show what becomes durable, end with it."""

import logging
import os
import shutil
import signal
from queue import Empty, SimpleQueue

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.run_output import JsonOutput, Output, TextOutput
from autokitteh_server.cli.signals import signals_as_messages
from autokitteh_server.cli.terminal import complain, say, warn
from autokitteh_server.config import Settings
from autokitteh_server.core.entities import Session
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations.following import Follower
from autokitteh_server.operations.runs import RunOrder, submit_run
from autokitteh_server.wiring import Server

#: What the loop is told: a session's journal has grown (None), or somebody wants it to end.
Inbox = SimpleQueue[signal.Signals | None]


#: While the journal grows all the time it is looked at this often: each look takes time from the session's commits.
_PACE_US = 10_000


class _Listener:
    """Tells the loop, once between two of its looks, that there is something to see. Called in the threads of turns."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.has_told = False

    def journal_grew(self, session_id: str) -> None:
        if not self.has_told:
            self.has_told = True
            self._inbox.put(None)


def run_session(settings: Settings, order: RunOrder, *, timeout_s: float | None, as_json: bool, is_kept: bool) -> int:
    """Run a session to its end, or until somebody wants to go; the exit code."""
    inbox: Inbox = SimpleQueue()
    listener = _Listener(inbox)
    _show_own_log()

    def clean_up() -> None:
        if not is_kept:
            shutil.rmtree(settings.data_dir, ignore_errors=True)

    with (
        signals_as_messages(inbox.put, clean_up),
        Server(settings, environ=os.environ, listener=listener) as server,
    ):
        return _Run(server, order, inbox, listener, timeout_s=timeout_s, as_json=as_json, is_kept=is_kept).run()


class _Run:
    def __init__(
        self,
        server: Server,
        order: RunOrder,
        inbox: Inbox,
        listener: _Listener,
        *,
        timeout_s: float | None,
        as_json: bool,
        is_kept: bool,
    ) -> None:
        self._server = server
        self._clock = server.clock
        self._inbox = inbox
        self._listener = listener
        self._looked_at = 0
        self._timeout_s = timeout_s
        self._is_kept = is_kept
        prepared = server.setups.prepare(order.source, tell=say)
        for each in prepared.warnings:
            warn(each)
        self._session, self._is_resumed = submit_run(
            server.database, order, prepared.setup, now=server.clock.now_us(), new_id=server.new_id
        )
        # Before the server starts: what is there now has been shown by an earlier process.
        self._follower = Follower(server.database, self._session.id)
        self._output: Output = JsonOutput(self._session) if as_json else TextOutput(self._session)
        self._deadline_at: int | None = None
        self._stopped: set[str] = set()
        self._reason: signal.Signals | None = None

    def run(self) -> int:
        if self._is_resumed:
            say(f"Resuming session {self._session.id}")
            self._output.show_earlier(self._follower.earlier)
        others = self._server.start() - len(self._follower.unfinished())
        if others > 0:
            say(f"Running along: {others} other session{'s' * (others > 1)} of this folder, not over yet")
        if self._timeout_s is not None:
            self._deadline_at = self._clock.now_us() + round(self._timeout_s * 1e6)
        is_timed_out = self._follow()
        session = self._follower.load()
        self._output.finish(session, [] if session.state.is_final else self._follower.under_way())
        return self._conclude(session, is_timed_out)

    def _follow(self) -> bool:
        """Show what happens until everything is over, or the user wants to go. Whether the time was over first."""
        is_timed_out = False
        while True:
            self._look()
            if self._follower.is_over or (self._reason and self._is_kept):
                return is_timed_out
            if self._reason or is_timed_out:
                self._stop()
            is_timed_out |= not self._wait()

    def _look(self) -> None:
        """Show what has happened."""
        self._looked_at = self._clock.now_us()
        self._listener.has_told = False  # first: what comes while it is being read is another reason to look
        for portion in self._follower.read():
            self._output.show(portion)

    def _wait(self) -> bool:
        """Wait until there is something to do. False: the time is over."""
        deadline_at = self._deadline_at if not self._stopped else None
        try:
            self._take(deadline_at)
        except Empty:
            return False
        try:
            if self._reason is None:
                self._take(self._looked_at + _PACE_US)
        except Empty:
            pass
        return True

    def _take(self, until: int | None) -> None:
        """Take the next message. Raises Empty if none has come by then."""
        timeout = None if until is None else max(0.0, (until - self._clock.now_us()) / 1e6)
        self._reason = self._inbox.get(timeout=timeout) or self._reason

    def _stop(self) -> None:
        """Stop the session and its descendants, each once."""
        for session_id in self._follower.unfinished():
            if session_id not in self._stopped:
                self._stopped.add(session_id)
                self._server.scheduler.stop(session_id, force=True)

    def _conclude(self, session: Session, is_timed_out: bool) -> int:
        if self._reason:
            self._say_how_it_stands(session)
            return 128 + self._reason
        if is_timed_out:
            complain(f"timed out after {self._timeout_s:g} s: {self._what_was_stopped(session)}")
            return ExitCode.FAILED
        return ExitCode.DONE if session.state is SessionState.COMPLETED else ExitCode.FAILED

    def _what_was_stopped(self, session: Session) -> str:
        if session.state is SessionState.STOPPED:
            return "the session was stopped"
        return f"the session is {session.state.value}, and what it had started was stopped"

    def _say_how_it_stands(self, session: Session) -> None:
        if not self._is_kept or session.state.is_final:
            complain(f"interrupted; the session is {session.state.value}")
            return
        how = "goes on where it was" if session.durable else "begins again, for it is not durable"
        complain(f"interrupted; session {session.id} is kept: with the same command it {how}")


def _show_own_log() -> None:
    """Show what the server's parts have to say as warnings, with tracebacks only for those who look for bugs."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(record.getMessage())
            if record.exc_info and os.environ.get("AK_DEBUG"):
                say(logging.Formatter().formatException(record.exc_info))

    logging.getLogger("autokitteh_server").addHandler(Handler(logging.WARNING))
