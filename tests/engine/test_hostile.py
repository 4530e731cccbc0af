"""Code that has got hold of its process's socket, and says what it wants. The server serves the next session."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autokitteh_runner.protocol import (
    Append,
    Done,
    End,
    Idle,
    Limits,
    Message,
    Request,
    Run,
    Unwait,
    Wait,
    WireRecord,
    encode,
)
from harness import Bench, Result

#: Writes bytes to the server in the session's name, and then waits to be ended.
FORGER = """
import os, socket, stat, time
import autokitteh

def sockets():
    for fd in range(3, 100):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                yield fd
        except OSError:
            pass

@autokitteh.activity
def forge(data):
    for fd in sockets():
        try:
            socket.socket(fileno=os.dup(fd)).sendall(data)
        except OSError:
            pass
    time.sleep(1000)

def main(event):
    print("begun")
    forge(event.data.bytes)

def good(event):
    return "served"
"""

CALL = ("call", "done", "0", 0, "f", "", "", "", "", "", 1, 1, 1, "pickle", 0)


def append(*values: Any, body: bytes = b"") -> Message:
    return Append([WireRecord(*values)], True, body)


def request(kind: str, body: bytes, index: int = 5) -> Message:
    return Request("0", index, kind, "x", "", "", "", body)


FORGED: dict[str, bytes | Message] = {
    "no frame": b"hello, this is no message at all",
    "a huge header": struct.pack(">II", 2**31, 0),
    "a huge body": struct.pack(">II", 3, 2**32 - 1) + b"[3]",
    "an unknown tag": struct.pack(">II", 4, 0) + b"[99]",
    "deep nesting": struct.pack(">II", 100_000, 0) + b"[" * 100_000,
    "NaN": struct.pack(">II", 9, 0) + b"[8, NaN] ",
    "what the server says": Done("0", 0, "json", 1, b"null"),
    "a beginning": Run(1, "s", "p", "/", "x", True, 1, {}, {}, "/", False, [], [], b""),
    "another end": End("STOPPED", "", b""),
    "no state at all": End([], "", b""),  # type: ignore[arg-type]
    "no result": End("COMPLETED", "", b"[1, NaN]"),
    "a record of the server's": append("state", *CALL[1:]),
    "a record of too few fields": Append([["call"]], True, b""),  # type: ignore[list-item]
    "more than a body has": append(*CALL[:-1], 1000),
    "no place": append("call", "done", "\0", *CALL[3:]),
    "no number": append(*CALL[:10], 2**70, *CALL[11:]),
    "a record twice": Append([WireRecord(*CALL), WireRecord(*CALL)], True, b""),
    "an unknown request": request("shutdown", b"{}"),
    "no arguments": request("signal", b"{}"),
    "arguments of other types": request("store", b'{"op": [], "key": {}, "args": 1}'),
    "a value too deep": request("signal", b'{"session_id": "", "name": "", "payload": %b}' % (b"[" * 500 + b"]" * 500)),
    "a wait for ever and ever": Wait("0", 9, "sleep", "x", "", "", [], 1e300, False, None),
    "a wait for what is none": Wait("0", 9, "call", "x", "", "", [], 1.0, False, None),
    "an unknown wait's end": Unwait({}, 1),  # type: ignore[arg-type]
    "no number of answers": Idle("many"),  # type: ignore[arg-type]
}


def run(bench: Bench, data: bytes, **order: Any) -> Result:
    return bench.wait(bench.submit(FORGER, "program.py:main", data={"bytes": data}, **order).id)


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "plain"])
def test_forged_frames_end_their_session(tmp_path: Path, durable: bool) -> None:
    """Each with an error that says what was done, within a few turns; and nobody else notices."""
    with Bench(tmp_path, max_failures=2) as bench:
        for name, forged in FORGED.items():
            result = run(bench, forged if isinstance(forged, bytes) else encode(forged), durable=durable)
            assert result.state == "ERROR", name
            told = "sent a record that the journal has" if name == "a record twice" else "sent what is no message"
            assert told in result.warnings[-1], name
            assert told in result.error or "interrupted 2 times" in result.error, name
        assert bench.wait(bench.submit(FORGER, "program.py:good").id).session.result == "served"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: struct.pack(">II", len(data), 0) + data))
def test_garbage_ends_its_session(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes do, as far as they are enough for a frame; what is not is nothing yet."""
    with Bench(tmp_path_factory.mktemp("garbage"), max_failures=1) as bench:
        result = run(bench, data + struct.pack(">II", 2**32 - 1, 2**32 - 1))
        assert result.state == "ERROR" and "sent what is no message" in result.error


PRINTER = """
import sys

def main(event):
    for n in range(event.data.lines):
        print("x" * event.data.width)
    return "done"

def endless(event):
    for n in range(event.data.lines):
        sys.stdout.write("x" * event.data.width)
    return "done"
"""


def rss_bytes() -> int:
    """The memory of this process, the server's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "plain"])
@pytest.mark.parametrize("entry", ["main", "endless"])
def test_200_megabytes_of_prints(tmp_path: Path, entry: str, durable: bool) -> None:
    """The log gets what it takes, one warning says that there was more, and the server's memory stays flat."""
    limits = Limits(memory_bytes=1024**3, log_bytes=20_000_000)
    with Bench(tmp_path, limits=limits) as bench:
        before = rss_bytes()
        session = bench.submit(PRINTER, f"program.py:{entry}", data={"lines": 2_000, "width": 100_000}, durable=durable)
        with bench.growth.changed:
            bench.growth.changed.wait_for(lambda: is_over(bench, session.id), 60)
        grown = rss_bytes() - before
        result = bench.load(session.id)
    assert result.state == "COMPLETED" and result.session.result == "done"
    assert 19_000_000 < sum(map(len, result.prints)) <= 20_000_000
    (warning,) = result.warnings
    assert "more than 20,000,000 bytes" in warning
    assert grown < 64_000_000


def is_over(bench: Bench, session_id: str) -> bool:
    assert bench.server is not None
    from autokitteh_server.storage import sessions

    return bench.server.database.read(lambda conn: sessions.get(conn, session_id)).state.is_final


def test_prints_that_the_runner_does_not_count(tmp_path: Path) -> None:
    """A process that writes to its socket is held to the same, by the server."""
    line = WireRecord("print", "done", "0", -1, "stdout", "", "", "", "x" * 100_000, "", 1, 1, 1, "", 0)
    data = b"".join(encode(Append([line], False, b"")) for _ in range(100)) + encode(End("COMPLETED", "", b"null"))
    with Bench(tmp_path, limits=Limits(memory_bytes=1024**3, log_bytes=2_000_000)) as bench:
        result = run(bench, data, durable=False)
    assert result.state == "COMPLETED"
    assert 2_000_000 < sum(map(len, result.prints)) < 2_300_000
    (warning,) = result.warnings
    assert "the rest is dropped" in warning
