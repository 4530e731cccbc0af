"""Fork servers: what is imported in them, what their children do not share, and what becomes of broken ones."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from autokitteh_server.core.clock import VirtualClock
from engine.life import until
from isolation.stage import Stage, confining
from isolation.wheels import Index, package_index

#: Says in which process it was imported.
HEAVY = "import os\nPID = os.getpid()\n"
THREADED = HEAVY + "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
CONNECTED = HEAVY + "import socket\nPAIR = socket.socketpair()\n"
DEADLY = HEAVY + "os.abort()\n"
FAILING = HEAVY + "raise RuntimeError('no such device')\n"
NUMPY_RANDOM = "import os\nSTATE = [0]\n\ndef seed():\n    STATE[0] = os.getpid()\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Packages that are imported ahead, and what may be wrong with that."""
    with package_index() as found:
        for name, code in {"heavy": HEAVY, "threaded": THREADED, "connected": CONNECTED, "deadly": DEADLY}.items():
            found.add(name, {name: code})
        found.add("failing", {"failing": FAILING})
        found.add("numpy", {"numpy/__init__": "from numpy import random\n", "numpy/random": NUMPY_RANDOM})
        yield found


@pytest.fixture
def stage(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A server with environments of its own."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    with confining(tmp_path, environment_folder=None) as made:
        yield made


def project(index: Index, module: str) -> dict[str, str]:
    """A project whose handler tells in which process a module was imported, and in which it runs."""
    handler = f"def main(event):\n    return [{module}.PID, own.PID, os.getpid()]\n"
    program = f"import os\nimport {module}\nimport own\n\n{handler}"
    return {"program.py": program, "own.py": HEAVY, "requirements.txt": index.requirements(module)}


def test_packages_are_imported_once_and_project_code_never(stage: Stage, index: Index) -> None:
    """All sessions have what the fork server has imported; the project's modules each has for itself."""
    stage.deploy(project(index, "heavy"))

    found = [stage.served.wait(stage.begin()).session.result for _ in range(3)]

    assert len({heavy for heavy, _, _ in found}) == 1
    assert all(own == here and heavy != here for heavy, own, here in found)


@pytest.mark.parametrize(("module", "why"), [("threaded", "starts a thread"), ("connected", "leave open")])
def test_what_cannot_be_forked_is_imported_by_each_session(stage: Stage, index: Index, module: str, why: str) -> None:
    """Whoever deploys is told."""
    deployed = stage.deploy(project(index, module))

    assert why in deployed.lines[-1]
    for _ in range(2):
        imported, _, here = stage.served.wait(stage.begin()).session.result
        assert imported == here


def test_a_package_that_ends_the_process(stage: Stage, index: Index) -> None:
    """Only sessions that import it suffer, and say so."""
    deployed = stage.deploy(project(index, "deadly"))

    result = stage.served.wait(stage.begin())

    assert "died" in deployed.lines[-1]
    assert result.state == "ERROR" and "SIGABRT" in result.error
    stage.check_that_others_are_served()


def test_a_package_that_cannot_be_imported(stage: Stage, index: Index) -> None:
    """Whoever deploys is told; the session has the error with the line of its import."""
    deployed = stage.deploy(project(index, "failing"))

    result = stage.served.wait(stage.begin())

    assert deployed.lines[-1] == "! `import failing` fails: RuntimeError: no such device"
    assert "no such device" in result.error and 'File "program.py", line 2' in result.error


def test_children_have_random_numbers_of_their_own_from_numpy_too(stage: Stage, index: Index) -> None:
    """Which would not do that by itself."""
    program = "import os\nimport numpy.random\n\ndef main(event):\n    return numpy.random.STATE[0] == os.getpid()\n"

    result = stage.run({"program.py": program, "requirements.txt": index.requirements("numpy")})

    assert result.session.result is True


MANY = """
import os, random, stat, uuid

def main(event):
    sockets = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            sockets += stat.S_ISSOCK(os.fstat(int(name)).st_mode)
        except OSError:
            pass
    return [random.random(), str(uuid.uuid4()), os.urandom(8).hex(), sockets, event.data.n, os.environ["WHO"],
            os.environ["TMPDIR"]]
"""


def test_two_hundred_sessions_at_once(tmp_path: Path) -> None:
    """All from one fork server: no two share what is random, a folder or a socket; each has its own event."""
    manifest = "version: v2\nproject:\n  name: many\n  vars: [{name: WHO, value: many}]\n"
    with confining(tmp_path, max_runners=64) as stage:
        stage.deploy({"program.py": MANY, "autokitteh.yaml": manifest}, "many")
        ids = [stage.begin("many", {"n": number}) for number in range(200)]
        found = [stage.served.wait(each).session.result for each in ids]
        assert stage.served.app.server.pool.count_fork_servers() <= 2  # and the one that was asked what is in force

    for column in (0, 1, 2, 6):
        assert len({each[column] for each in found}) == 200
    assert {each[3] for each in found} == {1}
    assert [each[4] for each in found] == list(range(200))
    assert {each[5] for each in found} == {"many"}


DURABLE = """
import heavy
from autokitteh import next_signal

def main(event):
    print("waits")
    next_signal("go")
    return "went on"
"""


def test_a_fork_server_that_is_killed_is_replaced(stage: Stage, index: Index) -> None:
    """Sessions that it had go on in another process, and do not notice."""
    stage.deploy({"program.py": DURABLE, "requirements.txt": index.requirements("heavy")})
    waiting = stage.begin(durable=True)
    stage.served.wait_until(lambda: bool(stage.served.load(waiting).prints))
    stations = [each for each in stage.served.app.server.pool._stations.values() if each.place.modules]
    (server,) = [each.server for each in stations]
    assert server is not None

    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.is_alive)
    second = stage.begin(durable=True)
    stage.served.wait_until(lambda: bool(stage.served.load(second).prints))
    _send(stage, waiting, second)

    assert [stage.served.wait(each).session.result for each in (waiting, second)] == ["went on"] * 2
    assert stage.served.load(waiting).prints == ["waits"]


def _send(stage: Stage, *session_ids: str) -> None:
    from autokitteh_server.storage import signals  # beside its only use

    services = stage.served.services
    for session_id in session_ids:
        services.database.write(lambda conn, to=session_id: signals.send(conn, to, "go", None, now=1))  # type: ignore[misc]
        services.scheduler.wake(session_id, "go")


def test_fork_servers_that_nobody_uses_end(tmp_path: Path) -> None:
    """After a while; the next session has a new one."""
    clock = VirtualClock(1_748_736_000_000_000)
    with confining(tmp_path, clock=clock, fork_server_idle_s=600.0) as stage:
        pool = stage.served.app.server.pool
        assert stage.run("def main(event):\n    return 1\n").session.result == 1
        assert pool.count_fork_servers() > 0

        clock.reach(clock.now_us() + 601_000_000)

        def is_over() -> bool:
            with pool._keeper.changed:  # which would look again by itself, after a while of real time
                pool._keeper.changed.notify_all()
            return pool.count_fork_servers() == 0

        until(is_over)

        assert stage.served.wait(stage.begin()).session.result == 1


def test_a_sessions_folder_goes_with_it(tmp_path: Path) -> None:
    """Whatever is in it: closed folders, links to elsewhere, and more folders in one another than Python can follow."""
    program = """
import os, tempfile

def main(event):
    os.chdir(tempfile.gettempdir())
    os.symlink("/", "everything")
    os.makedirs("closed/inner")
    os.chmod("closed", 0)
    for _ in range(2000):
        os.mkdir("d")
        os.chdir("d")
"""
    with confining(tmp_path) as stage:
        result = stage.run(program)
        folder = stage.data_dir / "tmp"
        assert result.state == "COMPLETED", result.error
        until(lambda: len(list(folder.iterdir())) <= stage.served.app.server.pool.count_fork_servers())
    assert list(folder.iterdir()) == [] and Path("/usr").exists()
