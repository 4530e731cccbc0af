"""Processes die: runners, fork servers, whole servers. Sessions go on, and nothing is left behind."""

import os
import random
import signal
from pathlib import Path

import pytest

from engine.life import (
    HOLD,
    Gate,
    children,
    fork_server,
    fork_server_pid,
    in_activity,
    is_alive,
    is_parked,
    kill,
    processes,
    runner_pids,
    send,
    until,
)
from harness import Bench


def test_an_activity_cut_off_is_made_again_and_marked(tmp_path: Path, gate: Gate) -> None:
    """Everything before it is replayed; its second attempt is visible as such, and so is what happened."""
    program = HOLD + "def main(event):\n    print(count(event.data.file))\n    print(hold(event.data.gate))\n"
    with Bench(tmp_path) as bench:
        data = {"gate": str(gate.path), "file": str(tmp_path / "file")}
        session = bench.submit(program, "program.py:main", data=data)
        bench.wait_until(session.id, in_activity("hold"))
        (pid,) = runner_pids(bench)
        kill(pid)
        bench.wait_until(session.id, lambda result: len(result.calls("start")) == 3)
        gate.open()
        result = bench.wait(session.id)
    assert result.prints == ["1", "through"]
    assert [record.attempt for record in result.calls("start")] == [1, 1, 2]
    assert [record.attempt for record in result.calls()] == [1, 2]
    (warning,) = result.warnings
    assert "killed by SIGKILL" in warning and "during program.hold at program.py:" in warning
    assert result.session.failures == 0


def test_a_session_whose_process_always_dies_fails_and_says_where(tmp_path: Path) -> None:
    """After three times in a row it is the code's fault; the error names the activity."""
    program = HOLD + (
        "@activity\ndef deadly():\n    os.kill(os.getpid(), 11)\n\n"
        "def main(event):\n    print(count(event.data.file))\n    deadly()\n"
    )
    with Bench(tmp_path) as bench:
        result = bench.wait(bench.submit(program, "program.py:main", data={"file": str(tmp_path / "file")}).id)
    assert result.state == "ERROR"
    for text in ("SIGSEGV", "during program.deadly at program.py:", "3 times in a row"):
        assert text in result.error
    assert [record.attempt for record in result.calls("start") if record.name == "program.deadly"] == [1, 2, 3]
    assert (result.prints, result.session.failures, len(result.warnings)) == (["1"], 3, 3)


def test_death_in_workflow_code_is_told_as_that(tmp_path: Path) -> None:
    """No activity is blamed for it."""
    program = "import os\n\ndef main(event):\n    print('here')\n    os._exit(3)\n"
    with Bench(tmp_path, max_failures=2) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
    assert result.state == "ERROR" and "exited with status 3" in result.error


def test_progress_between_deaths_makes_up_for_them(tmp_path: Path) -> None:
    """Each of five activities kills the process at its first attempt: never twice in a row, so the session lives."""
    program = HOLD + (
        "@activity\ndef deadly_once(path):\n"
        "    if not os.path.exists(path):\n        open(path, 'x').close()\n        os.kill(os.getpid(), 9)\n\n"
        "def main(event):\n    for n in range(5):\n        deadly_once(f'{event.data.folder}/died-{n}')\n"
        "    print('lives')\n"
    )
    with Bench(tmp_path, max_failures=2) as bench:
        result = bench.wait(bench.submit(program, "program.py:main", data={"folder": str(tmp_path)}).id)
    assert (result.prints, result.session.failures) == (["lives"], 0)
    assert [record.attempt for record in result.calls()] == [2] * 5


@pytest.mark.parametrize("seed", range(3))
def test_runners_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    """Whatever moment it is, each activity takes effect once, or again where the journal says so."""
    choose = random.Random(seed)
    program = HOLD + "def main(event):\n    for n in range(40):\n        print(n, count(event.data.file, str(n)))\n"
    file = tmp_path / "file"
    with Bench(tmp_path, max_failures=1000) as bench:
        session = bench.submit(program, "program.py:main", data={"file": str(file)})
        done = 0
        while not (result := bench.load(session.id)).session.state.is_final:
            done = max(done, len(result.calls())) + choose.randrange(1, 6)
            bench.wait_until(session.id, lambda now, done=done: now.session.state.is_final or len(now.calls()) >= done)
            for pid in runner_pids(bench):
                os.kill(pid, signal.SIGKILL)
    lines = file.read_text().split()
    assert [line.split()[0] for line in result.prints] == [str(n) for n in range(40)]
    for record, n in zip(result.calls(), range(40), strict=True):
        assert 1 <= lines.count(str(n)) <= record.attempt
    assert len(result.warnings) >= 1


def test_a_fork_server_that_dies_is_replaced(tmp_path: Path, gate: Gate) -> None:
    """Its runners die with it; sessions with a turn and sessions that wait go on in processes of another one."""
    hold = HOLD + "def main(event):\n    print(hold(event.data.gate))\n"
    listen = HOLD + "def main(event):\n    print(next_signal('go').payload)\n"
    with Bench(tmp_path) as bench:
        waiting = bench.submit(listen, "program.py:main")
        bench.wait_until(waiting.id, is_parked)
        busy = bench.submit(hold, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(busy.id, in_activity("hold"))
        first, runners = fork_server_pid(bench), runner_pids(bench)
        assert len(runners) == 2
        kill(first)
        until(lambda: not any(map(is_alive, runners)))
        gate.open()
        send(bench, waiting.id, "go", "gone")
        results = [bench.wait(session.id) for session in (busy, waiting)]
        assert fork_server_pid(bench) != first
        assert first not in children(os.getpid())
    assert [(result.prints, processes(result)) for result in results] == [(["through"], 2), (["gone"], 2)]


def test_nothing_is_left_of_fifty_sessions(tmp_path: Path) -> None:
    """No dead processes that nobody asked about, no open files."""
    program = HOLD + "def main(event):\n    next_signal('go', timeout=0.03)\n    print(count(event.data.file))\n"
    with Bench(tmp_path, max_warm=2, max_runners=4) as bench:

        def run(numbers: range) -> None:
            data = [{"file": str(tmp_path / "file"), "n": n} for n in numbers]
            for session_id in [bench.submit(program, "program.py:main", data=one).id for one in data]:
                assert bench.wait(session_id).state == "COMPLETED"
            until(lambda: not runner_pids(bench))

        run(range(10))  # connections and threads that are opened once
        before = open_files()
        run(range(10, 60))
        # The pool of connections to the database may still grow; a leak would be one file for each session.
        until(lambda: open_files() < before + 25)
        until(lambda: fork_server(bench).count == 0)


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_a_closed_server_leaves_no_processes(tmp_path: Path, gate: Gate) -> None:
    """Neither the fork server nor runners, be they kept, or in the middle of an activity."""
    before = children(os.getpid())
    with Bench(tmp_path) as bench:
        waiting = bench.submit(HOLD + "def main(event):\n    next_signal('go')\n", "program.py:main")
        bench.wait_until(waiting.id, is_parked)
        program = HOLD + "def main(event):\n    hold(event.data.gate)\n"
        busy = bench.submit(program, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(busy.id, in_activity("hold"))
        left = [fork_server_pid(bench), *runner_pids(bench)]
        assert len(left) == 3
    assert not any(map(is_alive, left))
    assert children(os.getpid()) == before


STARTS = """
import os, subprocess, time
from autokitteh import activity

@activity
def start(path):
    started = subprocess.Popen(["sleep", "1000"])
    with open(path + ".new", "w") as file:
        file.write(str(started.pid))
    os.rename(path + ".new", path)

@activity
def last():
    time.sleep(1000)

def main(event):
    start(event.data.file)
    if event.data.then == "last":
        last()
    if event.data.then == "die":
        os._exit(3)
"""


@pytest.mark.parametrize("then", ["end", "die", "last"])
def test_what_a_session_has_started_ends_with_it(tmp_path: Path, then: str) -> None:
    """However it ends: by itself, by its process's death, or because it is stopped."""
    file = tmp_path / "pid"
    with Bench(tmp_path, max_failures=1) as bench:
        session = bench.submit(STARTS, "program.py:main", data={"file": str(file), "then": then})
        until(file.exists)
        pid = int(file.read_text())
        if then == "last":
            bench.wait_until(session.id, in_activity("last"))
            assert is_alive(pid) and bench.server is not None
            bench.server.scheduler.stop(session.id, force=True)
        bench.wait(session.id)
        until(lambda: not is_alive(pid))


def test_a_killed_server_takes_its_processes_with_it(tmp_path: Path, gate: Gate) -> None:
    """Also one in the middle of an activity that would last for ever: nothing it does counts any more."""
    program = HOLD + (
        "import subprocess\n\n"
        "@activity\ndef tell(path):\n    started = subprocess.Popen(['sleep', '1000'])\n"
        "    with open(path + '.new', 'w') as file:\n"
        "        file.write(f'{os.getppid()} {os.getpid()} {started.pid}')\n    os.rename(path + '.new', path)\n\n"
        "def main(event):\n    tell(event.data.pids)\n    hold(event.data.gate)\n"
    )
    pids = tmp_path / "pids"
    server = os.fork()
    if server == 0:
        try:
            with Bench(tmp_path) as bench:
                data = {"gate": str(gate.path), "pids": str(pids)}
                bench.wait(bench.submit(program, "program.py:main", data=data).id)
        finally:
            os._exit(1)
    until(pids.exists)
    processes = [int(pid) for pid in pids.read_text().split()]
    assert all(map(is_alive, processes))
    os.kill(server, signal.SIGKILL)
    os.waitpid(server, 0)
    until(lambda: not any(map(is_alive, processes)))
