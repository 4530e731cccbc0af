"""A process that has imported what sessions need, and forks one child for each.

It first takes from itself what it does not need, then imports, says that it is ready, and serves. The server sends
one message with a socket for each session; it is answered with the child's process id, and later with how the child
ended. When the server goes, the fork server ends all its children and itself.

Each child leads a process group of its own, so that what a session has started ends with it; what has left the group
by then is this process's child, and is ended, too.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
import warnings
from typing import Any, NoReturn

from autokitteh_runner.confinement import adopt_orphans, close_all_but, confine_fork_server, die_with_parent
from autokitteh_runner.protocol import Launch

_NICENESS = 5


def serve(control: socket.socket, launch: Launch) -> NoReturn:
    """Serve until the server closes the control socket."""
    # Whatever sessions do, the server has the processor first: it has others to answer.
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server to handle
    facts = confine_fork_server(launch)
    adopt_orphans()
    _find_packages(launch)
    # Imported before the first fork, so that no child has to; what they import in turn comes with them.
    import asyncio

    from autokitteh_runner import session

    assert asyncio and session
    imported = _import(launch.modules)
    _send(control, {"ready": {"confinement": facts, **imported}})
    if imported["threads"] or imported["descriptors"]:
        os._exit(0)  # what a fork would make of these, nobody knows
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise touch, and so copy, every page
    _serve(control)


def _find_packages(launch: Launch) -> None:
    """Have third-party packages found. Only now: what they have at an interpreter's start (.pth files) is code, too."""
    os.environ.pop("PYTHONPATH", None)  # it is for this process, not for programs that sessions start
    import site

    if not launch.packages:
        site.PREFIXES[:] = []
    site.ENABLE_USER_SITE = False
    site.main()


def _import(modules: list[str]) -> dict[str, Any]:
    """Import modules; which could not be, and what is left behind that no child may have: threads, descriptors."""
    failed: dict[str, str] = {}
    before = _descriptors()
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        # What packages have to say about themselves is no affair of any session.
        warnings.simplefilter("ignore")
        shown = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = nowhere
        try:
            for name in modules:
                try:
                    __import__(name)
                except BaseException as error:
                    failed[name] = f"{type(error).__name__}: {error}"
                if _count_threads() > 1:
                    return {"failed": failed, "threads": [name], "descriptors": []}
        finally:
            sys.stdout, sys.stderr = shown
    return {"failed": failed, "threads": [], "descriptors": sorted(_descriptors() - before)}


def _count_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _descriptors() -> set[str]:
    """What is open, but for files: sockets and the like, that must not be shared."""
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:  # there is no /proc
        return set()
    return {f"{target} ({name})" for name in names if (target := _target_of(name)) and not target.startswith("/")}


def _target_of(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:  # it was that of the listing itself
        return ""


def _serve(control: socket.socket) -> NoReturn:
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
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
        die_with_parent(parent)
        adopt_orphans()
        _make_leader(0)
        control.detach()
        close_all_but(fd)
        _reseed()
        from autokitteh_runner.session import run_session

        run_session(socket.socket(fileno=fd))
        status = 0
    except BaseException:
        # A bug of ours: a session's own errors never come here.
        traceback.print_exc()
    finally:
        os._exit(status)


def _reseed() -> None:
    """Python gives a child random numbers of its own; NumPy does not."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


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
    _end_strays(children)


def _end_strays(children: set[int]) -> None:
    """End what sessions have left behind in groups of their own. They are this process's children now."""
    for pid in _all_children() - children:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except OSError:
            pass


def _all_children() -> set[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:  # not on Linux, or not in this kernel
        return set()


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
    _end_strays(set())
    os._exit(0)
