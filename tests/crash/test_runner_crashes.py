"""The runner is killed, and not the server, wherever something has just become durable."""

import random
from pathlib import Path

import pytest

from crash.truth import PROGRAMS, check
from engine.life import kill, runner_pids
from harness import Bench


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", PROGRAMS)
def test_runners_killed_at_random(tmp_path: Path, name: str, seed: int) -> None:
    """What was durable is replayed; what was under way is done again, and marked."""
    choose = random.Random(f"{name} {seed}")
    program, effects = PROGRAMS[name], tmp_path / "effects"
    kills = 0
    with Bench(tmp_path, max_failures=1000) as bench:
        session = bench.submit(program.source(effects), "program.py:main")
        while not (now := bench.load(session.id)).session.state.is_final:
            known = len(now.records) + choose.randrange(4)
            bench.wait_until(
                session.id, lambda result, known=known: result.session.state.is_final or len(result.records) > known
            )
            for pid in runner_pids(bench):
                kills += 1
                try:
                    kill(pid)
                except ProcessLookupError:
                    pass
    check(program, f"sqlite:///{tmp_path}/data/autokitteh.db", effects, crashes=kills)
