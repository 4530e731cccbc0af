"""Every program ends the same and prints the same, however often the processes that run it are lost."""

from collections import Counter
from pathlib import Path

import pytest

from harness import Bench, Result, run_killed_everywhere, run_killed_throughout
from sessions import catalog
from sessions.catalog import Program
from sessions.killing import RunnerKiller
from sessions.service import Service

PROGRAMS = {name: catalog.load(name) for name in catalog.names()}


def programs(*ways: str) -> pytest.MarkDecorator:
    """The programs to which all of these ways of running apply."""
    return pytest.mark.parametrize(
        "name", [name for name, program in PROGRAMS.items() if not program.not_in.keys() & set(ways)]
    )


@programs("durable")
def test_durable(name: str, durable: Bench, service: Service) -> None:
    """A program that nothing happens to does what its header says."""
    result = run_in(durable, PROGRAMS[name], service)
    check(PROGRAMS[name], result)
    failed = Counter((record.task, record.index) for record in result.calls("failed"))
    assert all(record.attempt == 1 + failed[record.task, record.index] for record in result.calls())


@programs("evicted")
def test_evicted(name: str, evicting: Bench, service: Service) -> None:
    """It does the same in a new process after every effect, and nothing is done again."""
    result = run_in(evicting, PROGRAMS[name], service)
    check(PROGRAMS[name], result)


@programs("runner-killed")
def test_runner_killed(name: str, tmp_path: Path, service: Service) -> None:
    """It does the same when its process is killed as soon as an effect has begun or ended."""
    bench = Bench(tmp_path, max_failures=1000)
    killer = bench.growth = RunnerKiller(bench)
    with bench:
        result = run_in(bench, PROGRAMS[name], service)
    check(PROGRAMS[name], result)
    assert killer.kills or not result.calls()


@programs("killed")
def test_killed(name: str, tmp_path: Path, service: Service) -> None:
    """It does the same when the server is killed at each effect in turn, before that effect is recorded."""
    check_killed(PROGRAMS[name], "turn.before_commit", tmp_path, service)


@pytest.mark.slow
@programs("killed", "killed-later")
def test_killed_later(name: str, tmp_path: Path, service: Service) -> None:
    """It does the same when the server is killed at each effect in turn, just after its runner was told to go on."""
    check_killed(PROGRAMS[name], "turn.after_ack", tmp_path, service)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, program in PROGRAMS.items() for point in program.sweep]
)
def test_killed_once(name: str, point: str, tmp_path: Path, service: Service) -> None:
    """It does the same when the server is killed once, wherever that is."""
    program = PROGRAMS[name]
    passages = 0
    for _, result in run_killed_everywhere(tmp_path, program.source, point, **options(program, service)):
        passages += 1
        check(program, result)
    assert passages


@programs("plain")
def test_plain(name: str, durable: Bench, service: Service) -> None:
    """It does the same in a session that is not durable."""
    result = run_in(durable, PROGRAMS[name], service, durable=False)
    assert (result.prints, result.state) == (PROGRAMS[name].lines, PROGRAMS[name].state), result.error


def options(program: Program, service: Service) -> dict[str, object]:
    """How a program is submitted."""
    return {"entry": program.entry, "data": program.data, "vars": {"SERVICE": service.url} | program.vars}


def run_in(bench: Bench, program: Program, service: Service, **order: object) -> Result:
    """Run a program in a server, to its end."""
    return bench.wait(bench.submit(program.source, **options(program, service), **order).id)


def check_killed(program: Program, point: str, folder: Path, service: Service) -> None:
    """Run a program in servers that each die at the next passage of a crash point, and look at what comes of it."""
    deaths, result = run_killed_throughout(folder, program.source, point, **options(program, service))
    check(program, result)
    assert deaths or not result.calls()


def check(program: Program, result: Result) -> None:
    """What came of a program is what its header says, and its journal has every effect once."""
    assert result.state == program.state, f"{result.error}\n{result.prints}"
    assert "\n".join(result.prints) == "\n".join(program.lines), result.error
    for text in program.error:
        assert text in result.error
    assert program.error or not result.error
    # Deaths of a runner are told as warnings, too.
    warnings = [record.result for record in result.records if record.kind == "warning" and record.name != "runner"]
    assert len(warnings) == len(program.warnings), warnings
    for text, warning in zip(program.warnings, warnings, strict=True):
        assert text in warning
    done = Counter((r.kind in ("print", "log"), r.task, r.index) for r in result.records if r.phase == "done")
    assert not [place for place, count in done.items() if count > 1 and place[2] >= 0]
    started = {(r.task, r.index) for r in result.records if r.kind == "call" and r.phase == "start"}
    assert started == {(r.task, r.index) for r in result.calls()} or result.state == "ERROR"
