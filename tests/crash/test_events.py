"""Servers killed while events come in: nothing that was acknowledged is lost, nothing happens twice."""

import random
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from autokitteh_server.core import crashpoints
from autokitteh_server.core.entities import Event, Session
from autokitteh_server.storage import store
from crash.town import Town
from harness import PATIENCE_S
from served import serving

PROGRAM = """
import autokitteh

def main(event):
    n = event.data.body.json.n
    autokitteh.add_values("sum", n)
    print(n)
    return n
"""


class Numbers(Town):
    """One with a webhook to which numbers are sent, and a sum of all of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with serving(folder, durable=True) as served:
            self.path = f"/webhooks/{served.deploy(PROGRAM, served.webhook())['webhook'].webhook_slug}"

    def check(self, wanted: Mapping[int, str]) -> tuple[list[Event], list[Session]]:
        """Bring everything to its end. `wanted`: the event that was acknowledged for each number sent.

        Every event has exactly one session, which completed, and each session counted once.
        """
        with self.ended() as served:
            events, sessions = served.events(), served.sessions()
            total = served.database.read(lambda conn: store.mutate(conn, sessions[0].project_id, "sum", "get"))
        by_event = {session.event_id: session for session in sessions}
        assert {n: by_event[event_id].result for n, event_id in wanted.items()} == {n: n for n in wanted}
        assert total == sum(session.result for session in sessions)
        return events, sessions


class Sender:
    """Sends numbers, each until it is acknowledged, to whatever server there is."""

    def __init__(self, path: str, numbers: range, *, with_keys: bool) -> None:
        self._path = path
        self._left = list(reversed(numbers))
        self._with_keys = with_keys
        self._lock = threading.Lock()
        self.acknowledged: dict[int, str] = {}

    def send_to(self, url: str, at_most: int) -> None:
        """Send until so many are acknowledged, all are, or the server is gone; several at once."""
        stop_at = len(self.acknowledged) + at_most
        threads = [threading.Thread(target=self._send, args=(url, stop_at)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, url: str, stop_at: int) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
            while True:
                with self._lock:
                    if not self._left or len(self.acknowledged) >= stop_at:
                        return
                    n = self._left.pop()
                headers = {"Idempotency-Key": str(n)} if self._with_keys else {}
                try:
                    reply = client.post(self._path, json={"n": n}, headers=headers)
                except httpx.TransportError:
                    with self._lock:
                        self._left.append(n)
                    return
                assert reply.status_code == 202, reply.text
                self.acknowledged[n] = reply.headers["autokitteh-event-id"]


@pytest.mark.slow
@pytest.mark.parametrize("with_keys", [True, False], ids=["keys", "no keys"])
def test_killed_under_a_stream(tmp_path: Path, with_keys: bool) -> None:
    """Servers are killed at random moments while 8 senders send 400 events, and each event has one session."""
    town, choose = Numbers(tmp_path), random.Random(7)
    sender = Sender(town.path, range(400), with_keys=with_keys)
    for _ in range(6):
        with town.server() as (process, url):
            stream = threading.Thread(target=sender.send_to, args=(url, 400))
            stream.start()
            stream.join(choose.uniform(0.05, 0.8))
            process.send_signal(signal.SIGKILL)
            stream.join()
    with town.server() as (_, url):
        sender.send_to(url, 400)
    assert set(sender.acknowledged) == set(range(400))
    events, _ = town.check(sender.acknowledged)
    assert len(events) == 400 if with_keys else len(events) >= 400


@pytest.mark.slow
@pytest.mark.parametrize("point", crashpoints.EVENT_NAMES)
def test_killed_at_each_point(tmp_path: Path, point: str) -> None:
    """A server that dies at a point of dispatch, time after time: senders repeat, and each event has one session."""
    town = Numbers(tmp_path)
    sender = Sender(town.path, range(24), with_keys=True)
    deaths = 0
    for passage in (1, 2, 3, 1):
        with town.server(AK_CRASH_AT=f"{point}:{passage}") as (process, url):
            sender.send_to(url, 24)
            if process.poll() is not None or sender.acknowledged.keys() != set(range(24)):
                assert process.wait(PATIENCE_S) == -signal.SIGKILL
                deaths += 1
    assert deaths == 4
    with town.server() as (_, url):
        sender.send_to(url, 24)
    events, _ = town.check(sender.acknowledged)
    assert len(events) == 24
