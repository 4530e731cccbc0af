"""Ends runners that use more than they may, where the kernel alone cannot see to it."""

from collections.abc import Callable, Iterable
from typing import Final

from autokitteh_server.core.background import Background
from autokitteh_server.core.sizes import size_text
from autokitteh_server.runners import processes
from autokitteh_server.runners.process import Runner

#: Seconds between two looks. What happens in between is bounded by the kernel, less exactly.
_INTERVAL_S: Final = 0.25


class LimitsWatch:
    """Looks at what sessions use, all the time."""

    def __init__(self, runners: Callable[[], Iterable[Runner]]) -> None:
        self._runners = runners
        self._watch = Background("limits", self._look_again_and_again)

    def open(self) -> None:
        """Begin to look."""
        self._watch.open()

    def close(self) -> None:
        """Stop looking."""
        self._watch.close()

    def _look_again_and_again(self) -> None:
        while True:
            with self._watch.changed:
                # In real time, whatever the clock says: a process that runs away does so in real time.
                if self._watch.is_closing or self._watch.changed.wait_for(lambda: self._watch.is_closing, _INTERVAL_S):
                    return
            for runner in self._runners():
                look_at(runner)


def look_at(runner: Runner) -> None:
    """End a runner if it uses more than its session may."""
    limits = runner.limits
    if limits is None or not runner.is_running:
        return
    memory = limits.memory_bytes or float("inf")
    used = processes.usage(runner.pid, memory_of_interest=int(min(memory, 1 << 62)))
    if used.memory_bytes > memory:
        runner.kill(f"used more than {size_text(limits.memory_bytes)} of memory")
    elif limits.processes and used.processes > limits.processes:
        runner.kill(f"had more than {int(limits.processes)} processes")
