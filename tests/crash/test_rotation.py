"""The server is killed while it changes keys, at each point: every secret is there, and the next call finishes."""

import os
import signal
import traceback
from pathlib import Path

import pytest

from autokitteh_server.core import crashpoints
from autokitteh_server.operations import secrets, variables
from autokitteh_server.operations.secrets import BATCH
from autokitteh_server.secretbox.keys import read_key_file
from served import PROJECT, serving

NAMES = [f"S{number}" for number in range(BATCH + 5)]


@pytest.mark.parametrize("passage", [1, 2])
@pytest.mark.parametrize("point", crashpoints.ROTATION_NAMES)
def test_killed_at_each_point(tmp_path: Path, point: str, passage: int) -> None:
    """A server that starts with the file as it is then opens them all, and one more change leaves a single key."""
    with serving(tmp_path, durable=True) as served:
        served.deploy("def main(event):\n    pass\n")
        for name in NAMES:
            variables.set_value(served.services, PROJECT, name, f"value of {name}", is_secret=True)
        before = served.services.keyring.key_ids
    died = _dies(tmp_path, f"{point}:{passage}")
    assert died or passage == 2
    for _ in range(2):  # the second start finds what the first one has left
        with serving(tmp_path, durable=True) as served:
            shown = variables.list_all(served.services, PROJECT, reveal=True)
            assert {each.name: each.value for each in shown} == {name: f"value of {name}" for name in NAMES}
            if died:
                done = secrets.rotate(served.services, keep_old_keys=False)
                assert done.unopenable == []
        (key,) = read_key_file(tmp_path / "data" / "secret-key")
        assert key not in before
    assert not list((tmp_path / "data").glob(".secret-key*")) or died


def _dies(folder: Path, crash_at: str) -> bool:
    """Change keys in a process of its own; whether that was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            with serving(folder, durable=True, crash_at=crash_at) as served:
                secrets.rotate(served.services, keep_old_keys=False)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0
