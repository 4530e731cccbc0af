"""`ak up` as a process: it starts, says where it is, refuses what it must, and stops as it is told."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from ak_process import Ak, Ended, finish

PROGRAM = """
import time
def waits(event):
    print("begun")
    time.sleep(1000)
def main(event):
    print("hello")
"""


@contextmanager
def up(ak: Ak, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server on the folder `data`, until the end; its URL and process."""
    process = ak.start("up", "--data-dir", "data", *(arguments or ("--addr", "127.0.0.1:0")))
    try:
        yield url_of(process), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        finish(process)


def url_of(process: "subprocess.Popen[str]") -> str:
    """What a server says when it is up."""
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"autokitteh is up at (http://\S+)\n", line)
    assert found, (line, process.stderr.read() if not line else "")
    return found[1]


def stop(process: "subprocess.Popen[str]", order: signal.Signals) -> Ended:
    process.send_signal(order)
    return finish(process)


def test_first_minutes(ak: Ak) -> None:
    """One command; then deploy, start and look, with nothing said about where and who."""
    ak.write(program=PROGRAM)
    environ = {"AK_DATA_DIR": "data"}
    with up(ak) as (url, process):
        deployed = ak("deploy", "program.py", "--name", "demo", environ=environ)
        watched = ak("session", "start", "demo", "--entry", "program.py:main", "--watch", environ=environ)
        note = json.loads((ak.folder / "data" / "server.json").read_text())

        assert note == {"url": url, "pid": process.pid}
        assert deployed.code == 0 and deployed.lines[0] == "+ project demo"
        assert watched.code == 0 and "hello" in watched.out
        ended = stop(process, signal.SIGINT)
    assert (ended.code, ended.out) == (0, "")
    assert "Stopping; once more ends it at once" in ended.err and "Traceback" not in ended.err
    assert not (ak.folder / "data" / "server.json").exists()
    assert stat.S_IMODE((ak.folder / "data").stat().st_mode) == 0o700


def test_a_key_that_is_lost(ak: Ak) -> None:
    """A server whose key file is gone does not start without it; with another key it says what it cannot open."""
    ak.write(program=PROGRAM)
    environ = {"AK_DATA_DIR": "data"}
    with up(ak) as (_, process):
        assert ak("deploy", "program.py", "--name", "demo", environ=environ).code == 0
        assert ak("var", "set", "demo", "TOKEN", "s3cret value", "--secret", environ=environ).code == 0
        assert "the value of TOKEN" not in stop(process, signal.SIGINT).err
    (ak.folder / "data" / "secret-key").unlink()

    refused = ak("up", "--data-dir", "data", "--addr", "127.0.0.1:0")
    assert (refused.code, refused.out) == (42, "")
    for text in ("data/secret-key: the key file is missing", "1 secret in the database", "`ak secrets new-key`"):
        assert text in refused.err
    assert not (ak.folder / "data" / "secret-key").exists()

    made = ak("secrets", "new-key", environ=environ)
    with up(ak) as (_, process):
        status = ak("secrets", "status", environ=environ)
        ended = stop(process, signal.SIGINT)

    assert made.code == 0 and "has the new key" in made.err
    assert "1 secret cannot be decrypted:" in status.lines and status.lines[-1].split()[:2] == ["demo", "TOKEN"]
    assert ended.code == 0 and "the value of TOKEN" in ended.err and "s3cret" not in ended.err


def test_sigterm_stops_it_as_well(ak: Ak) -> None:
    """As service managers do it."""
    with up(ak) as (url, process):
        ended = stop(process, signal.SIGTERM)

        assert ended.code == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health", trust_env=False)


def test_second_order_ends_it_at_once(ak: Ak) -> None:
    """Also while it waits for something: here, for a request whose body does not come."""
    with up(ak) as (url, process):
        host, _, port = url.removeprefix("http://").rpartition(":")
        token = (ak.folder / "data" / "token").read_text().strip()
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                f"POST /api/v1/projects HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert b"100 Continue" in slow.recv(100)  # the server is waiting for it
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while "Stopping" not in process.stderr.readline():
                assert process.poll() is None
            ended = stop(process, signal.SIGINT)

    assert ended.code == 130


def test_second_server_on_the_folder(ak: Ak) -> None:
    """Is refused, whether or not it would have another address, and told whose it is; the first one goes on."""
    with up(ak) as (url, process):
        other_address = ak("up", "--data-dir", "data", "--addr", "127.0.0.1:0")
        same_address = ak("up", "--data-dir", "data", "--addr", url.removeprefix("http://"))

        for ended in (other_address, same_address):
            assert (ended.code, ended.out) == (42, "")
            assert ended.err.startswith(f"Error: {ak.folder / 'data'} is in use by another process, {process.pid}\n")
            assert "--data-dir" in ended.err
        assert httpx.get(f"{url}/ready", trust_env=False).status_code == 200
        assert (ak.folder / "data" / "server.json").exists()


def test_taken_port(ak: Ak) -> None:
    """Is told with the address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = ak("up", "--data-dir", "data", "--addr", address)

    assert ended.code == 42
    assert ended.err.startswith(f"Error: cannot listen on {address}: Address already in use\n")
    assert "--addr HOST:PORT" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--engine", "temporal"], 42, "this version has no engine temporal"),
        (["--engine", "steam"], 2, "'steam' is not one of 'local', 'temporal'"),
        (["--addr", "nowhere"], 40, "--addr nowhere: "),
        (["--addr", "127.0.0.1:99999"], 40, "--addr 127.0.0.1:99999: "),
        (["--addr", "host.invalid:0"], 40, "host.invalid is no address of this machine"),
        (["--db", "mysql://x"], 40, "mysql"),
        (["--data-dir", "file"], 2, "is a file"),
        (["--data-dir", "file/data"], 42, "cannot be a data folder"),
    ],
)
def test_bad_use(ak: Ak, arguments: list[str], code: int, said: str) -> None:
    """Nothing is started."""
    (ak.folder / "file").write_text("")
    given = ["--data-dir", "data", "--addr", "127.0.0.1:0", *arguments]

    ended = ak("up", *given)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("Error: ") and said in ended.err


def test_after_kill_9(ak: Ak) -> None:
    """What it leaves misleads nobody: commands say that none runs, or read the folder; the next server goes on."""
    ak.write(program=PROGRAM)
    data = ("--data-dir", "data")
    with up(ak) as (_, process):
        ak("deploy", "program.py", "--name", "demo", *data)
        session = ak("session", "start", "demo", "--entry", "program.py:waits", *data).out.strip()
        os.kill(process.pid, signal.SIGKILL)
        finish(process)
    assert (ak.folder / "data" / "server.json").exists()

    refused = ak("project", "list", *data)
    assert refused.code == 42 and refused.err.startswith("Error: no server is running at http://127.0.0.1:")
    assert refused.err.endswith("Start one with `ak up`.\n")
    assert [each["id"] for each in ak("session", "list", "-j", *data).objects] == [session]
    with up(ak) as (_, process):
        assert ak("session", "list", "-j", *data).objects[0]["state"] == "RUNNING"
        assert ak("session", "stop", session, "--force", *data).code == 0


def test_commands_without_a_server(ak: Ak) -> None:
    """They say where they have looked, and what to do."""
    environ = {"XDG_DATA_HOME": str(ak.folder / "home")}
    ended = ak("session", "list", environ=environ)
    elsewhere = ak("project", "list", environ=environ | {"AK_SERVER_URL": "http://127.0.0.1:9"})

    assert (ended.code, elsewhere.code) == (42, 42)
    assert ended.err.startswith(f"Error: no server is running on the data folder {ak.folder}/home/autokitteh\n")
    assert "`ak up`" in ended.err
    assert elsewhere.err.startswith("Error: no server is running at http://127.0.0.1:9")
