"""Sessions that are not durable: the same process, nothing recorded but the log, begun anew after a failure."""

from pathlib import Path

from engine.life import HOLD, Gate, kill, runner_pids
from harness import Bench

PROGRAM = (
    HOLD
    + """
def main(event):
    print("begins", count(event.data.file))
    hold(event.data.gate)
    print("ends")
    return 7
"""
)


def test_nothing_is_recorded_but_the_log(tmp_path: Path, gate: Gate) -> None:
    """No effect has a place in the journal, so none would be replayed."""
    gate.open()
    program = PROGRAM.replace('print("ends")', 'print("ends", autokitteh.add_values("n", 2)); autokitteh.outcome(1)')
    with Bench(tmp_path) as bench:
        data = {"gate": str(gate.path), "file": str(tmp_path / "file")}
        result = bench.wait(bench.submit(program, "program.py:main", data=data, durable=False).id)
    assert (result.prints, result.session.result) == (["begins 1", "ends 2"], 7)
    assert not result.calls("start") and not result.calls()
    assert {record.kind for record in result.records} == {"state", "print", "store", "outcome"}
    assert all(record.index == -1 for record in result.records)


def test_it_begins_anew_when_its_process_dies(tmp_path: Path, gate: Gate) -> None:
    """What it did before is done again: that is what durability is for."""
    with Bench(tmp_path) as bench:
        data = {"gate": str(gate.path), "file": str(tmp_path / "file")}
        session = bench.submit(PROGRAM, "program.py:main", data=data, durable=False)
        bench.wait_until(session.id, lambda result: len(result.prints) == 1)
        kill(*runner_pids(bench))
        bench.wait_until(session.id, lambda result: len(result.prints) == 2)
        gate.open()
        result = bench.wait(session.id)
    assert result.prints == ["begins 1", "begins 2", "ends"]
    assert [record.result for record in result.records if record.name == "RUNNING"] == ["", "started again"]


def test_it_begins_three_times_at_most(tmp_path: Path) -> None:
    """After that it is its own fault."""
    program = HOLD + "def main(event):\n    print(count(event.data.file))\n    os.kill(os.getpid(), 9)\n"
    with Bench(tmp_path) as bench:
        data = {"file": str(tmp_path / "file")}
        result = bench.wait(bench.submit(program, "program.py:main", data=data, durable=False).id)
    assert (result.state, result.prints) == ("ERROR", ["1", "2", "3"])
    assert "3 times" in result.error


def test_servers_that_close_or_die_count_as_well(tmp_path: Path, gate: Gate) -> None:
    """A session that was interrupted three times, by whatever, is not begun a fourth time."""
    data = {"gate": str(gate.path), "file": str(tmp_path / "file")}
    for time in (1, 2, 3):
        with Bench(tmp_path) as bench:
            session = bench.submit(PROGRAM, "program.py:main", data=data, durable=False)
            bench.wait_until(session.id, lambda result, time=time: len(result.prints) == time)
    gate.open()
    with Bench(tmp_path) as bench:
        result = bench.wait(session.id)
    assert (result.state, result.prints) == ("ERROR", ["begins 1", "begins 2", "begins 3"])
    assert "interrupted 3 times" in result.error
