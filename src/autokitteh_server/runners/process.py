"""Fork servers and the runners they fork, seen from the server: start, speak, kill, learn how they ended."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from autokitteh_runner.protocol import Connection
from autokitteh_server.core.errors import InternalError

#: What a runner sees of the server's own environment; everything else is the project's vars.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME", "SSL_CERT_FILE")

#: Seconds to learn how a process ended that has closed its socket already.
_EXIT_WAIT_S = 2.0

#: Seconds that a fork server has to end its children and itself.
_CLOSE_WAIT_S = 5.0


class Runner:
    """A process that runs one session, and the connection to it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._known = threading.Event()
        self._ended = threading.Event()
        self._kill_when_known = False
        self._lock = threading.Lock()
        self.pid = 0  # until it is known; for ever, if there could be no such process
        self.status: int | None = None  # exit status, negative for a signal; None until it is known

    def kill(self) -> None:
        """End it at once, whatever it does. Returns without waiting."""
        with self._lock:
            self._kill_when_known = True
            if self.pid and not self._ended.is_set():
                _kill(self.pid)
        self.connection.close()

    @property
    def is_silent(self) -> bool:
        """Whether it is there and has said nothing, as one that has not been told what to run."""
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)

    def wait_status(self) -> int | None:
        """How it ended: exit status, negative for a signal; None if that could not be learnt."""
        self._ended.wait(_EXIT_WAIT_S)
        return self.status

    def _forked(self, pid: int) -> None:
        with self._lock:
            self.pid = pid
            if self._kill_when_known:
                _kill(pid)
        self._known.set()

    def _has_ended(self, status: int | None) -> None:
        with self._lock:
            self.status = status
            self._ended.set()


class ForkServer:
    """A process that forks runners. Threads may share it."""

    def __init__(self, python: Path, *, hash_seed: int, environ: Mapping[str, str], cwd: Path) -> None:
        """Start it. `environ` is the server's own environment, of which `INHERITED` is handed on."""
        ours, theirs = socket.socketpair()
        inherited = {name: environ[name] for name in INHERITED if name in environ}
        self._process = subprocess.Popen(
            # -P: the folder it runs in must not become a place to import from.
            [str(python), "-P", "-m", "autokitteh_runner", str(theirs.fileno())],
            env=inherited | {"PYTHONHASHSEED": str(hash_seed), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=cwd,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Not the server's standard output: there `ak run` shows what the code prints, and nothing else.
            stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C on the terminal is for the server alone
        )
        theirs.close()
        self._control = ours
        self._lock = threading.Lock()
        self._asked: deque[Runner] = deque()
        self._children: dict[int, Runner] = {}
        self.is_alive = True
        threading.Thread(target=self._listen, name="fork-server-reports", daemon=True).start()

    def fork(self) -> Runner:
        """A new runner. It may still fail to start: then its connection is closed. Raises InternalError."""
        ours, theirs = socket.socketpair()
        runner = Runner(Connection(ours))
        try:
            with self._lock:
                self._asked.append(runner)
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        except OSError as err:
            self.is_alive = False
            ours.close()
            raise InternalError(
                f"the fork server has gone: {err}", "Its last words are on the standard error."
            ) from err
        finally:
            theirs.close()
        return runner

    def close(self) -> None:
        """End it and all its children. Returns when they have ended."""
        self.is_alive = False
        try:
            self._control.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has gone already
        try:
            self._process.wait(_CLOSE_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()

    def _listen(self) -> None:
        # A plain file over a duplicate: reading must not hold the lock that sending takes.
        try:
            with os.fdopen(os.dup(self._control.fileno()), "rb") as reports:
                for line in reports:
                    self._report(json.loads(line))
        except OSError:
            pass
        self.is_alive = False
        with self._lock:
            for runner in [*self._children.values(), *self._asked]:
                runner._has_ended(None)

    def _report(self, report: dict[str, int]) -> None:
        with self._lock:
            if "forked" in report:
                runner = self._asked.popleft()
                self._children[report["forked"]] = runner
                runner._forked(report["forked"])
            elif "refused" in report:
                self._asked.popleft()._has_ended(None)
            else:
                ended = self._children.pop(report["ended"], None)
                if ended is not None:
                    ended._has_ended(report["status"])


def _kill(pid: int) -> None:
    # With all that it has started: it leads a group of its own.
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter of those that are only dead
        pass


def _has_fileno(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return True
