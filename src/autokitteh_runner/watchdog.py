"""Watches that workflow code comes back: between two effects it must be short, for it is run again in each replay."""

import sys
import threading
import time

from autokitteh_runner.effects import Effects
from autokitteh_runner.site import Sites

#: Seconds between two looks.
INTERVAL_S = 0.25


def watch(effects: Effects, sites: Sites) -> None:
    """Start watching the calling thread, which must be the one that runs workflow code."""
    limits = effects.limits
    if limits.warn_after_s or limits.fail_after_s:
        thread = threading.Thread(
            target=_watch, args=(effects, sites, threading.get_ident()), name="watchdog", daemon=True
        )
        thread.start()


def _watch(effects: Effects, sites: Sites, watched: int) -> None:
    warn_after, fail_after = effects.limits.warn_after_s, effects.limits.fail_after_s
    warned_for = None
    while True:
        time.sleep(INTERVAL_S)
        since = effects.stopwatch.since
        if since is None:
            continue
        busy_for = time.monotonic() - since
        if warn_after and busy_for > warn_after and warned_for != since:
            warned_for = since
            effects.outbox.say("warning", "watchdog", _message(sites, watched, busy_for), site=_site(sites, watched))
        if fail_after and busy_for > fail_after:
            # Not raised in the code, which could catch it: the session is over.
            effects.end("ERROR", "WorkflowTimeoutError: " + _message(sites, watched, busy_for))


def _site(sites: Sites, watched: int) -> str:
    return sites.nearest(sys._current_frames().get(watched))


def _message(sites: Sites, watched: int, busy_for: float) -> str:
    file, _, rest = _site(sites, watched).partition(":")
    line, _, function = rest.partition(":")
    where = f"{file}, line {line}, in {function}" if function else "the project's code"
    return (
        f"workflow code has been running for {busy_for:.0f} s without coming back, now at {where}. "
        "Put long computations and anything that waits into a function marked @autokitteh.activity"
    )
