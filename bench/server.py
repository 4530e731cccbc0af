"""What a whole server does: webhooks accepted and answered, sessions that sleep, and the way back after a kill.

The server is a process of its own, `ak up` on SQLite with durable commits; the load comes from this one, on the same
two cores.
"""

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from autokitteh_server.application import Application
from autokitteh_server.builds.source import source_from_files
from autokitteh_server.config import Settings
from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.journal import Record
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations import variables
from autokitteh_server.operations.deploying import deploy
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_SECRET = "of the webhook"

MANIFEST = """
version: v2
project:
  name: bench
  connections:
    - {name: hub, integration: github}
  triggers:
    - {name: pushed, connection: hub, event_type: push, call: "program.py:quick", is_durable: true}
    - {name: quick, type: webhook, call: "program.py:quick", is_durable: true}
    - {name: ask, type: webhook, call: "program.py:ask", is_durable: true, is_sync: true}
"""

PROGRAM = """
import time
from autokitteh import http_outcome

def quick(event):
    print(time.time_ns() // 1000)

def ask(event):
    http_outcome(body="answer")

def sleeper(event):
    time.sleep(event.data.seconds)
    print(time.time_ns() // 1000)
"""


@dataclass(frozen=True)
class Place:
    """A data folder with the bench's project deployed, and its webhooks' paths."""

    folder: Path
    paths: dict[str, str]
    project_id: str
    build_id: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder)

    @contextmanager
    def server(self) -> Iterator[tuple["subprocess.Popen[str]", int]]:
        """`ak up`, and its port."""
        command = [sys.executable, "-m", "autokitteh_server", "up", "--addr", "127.0.0.1:0", "--data-dir", self.folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert process.stdout is not None
            found = re.search(r":(\d+)$", process.stdout.readline().strip())
            assert found is not None
            yield process, int(found[1])
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def place() -> Iterator[Place]:
    """A fresh place."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        with Application(settings, environ=os.environ) as application:
            files = {"autokitteh.yaml": MANIFEST.encode(), "program.py": PROGRAM.encode()}
            done = deploy(application.services, source_from_files("bench", files))
            for name, value in (("pat", "p"), ("pat_key", "k"), ("pat_secret", _SECRET)):
                variables.set_value(application.services, "bench/hub", name, value)
        paths = {trigger.name: f"/webhooks/{trigger.webhook_slug}" for trigger in done.webhooks}
        yield Place(Path(folder), paths, done.project.id, done.build.id)


def _nothing(body: bytes) -> str:
    return ""


def _of_github(body: bytes) -> str:
    """The headers with which GitHub would send a body."""
    digest = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
    delivery = os.urandom(16).hex()
    return f"X-GitHub-Event: push\r\nX-GitHub-Delivery: {delivery}\r\nX-Hub-Signature-256: sha256={digest}\r\n"


async def _post(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str, headers: Callable[[bytes], str] = _nothing
) -> tuple[int, float, str]:
    """One request over a connection that is kept: status, seconds, event id. A bare client, so that it costs little."""
    reader, writer = streams
    body = json.dumps({"text": "x" * 200}).encode()
    began = time.perf_counter()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers(body)}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    reply = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", reply)
    if length and int(length[1]):
        await reader.readexactly(int(length[1]))
    event_id = re.search(r"autokitteh-event-id: (\S+)", reply)
    return int(reply.split(" ", 2)[1]), time.perf_counter() - began, event_id[1] if event_id else ""


async def _load(
    port: int, path: str, *, requests: int, connections: int, headers: Callable[[bytes], str] = _nothing
) -> tuple[float, list[float]]:
    """Requests a second, and the seconds that each took."""
    left = iter(range(requests))
    took: list[float] = []

    async def send() -> None:
        streams = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            status, seconds, _ = await _post(streams, path, headers)
            assert status < 300, status
            took.append(seconds)
        streams[1].close()

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(connections)))
    return requests / (time.perf_counter() - began), took


def webhooks_a_second(*, requests: int = 4_000, connections: int = 64) -> float:
    """Durable webhooks accepted a second, each of which starts a session."""
    with place() as here, here.server() as (_, port):
        rate, _ = asyncio.run(_load(port, here.paths["quick"], requests=requests, connections=connections))
    return rate


def deliveries_a_second(*, requests: int = 4_000, connections: int = 64) -> float:
    """Signed deliveries of GitHub's taken a second, each with an id of its own, each of which starts a session."""
    with place() as here, here.server() as (_, port):
        load = _load(port, "/github/webhook/k", requests=requests, connections=connections, headers=_of_github)
        rate, _ = asyncio.run(load)
    return rate


def first_line_ms(*, requests: int = 60) -> float:
    """Milliseconds from a request to the first line of user code, one at a time, warm: median."""
    took: list[float] = []
    with place() as here, here.server() as (_, port):

        async def ask() -> None:
            streams = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(requests):
                sent_at = time.time_ns() // 1000
                _, _, event_id = await _post(streams, here.paths["quick"])
                took.append((await _printed_at(here, event_id) - sent_at) / 1000)
            streams[1].close()

        asyncio.run(ask())
    return median(took[10:])


async def _printed_at(here: Place, event_id: str) -> int:
    """What the session of an event printed, once it is over."""
    await asyncio.sleep(0.05)  # whoever looks takes time from those who work
    with Database.open(here.settings.database_url, migrate=False) as database:
        while True:
            found = database.read(lambda conn: sessions.list(conn, event_id=event_id, limit=1))
            if found and found[0].state.is_final:
                session_id = found[0].id
                records = database.read(lambda conn, s=session_id: journal.load(conn, s))
                return int(next(each.record.result for each in records if each.record.kind == "print"))
            await asyncio.sleep(0.02)


def sync_ms(*, requests: int = 60) -> float:
    """Milliseconds of a sync webhook's round trip, one at a time, warm: median."""
    with place() as here, here.server() as (_, port):
        _, took = asyncio.run(_load(port, here.paths["ask"], requests=requests, connections=1))
    return median(took[10:]) * 1000


def _add_sleepers(conn: Connection, here: Place, ids: list[str], deadline_at: int, now: int) -> None:
    """Sessions as they are in the middle of a sleep: a row that waits, and the journal's record of its beginning."""
    wait = Wait(task="0", index=0, kind="sleep", deadline_at=deadline_at)
    new = [
        Session(
            id=session_id,
            project_id=here.project_id,
            build_id=here.build_id,
            entry="program.py:sleeper",
            durable=True,
            state=SessionState.RUNNING,
            event={"data": {"seconds": 3600}, "event_id": None, "event_type": None},
            waits=(wait,),
            epoch=1,
            created_at=now,
            updated_at=now,
        )
        for session_id in ids
    ]
    sessions.create_all(conn, new)
    payload = json.dumps({"deadline_at": deadline_at, "names": []}).encode()
    start = Record(
        kind="sleep", phase="start", task="0", index=0, name="time.sleep", started_at=now, codec="json", payload=payload
    )
    for session_id in ids:
        journal.insert(conn, session_id, [start])


def sleeping(*, count: int) -> tuple[float, float, float, float]:
    """Of a server with so many sleeping sessions: seconds to its start, MiB, and ms by which a wake-up is late.

    The last is the seconds from a kill to the first resumed turn, with all of them there.
    """
    with place() as here:
        now = time.time_ns() // 1000
        with Application(here.settings, environ=os.environ) as application:
            new_id = application.services.new_id
            for _ in range(count // 1000):
                ids = [new_id("ses") for _ in range(1000)]
                application.services.database.write(
                    lambda conn, ids=ids: _add_sleepers(conn, here, ids, now + 3_600_000_000, now)
                )
            wake_at = time.time_ns() // 1000 + 8_000_000
            # One after another: how late one is, not how long twenty take.
            early = {new_id("ses"): wake_at + 200_000 * number for number in range(20)}
            for session_id, moment in early.items():
                application.services.database.write(
                    lambda conn, s=session_id, m=moment: _add_sleepers(conn, here, [s], m, now)
                )
        began = time.perf_counter()
        with here.server() as (process, _):
            up_s = time.perf_counter() - began
            woken = _wait_for_prints(here, [*early])
            late = [printed - moment for printed, moment in zip(woken, early.values(), strict=True)]
            memory = _memory_mib(process.pid)
        with Database.open(here.settings.database_url) as database:
            due = [f"ses_{number:026}" for number in range(1)]
            database.write(lambda conn: _add_sleepers(conn, here, due, 0, now))
        began = time.time_ns() // 1000
        with here.server():
            (printed,) = _wait_for_prints(here, due)
        return up_s, memory, sorted(late)[len(late) // 2] / 1000, (printed - began) / 1e6


def _wait_for_prints(here: Place, ids: list[str]) -> list[int]:
    with Database.open(here.settings.database_url, migrate=False) as database:
        found: list[int] = []
        for session_id in ids:
            while True:
                records = database.read(lambda conn, s=session_id: journal.load(conn, s))
                printed = [int(each.record.result) for each in records if each.record.kind == "print"]
                if printed:
                    found += printed
                    break
                time.sleep(0.1)
        return found


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
