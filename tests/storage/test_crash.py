"""What was acknowledged is there after SIGKILL."""

import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest

from autokitteh_server.storage.database import Database
from storage.rows import add_session, claim, load

CHILD = Path(__file__).with_name("committing_child.py")


@pytest.mark.parametrize("seed", range(4))
def test_acknowledged_records_survive_a_kill(database: Database, store_url: str, seed: int) -> None:
    """A process that commits for four sessions is killed somewhere; nothing it was promised is lost or doubled."""
    ids = [add_session(database) for _ in range(4)]
    acknowledgements = random.Random(seed).randrange(1, 120)
    with subprocess.Popen([sys.executable, CHILD, store_url, *ids], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = list(itertools.islice(child.stdout, acknowledgements))
        child.kill()
        lines += child.stdout.readlines()
    promised = dict.fromkeys(ids, -1)
    for line in lines:
        if line.endswith("\n"):
            session_id, index = line.split()
            promised[session_id] = int(index)
    assert len(lines) >= acknowledgements
    for session_id in ids:
        claim(database, session_id)  # on PostgreSQL it waits for what the dead owner may still have under way
        records = [stored.record for stored in load(database, session_id)]
        assert [record.index for record in records] == list(range(len(records)))
        assert len(records) > promised[session_id]
        for record in records:
            assert record.payload == bytes([record.index % 256]) * (record.index % 7) * 20_000
