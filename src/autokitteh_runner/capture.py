"""What a session prints and logs, line by line, for its log.

Lines of workflow code are numbered in each task, and those of a module being loaded likewise: in replay the ones that
the log has already are left out. Lines of activities are not numbered, for a recorded activity does not print again.
"""

import codecs
import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from autokitteh.activities import inhibit_activities
from autokitteh_runner.effects import Effects
from autokitteh_runner.outbox import LINE_LIMIT
from autokitteh_runner.protocol import LINE_OVERHEAD_BYTES
from autokitteh_runner.scope import Outside, Task, scope, workflow_task


class SessionLog:
    """Lets lines into the session's log, each once."""

    def __init__(self, effects: Effects, *, durable: bool) -> None:
        self._effects = effects
        self._used_bytes = 0
        # A session that is not durable begins from the top after a loss, and then prints from the top.
        self._loading = Task("load") if durable else None

    def line(self, kind: str, name: str, text: str, task: Task | None) -> None:
        """A line of a task's: `kind` is print or log, `name` the stream or the level."""
        for start in range(0, max(len(text), 1), LINE_LIMIT):
            part = text[start : start + LINE_LIMIT]
            # Counted in replay, too: the same lines are dropped then, or others would come instead of them.
            if not self._has_room(len(part)):
                return
            if task is None:
                self._effects.outbox.say(kind, name, part)
                continue
            index = task.prints
            task.prints += 1
            if index >= self._effects.replay.printed(task.path):
                self._effects.outbox.say(kind, name, part, task.path, index)

    def _has_room(self, size: int) -> bool:
        limit = self._effects.limits.log_bytes
        self._used_bytes += size + LINE_OVERHEAD_BYTES
        if not limit or self._used_bytes <= limit:
            return True
        text = f"The session has more than {limit:,.0f} bytes for its log; what comes from here on is dropped"
        self._effects.warn_once("", "log", text)
        return False

    def task(self) -> Task | None:
        """Who numbers the lines of what is running; None for an activity, whose lines have no number."""
        return self._loading if scope.get() is Outside.LOADING else workflow_task()


class LogStream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr. Each task and thread has a line of its own that is not finished yet."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, log: SessionLog, name: str) -> None:
        self._log = log
        self.name = name
        self._unfinished: dict[tuple[int, Task | None], str] = {}
        self._buffer = _Bytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        task = self._log.task()
        key = (threading.get_ident(), task)
        *lines, rest = (self._unfinished.pop(key, "") + text).split("\n")
        for line in lines:
            self._log.line("print", self.name, line, task)
        if len(rest) > LINE_LIMIT:  # whoever never ends a line must not fill the memory with it
            cut = len(rest) // LINE_LIMIT * LINE_LIMIT
            self._log.line("print", self.name, rest[:cut], task)
            rest = rest[cut:]
        if rest:
            self._unfinished[key] = rest
        return len(text)

    def finish(self) -> None:
        """Let out what is not finished, at the end of the session."""
        unfinished, self._unfinished = self._unfinished, {}
        for (_, task), rest in unfinished.items():
            self._log.line("print", self.name, rest, task)

    def finish_activity(self) -> None:
        """Let out what an activity in this thread has not finished: it may never be run again."""
        rest = self._unfinished.pop((threading.get_ident(), None), "")
        if rest:
            self._log.line("print", self.name, rest, None)

    @property
    def buffer(self) -> "_Bytes":
        return self._buffer


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`, for code that writes bytes."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        # A character may come in two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._stream.write(self._decoder.decode(bytes(data)))
        return len(data)


class _SessionHandler(logging.Handler):
    """Writes records of the `logging` module into the session's log."""

    def __init__(self, log: SessionLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        self._log.line("log", record.levelname, text, self._log.task())


def capture(effects: Effects, is_project_file: Callable[[str], bool], *, durable: bool) -> Callable[[], None]:
    """Send prints, warnings and logging of this process into the session's log. Gives a function to finish with."""
    log = SessionLog(effects, durable=durable)
    stdout, stderr = LogStream(log, "stdout"), LogStream(log, "stderr")
    sys.stdout, sys.stderr = stdout, stderr
    sys.stdin = io.StringIO()
    _capture_logging(log, is_project_file)

    def showwarning(
        message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        # Warnings of third-party packages about themselves are nothing that the project's author can mend.
        if is_project_file(filename):
            text = f"{filename}:{lineno}: {category.__name__}: {message}"
            log.line("log", "WARNING", text, log.task())

    warnings.showwarning = showwarning

    def finish_activity() -> None:
        stdout.finish_activity()
        stderr.finish_activity()

    def finish() -> None:
        stdout.finish()
        stderr.finish()

    effects.activities.finish_line = finish_activity
    return finish


def _capture_logging(log: SessionLog, is_project_file: Callable[[str], bool]) -> None:
    """Where the project configures no handler, its records from INFO on are shown, and others' from WARNING on."""
    handler = _SessionHandler(log)
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or is_project_file(record.pathname))
    # As a last resort and not as a handler of the root's: logging.basicConfig goes on working.
    logging.lastResort = handler
    logging.getLogger().setLevel(logging.INFO)
    logging.basicConfig = _without_default(logging.basicConfig)


def _without_default(configure: Callable[..., None]) -> Callable[..., None]:
    """`basicConfig` that does something only if it is told what.

    `logging.info` and its like call it, without arguments, before the first record. That would make a handler which
    writes to standard error.
    """

    @inhibit_activities
    def basic_config(**options: Any) -> None:
        if options:
            configure(**options)

    return basic_config
