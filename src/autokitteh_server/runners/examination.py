"""What is in force on this machine, told by a process that has tried it."""

import sys
from collections.abc import Iterator
from typing import Any, Final

from autokitteh_runner.protocol import Limits
from autokitteh_server.core.protections import Protection, State
from autokitteh_server.core.sizes import size_text
from autokitteh_server.runners import processes
from autokitteh_server.runners.isolation import Isolation

#: The version of Landlock from which on it bounds signals, too.
_SIGNALS: Final = "Linux 6.12"
_FILES: Final = "Linux 5.13"


def examine(isolation: Isolation, facts: dict[str, Any], limits: Limits) -> list[Protection]:
    """`facts` are what a fork server has said of itself."""
    return [
        Protection(name="environment", state=State.ON, detail="Sessions see nothing of the server's own variables."),
        _user(isolation, facts),
        _files(isolation, facts),
        _signals(facts),
        _privileges(facts),
        _limits(limits),
        *_problems(facts),
    ]


def _user(isolation: Isolation, facts: dict[str, Any]) -> Protection:
    if facts["user"] is None:
        return Protection(
            name="user",
            state=State.OFF,
            detail=f"Sessions run as the server's user: {isolation.why_no_users or 'the kernel has refused'}.",
        )
    last = isolation.first_user + isolation.users - 1
    return Protection(
        name="user",
        state=State.ON,
        detail=f"Sessions of each project run as a user of their own, by number from {isolation.first_user} to {last}.",
    )


def _files(isolation: Isolation, facts: dict[str, Any]) -> Protection:
    if facts["landlock"]:
        return Protection(
            name="files",
            state=State.ON,
            detail=f"Sessions see Python, their packages, their project and a temporary folder of their own "
            f"(Landlock, version {facts['landlock']}).",
        )
    if not isolation.is_on:
        return Protection(
            name="files",
            state=State.OFF,
            detail="Isolation is off.",
            remedy="Say: ak config set isolation.mode auto",
        )
    why = (
        f"this kernel has no Landlock, which {_FILES} and later can have"
        if sys.platform == "linux"
        else (f"{sys.platform} has nothing that can be used for it")
    )
    if facts["user"] is not None:
        return Protection(
            name="files", state=State.PARTLY, detail=f"Sessions see what every user of this machine sees: {why}."
        )
    return Protection(
        name="files",
        state=State.OFF,
        detail=f"Sessions may read what the server may read, its database and its key among it: {why}.",
        remedy="Run only code that you trust, or the server on a machine that has it.",
    )


def _signals(facts: dict[str, Any]) -> Protection:
    if facts["signals"]:
        return Protection(name="signals", state=State.ON, detail="Sessions cannot send signals to other processes.")
    if facts["user"] is not None:
        return Protection(
            name="signals",
            state=State.PARTLY,
            detail=f"Sessions can send signals to sessions of the same project; {_SIGNALS} and later can prevent that.",
        )
    return Protection(
        name="signals",
        state=State.OFF,
        detail=f"Sessions can end processes of the server's user; {_SIGNALS} and later can prevent that.",
    )


def _privileges(facts: dict[str, Any]) -> Protection:
    if facts["no_new_privileges"]:
        return Protection(
            name="privileges", state=State.ON, detail="No program that sessions start has more rights than they have."
        )
    return Protection(name="privileges", state=State.OFF, detail="Sessions may use sudo and the like.")


def _limits(limits: Limits) -> Protection:
    said = (
        f"memory {size_text(limits.memory_bytes)}",
        f"processor time {limits.cpu_s:g} s",
        f"{limits.processes} processes",
        f"{limits.open_files} open files",
        f"files of {size_text(limits.file_bytes)}",
    )
    shown = f"Unless a project says otherwise: {', '.join(said)}; 0 is no limit."
    if processes.can_count():
        return Protection(name="limits", state=State.ON, detail=shown)
    return Protection(
        name="limits",
        state=State.PARTLY,
        detail=f"{shown} Memory and processes are not counted on this system.",
    )


def _problems(facts: dict[str, Any]) -> Iterator[Protection]:
    for each in facts["problems"]:
        yield Protection(name="problem", state=State.OFF, detail=f"The kernel has refused: {each}.")
