"""A process that has imported what sessions need, and forks one child for each.

The server sends one message with a socket for each session; it is answered with the child's process id, and later
with how the child ended. When the server goes, the fork server ends all its children and itself.

Each child leads a process group of its own, so that what a session has started ends with it.
"""

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1

_NICENESS = 5


def serve(control: socket.socket) -> NoReturn:
    """Serve until the server closes the control socket."""
    # Imported before the first fork, so that no child has to; what they import in turn comes with them.
    import asyncio

    from autokitteh_runner import session

    assert asyncio and session
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise touch, and so copy, every page
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    # Whatever sessions do, the server has the processor first: it has others to answer.
    os.nice(_NICENESS)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server to handle
    signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
    children: set[int] = set()
    poll = select.poll()
    poll.register(control.fileno(), select.POLLIN)
    poll.register(wake_r, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if wake_r in ready:
            os.read(wake_r, 4096)
            _report_ended(control, children)
        if control.fileno() in ready and not _serve_one(control, children):
            _end_all(children)


def _serve_one(control: socket.socket, children: set[int]) -> bool:
    """Fork for one request; False when the server has gone."""
    # One byte a request: more at once could bring two descriptors, and they could not be told apart.
    try:
        data, fds, _, _ = socket.recv_fds(control, 1, 1)
    except OSError:  # killed while it had not read all of our reports
        return False
    if not data:
        return False
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as err:  # too many processes, or too little memory: no reason to end those that there are
        os.close(fds[0])
        _send(control, {"refused": err.errno})
        return True
    if pid == 0:
        _become_runner(control, fds[0], parent)
    _make_leader(pid)  # here as well as there: by the time the server knows of it, it is one
    os.close(fds[0])
    children.add(pid)
    _send(control, {"forked": pid})
    return True


def _become_runner(control: socket.socket, fd: int, parent: int) -> NoReturn:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _die_with_parent(parent)
        _make_leader(0)
        control.close()
        from autokitteh_runner.session import run_session

        run_session(socket.socket(fileno=fd))
        status = 0
    except BaseException:
        # A bug of ours: a session's own errors never come here.
        traceback.print_exc()
    finally:
        os._exit(status)


def _die_with_parent(parent: int) -> None:
    """On Linux, have the kernel end this process with the fork server. Elsewhere the closed socket ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has died already, before that was asked for
            os._exit(1)


def _make_leader(pid: int) -> None:
    try:
        os.setpgid(pid, pid)
    except OSError:  # it is one already, or has ended
        pass


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter of those that are only dead
        pass


def _report_ended(control: socket.socket, children: set[int]) -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            _kill_group(pid)  # what it has left behind
            _send(control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    try:
        control.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # the server has gone; the next look at the socket ends everything


def _end_all(children: set[int]) -> NoReturn:
    for pid in children:
        _kill_group(pid)
    for pid in children:  # the server goes on only when they are gone
        os.waitpid(pid, 0)
    os._exit(0)
