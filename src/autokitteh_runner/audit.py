"""Finds input and output in workflow code outside activities: it would be done again in each replay."""

import os
import sys
import sysconfig
from typing import Any, Final

from autokitteh_runner.effects import Effects
from autokitteh_runner.scope import Task, scope
from autokitteh_runner.site import Sites

#: Audit events that mean network, files or processes (https://docs.python.org/3/library/audit_events.html).
_EVENTS: Final = {
    "open": "opens a file",
    "socket.connect": "opens a network connection",
    "socket.getaddrinfo": "looks up a network address",
    "socket.bind": "opens a network port",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.fork": "starts a process",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder",
    "os.listdir": "reads a folder",
    "os.scandir": "reads a folder",
    "os.truncate": "changes a file",
    "sqlite3.connect": "opens a database",
    "urllib.Request": "makes a network request",
}

#: Python reads these itself: sources for tracebacks, modules, time zones.
_PYTHONS_OWN: Final = tuple(
    {os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values())}
) + ("/usr/share/zoneinfo/",)
_SOURCES: Final = (".py", ".pyc", ".so")


def watch_io(effects: Effects, sites: Sites) -> None:
    """From now on warn, once for each line, of input and output in workflow code."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        what = _EVENTS.get(event)
        if what is None or type(scope.get()) is not Task or _is_pythons_own(event, args):
            return
        site = sites.here()
        if site:
            effects.warn_once(
                site,
                event,
                f"workflow code {what} outside an activity: in a replay it would do so again. Put it into a function "
                "marked @autokitteh.activity",
            )

    sys.addaudithook(hook)


def _is_pythons_own(event: str, args: tuple[Any, ...]) -> bool:
    if event not in ("open", "os.listdir", "os.scandir") or not args:
        return False
    path = args[0]
    if not isinstance(path, str):
        return isinstance(path, int)  # a descriptor that is open already
    return path.endswith(_SOURCES) or os.path.realpath(path).startswith(_PYTHONS_OWN) or _is_importing()


def _is_importing() -> bool:
    frame = sys._getframe(2)
    for _ in range(30):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False
