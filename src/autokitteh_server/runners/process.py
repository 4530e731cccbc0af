"""Fork servers and the runners they fork, seen from the server: start, speak, kill, learn how they ended."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autokitteh_runner.protocol import Connection, Launch, Limits
from autokitteh_server.core.errors import InternalError
from autokitteh_server.runners import processes
from autokitteh_server.runners.places import Imported

#: What a runner sees of the server's own environment; everything else is the project's vars.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME", "SSL_CERT_FILE")

#: Seconds to learn how a process ended that has closed its socket already.
_EXIT_WAIT_S = 2.0

#: Seconds that a fork server has to end its children and itself.
_CLOSE_WAIT_S = 5.0


class Runner:
    """A process that runs one session, and the connection to it."""

    def __init__(self, connection: Connection, temporary: Path | None = None) -> None:
        self.connection = connection
        self.temporary = temporary  # a folder of its own, which goes with it
        self.limits: Limits | None = None  # what the session may use; None: it has none yet
        self.killed_for = ""  # the limit for which it was killed, for people
        self._known = threading.Event()
        self._ended = threading.Event()
        self._kill_when_known = False
        self._lock = threading.Lock()
        self.pid = 0  # until it is known; for ever, if there could be no such process
        self.status: int | None = None  # exit status, negative for a signal; None until it is known

    def kill(self, why: str = "") -> None:
        """End it at once, whatever it does. Returns without waiting. `why`: the limit that it does not keep to."""
        with self._lock:
            self._kill_when_known = True
            self.killed_for = self.killed_for or why
            if self.pid and not self._ended.is_set():
                processes.kill_tree(self.pid)
        if not why:  # otherwise whoever reads from it is to learn how it ended
            self.connection.close()

    @property
    def is_running(self) -> bool:
        """Whether there is such a process, as far as is known."""
        return bool(self.pid) and not self._ended.is_set()

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
                processes.kill_tree(pid)
        self._known.set()

    def _has_ended(self, status: int | None) -> None:
        with self._lock:
            self.status = status
            self._ended.set()


class ForkServer:
    """A process that forks runners. Threads may share it."""

    def __init__(
        self,
        python: Path,
        launch: Launch,
        *,
        sdk: Path,
        hash_seed: int,
        environ: Mapping[str, str],
        cwd: Path,
        make_temporary: Callable[[], Path] | None = None,
        on_end: Callable[[Runner], None] = lambda _: None,
    ) -> None:
        """Start it. `environ` is the server's own environment, of which `INHERITED` is handed on.

        `sdk`: the folder with what runners import of us. `make_temporary` makes the folders that runners write to;
        `on_end` is told of each runner that has ended, from another thread.
        """
        ours, theirs = socket.socketpair()
        inherited = {name: environ[name] for name in INHERITED if name in environ}
        self._process = subprocess.Popen(
            # -P: the folder it runs in must not become a place to import from. -S: nothing of an environment is run
            # before the process has given its rights away.
            [
                *(str(python), "-P", "-S", "-m", "autokitteh_runner"),
                *(str(theirs.fileno()), json.dumps(asdict(launch))),
            ],
            env=inherited | {"PYTHONHASHSEED": str(hash_seed), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(sdk)},
            cwd=cwd,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Not the server's standard output: there `ak run` shows what the code prints, and nothing else.
            stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C on the terminal is for the server alone
        )
        theirs.close()
        self._control = ours
        self._make_temporary = make_temporary
        self._on_end = on_end
        self._lock = threading.Lock()
        self._asked: deque[Runner] = deque()
        self._children: dict[int, Runner] = {}
        self._ready = threading.Event()
        self._imported: Imported | None = None
        self.is_alive = True
        threading.Thread(target=self._listen, name="fork-server-reports", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def count(self) -> int:
        """How many runners it has."""
        with self._lock:
            return len(self._children) + len(self._asked)

    def runners(self) -> list[Runner]:
        """Its runners that there are."""
        with self._lock:
            return list(self._children.values())

    def wait_ready(self, timeout_s: float | None = None) -> Imported | None:
        """What came of its imports, once they are done; None if it ended, or the time was over, before that."""
        self._ready.wait(timeout_s)
        return self._imported

    @property
    def imported(self) -> Imported | None:
        """What came of its imports; None as long as they are not done."""
        return self._imported

    def fork(self) -> Runner:
        """A new runner. It may still fail to start: then its connection is closed. Raises InternalError."""
        ours, theirs = socket.socketpair()
        runner = Runner(Connection(ours), self._make_temporary() if self._make_temporary is not None else None)
        try:
            with self._lock:
                self._asked.append(runner)
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        except OSError as err:
            self.is_alive = False
            ours.close()
            self._on_end(runner)
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
        except (OSError, ValueError, LookupError, TypeError):  # it has ended, or what it imported speaks in its name
            pass
        self.is_alive = False
        self._ready.set()
        with self._lock:
            left = [*self._children.values(), *self._asked]
        for runner in left:
            self._end(runner, None)

    def _report(self, report: dict[str, Any]) -> None:
        if "ready" in report:
            ready = report["ready"]
            self._imported = Imported(
                failed=dict(ready["failed"]),
                threads=tuple(ready["threads"]),
                descriptors=tuple(ready["descriptors"]),
                confinement=dict(ready["confinement"]),
            )
            self._ready.set()
        elif "forked" in report:
            pid = int(report["forked"])
            # What it has imported could say any number, and what is killed as a runner would be somebody else's.
            if not processes.is_child(pid, self.pid):
                raise ValueError(f"{pid} is no child of the fork server")
            with self._lock:
                runner = self._asked.popleft()
                self._children[pid] = runner
            runner._forked(pid)
        elif "refused" in report:
            with self._lock:
                refused = self._asked.popleft()
            self._end(refused, None)
        else:
            with self._lock:
                ended = self._children.pop(report["ended"], None)
            if ended is not None:
                self._end(ended, report["status"])

    def _end(self, runner: Runner, status: int | None) -> None:
        runner._has_ended(status)
        self._on_end(runner)


def _has_fileno(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return True
