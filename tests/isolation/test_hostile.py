"""Projects that mean it ill, each kind in a test of its own. After each the server serves the next session."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from isolation.conftest import SERVERS_SECRET
from isolation.stage import Stage

#: What programs look at things with.
LOOK = """
import os

def tell(look, *args):
    try:
        return {"got": repr(look(*args))[:200]}
    except OSError as error:
        return {"error": type(error).__name__}

def read(path):
    with open(path, "rb") as file:
        return file.read(100)
"""

#: A session that has something to hide, and stays for as long as a file is there.
NEIGHBOUR = """
import os, tempfile, threading
from autokitteh import next_event, subscribe

def main(event):
    path = os.path.join(tempfile.gettempdir(), "hidden")
    with open(path, "w") as file:
        file.write("hidden")
    os.environ["HIDDEN"] = "hidden"
    subscription = subscribe("nothing_comes")
    print(os.getpid(), path)
    next_event(subscription, timeout=60)
"""


@pytest.fixture(autouse=True)
def _others(stage: Stage) -> Iterator[None]:
    yield
    stage.check_that_others_are_served()


@pytest.fixture
def needs_files(stage: Stage) -> None:
    """Skips where the kernel cannot bound which files a session sees."""
    if not stage.confines("files"):
        pytest.skip("this kernel has no Landlock")


@pytest.fixture
def neighbour(stage: Stage) -> Iterator[tuple[int, str]]:
    """A session of another project: its process, and a file of its own."""
    session_id = _begin_neighbour(stage, "neighbour")
    yield _where(stage, session_id)
    _end(stage, session_id)


def _begin_neighbour(stage: Stage, name: str) -> str:
    stage.deploy(
        {
            "program.py": NEIGHBOUR,
            "autokitteh.yaml": f"version: v2\nproject:\n  name: {name}\n  triggers:\n"
            "    - {name: nothing_comes, type: webhook}\n",
        },
        name,
    )
    session_id = stage.begin(name)
    stage.served.wait_until(lambda: bool(stage.served.load(session_id).prints))
    return session_id


def _where(stage: Stage, session_id: str) -> tuple[int, str]:
    pid, _, path = stage.served.load(session_id).prints[0].partition(" ")
    return int(pid), path


def _end(stage: Stage, session_id: str) -> None:
    stage.served.services.scheduler.stop(session_id, force=True)
    assert stage.served.wait(session_id).state == "STOPPED"


def test_the_servers_environment(stage: Stage) -> None:
    """Neither its own copy of it nor the kernel's."""
    program = (
        LOOK
        + f"""
def main(event):
    return {{"has": "{SERVERS_SECRET}" in os.environ, "server": tell(read, f"/proc/{{event.data.server}}/environ"),
             "parent": tell(read, f"/proc/{{os.getppid()}}/environ")}}
"""
    )
    found = stage.run(program, {"server": os.getpid()}).session.result

    assert found["has"] is False
    if stage.confines("files") or stage.confines("user"):
        assert found["server"] == {"error": "PermissionError"}
    assert "hush-hush" not in str(found)


def test_the_database_and_the_key(stage: Stage, needs_files: None) -> None:
    """Nor what else is in the data folder: it is as if it were not there."""
    stage.deploy("def main(event): pass\n", "theirs")
    program = (
        LOOK
        + """
def main(event):
    return [tell(read, path) for path in event.data.paths] + [tell(os.listdir, path) for path in event.data.folders]
"""
    )
    builds = list((stage.data_dir / "builds").iterdir())
    paths = [str(path) for path in stage.data_dir.iterdir() if path.is_file()]
    assert any(path.endswith("secret-key") for path in paths) and any(path.endswith(".db") for path in paths)
    theirs = [str(path / "program.py") for path in builds]
    inner = [str(stage.data_dir / name) for name in ("", "builds", "tmp")]
    folders = [*inner, "/root", "/home", "/tmp", "/work", "/var"]

    found = stage.run(program, {"paths": paths + theirs, "folders": folders}).session.result

    assert {next(iter(each)) for each in found} == {"error"}, found


def test_other_sessions_folders(stage: Stage, neighbour: tuple[int, str], needs_files: None) -> None:
    """Of another project, and of the same one."""
    program = (
        LOOK
        + """
def main(event):
    return [tell(read, path) for path in event.data.paths] + [tell(open, path, "w") for path in event.data.paths]
"""
    )
    same = _begin_neighbour(stage, "hostile")
    _, sibling = _where(stage, same)
    stage.deploy(program)

    found = stage.served.wait(stage.begin(data={"paths": [neighbour[1], sibling]})).session.result

    assert {next(iter(each)) for each in found} == {"error"}, found
    _end(stage, same)


def test_what_the_kernel_says_of_others(stage: Stage, neighbour: tuple[int, str], needs_files: None) -> None:
    """Environment, memory, open files, folders: of the server, the fork server, and other sessions."""
    program = (
        LOOK
        + """
def main(event):
    found = {}
    for pid in [*event.data.pids, os.getppid()]:
        for name in ("environ", "mem", "maps", "auxv", "syscall"):
            found[f"{pid} {name}"] = tell(read, f"/proc/{pid}/{name}")
        for name in ("cwd", "root", "exe", "fd/0", "fd/3"):
            found[f"{pid} {name}"] = tell(os.readlink, f"/proc/{pid}/{name}")
        found[f"{pid} open fd"] = tell(read, f"/proc/{pid}/fd/3")
    return found
"""
    )
    found = stage.run(program, {"pids": [os.getpid(), neighbour[0]]}).session.result

    assert {name: each for name, each in found.items() if "got" in each} == {}


def test_more_processes_than_allowed(stage: Stage) -> None:
    """All of them end with the session, also those that have made themselves independent."""
    program = """
import os, subprocess, sys, time

def main(event):
    for number in range(200):
        subprocess.Popen([sys.executable, "-S", "-c", f"import time; time.sleep(60)  # {event.data.mark}"],
                         start_new_session=number % 2 == 0)
        time.sleep(0.002)
    time.sleep(60)
"""
    mark = "more-processes-than-allowed"

    result = stage.run(program, {"mark": mark}, limits="processes: 20")

    assert result.state == "ERROR"
    assert "had more than 20 processes" in result.error, result.error
    _wait_for_none(mark)


def test_a_daemon_ends_with_its_session(stage: Stage) -> None:
    """One that has left its process group, its session of the terminal, and its parents."""
    program = """
import os, subprocess, sys, time

def main(event):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-S", "-c", f"import time; time.sleep(60)  # {event.data.mark}"])
        os._exit(0)
    time.sleep(0.3)
"""
    stage.run(program, {"mark": "a-daemon"})

    _wait_for_none("a-daemon")


def _wait_for_none(mark: str) -> None:
    """Until no process has this in its command line."""
    for _ in range(500):
        if not any(mark in line for line in _command_lines()):
            return
        signal.sigtimedwait([], 0.02)
    raise AssertionError(f"still there: {[line for line in _command_lines() if mark in line][:3]}")


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text(errors="replace")
        except OSError:
            pass


def test_more_memory_than_allowed_bit_by_bit(stage: Stage) -> None:
    """It is killed, with the reason."""
    program = """
import time

def main(event):
    kept = []
    for _ in range(100):
        kept.append(b"x" * 4_000_000)
        time.sleep(0.02)
"""
    result = stage.run(program, limits="memory: 150 MiB")

    assert result.state == "ERROR"
    assert "killed: used more than 150 MiB of memory" in result.error


def test_more_memory_than_allowed_at_once(stage: Stage) -> None:
    """The kernel refuses: that is an error which code can catch, and which says what the limit is."""
    result = stage.run("def main(event):\n    return len(bytearray(2_000_000_000))\n", limits="memory: 150 MiB")

    assert result.state == "ERROR"
    assert "MemoryError" in result.error and "150 MiB of memory" in result.error


def test_memory_of_its_children(stage: Stage) -> None:
    """What a session's processes use is added up."""
    program = """
import subprocess, sys, time

def main(event):
    code = "import time; kept = b'x' * 60_000_000; time.sleep(60)"
    for _ in range(4):
        subprocess.Popen([sys.executable, "-S", "-c", code])
    time.sleep(60)
"""
    result = stage.run(program, limits="memory: 150 MiB")

    assert "killed: used more than 150 MiB of memory" in result.error


def test_a_file_past_its_limit(stage: Stage) -> None:
    """The write fails, and the session's error says why."""
    program = """
import os, tempfile

def main(event):
    with open(os.path.join(tempfile.gettempdir(), "large"), "wb") as file:
        file.write(b"x" * 3_000_000)
"""
    result = stage.run(program, limits="file_size: 1 MiB")

    assert result.state == "ERROR"
    assert "File too large" in result.error and "1 MiB" in result.error


def test_too_many_open_files(stage: Stage) -> None:
    """Likewise."""
    program = "def main(event):\n    kept = [open('/dev/null') for _ in range(200)]\n"

    result = stage.run(program, limits="open_files: 64")

    assert "Too many open files" in result.error and "64 files open" in result.error


def test_more_processor_time_than_allowed(stage: Stage) -> None:
    """It is killed, with the reason."""
    result = stage.run("def main(event):\n    while True:\n        pass\n", limits="cpu_seconds: 1")

    assert result.state == "ERROR"
    assert "killed: used more than 1 s of processor time" in result.error


def test_ignoring_sigterm(stage: Stage) -> None:
    """Nobody asks it."""
    program = """
import signal, time

def main(event):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    print("deaf")
    while True:
        time.sleep(1)
"""
    stage.deploy(program)
    session_id = stage.begin()
    stage.served.wait_until(lambda: stage.served.load(session_id).prints == ["deaf"])

    _end(stage, session_id)


def test_signals_to_its_parent_and_siblings(stage: Stage, neighbour: tuple[int, str]) -> None:
    """None arrives, and `kill(-1)` reaches nobody."""
    same = _begin_neighbour(stage, "hostile")
    program = (
        LOOK
        + """
def main(event):
    pids = [*event.data.pids, os.getppid(), -1]
    return [tell(os.kill, pid, 9) for pid in pids]
"""
    )
    stage.deploy(program)
    sibling, _ = _where(stage, same)
    pids = [neighbour[0], os.getpid()] + ([sibling] if stage.confines("signals") else [])
    if not (stage.confines("signals") or stage.confines("user")):
        pytest.skip("nothing on this machine bounds signals")

    result = stage.served.wait(stage.begin(data={"pids": pids}))

    assert [next(iter(each)) for each in result.session.result[:-1]] == ["error"] * (len(pids) + 1)
    if stage.confines("signals"):
        assert Path(f"/proc/{sibling}").exists()
    assert Path(f"/proc/{neighbour[0]}").exists()
    _end(stage, same)


SOCKET = """
import os, socket, stat, struct, json

def server():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return socket.socket(fileno=os.dup(number))
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    "sent",
    [
        "os.urandom(5000)",
        "b'\\0\\0\\0\\x05\\0\\0\\0\\0[999]'",
        "struct.pack('>II', 0xffffffff, 0xffffffff) + b'x' * 5_000_000",
        "struct.pack('>II', 2, 0) + b'[]'",
        "struct.pack('>II', len(head), 0) + head",
    ],
    ids=["garbage", "an unknown message", "a huge frame", "an empty message", "an end in another state"],
)
def test_what_is_no_message_on_its_socket(stage: Stage, sent: str) -> None:
    """The session fails, and nothing else."""
    program = (
        SOCKET
        + f"""
def main(event):
    head = json.dumps([9, "ROOT", ""]).encode()
    server().sendall({sent})
    server().recv(1)
    import time
    time.sleep(30)
"""
    )
    result = stage.run(program)

    assert result.state == "ERROR"
    assert "no message" in result.error or "is not" in result.error, result.error


def test_a_pickle_that_does_something(stage: Stage, needs_files: None) -> None:
    """The server keeps what activities give as it is, and never unpickles it."""
    program = """
import os
from autokitteh import activity

class Payload:
    def __init__(self, path):
        self.path = path
    def __reduce__(self):
        return os.mkdir, (self.path,)

@activity
def give(path):
    return Payload(path)

def main(event):
    give(event.data.path)
"""
    path = stage.data_dir / "unpickled"

    result = stage.run(program, {"path": str(path)}, durable=True)

    assert result.state == "ERROR" and "PermissionError" in result.error  # where it is unpickled: in the session
    assert not path.exists()


def test_printing_without_end(stage: Stage) -> None:
    """The log has its bounds, and the session goes on."""
    program = """
def main(event):
    line = "x" * 9_999
    for _ in range(20_000):
        print(line)
    return "done"
"""
    before = _resident_bytes()

    result = stage.run(program)

    assert result.session.result == "done"
    assert sum(len(line) for line in result.prints) < 60_000_000
    assert _resident_bytes() - before < 400_000_000


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
