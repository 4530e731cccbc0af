"""Servers killed while sessions end: each end is one event, and each event has its session."""

import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest

from autokitteh_server.operations import connections
from crash.town import Town
from harness import PATIENCE_S
from served import PROJECT, serving

PROGRAM = """
def main(event):
    return event.data.body.json.n

def ended(event):
    return event.data.session_id
"""
NUMBERS = range(12)


@pytest.mark.parametrize("point", ["turn.before_end", "turn.after_end"])
def test_killed_at_the_end_of_a_session(tmp_path: Path, point: str) -> None:
    """A server that dies before or after the commit of an end, a session's or its handler's: there is one event."""
    town = Town(tmp_path)
    with serving(tmp_path, durable=True) as served:
        served.deploy(PROGRAM)
        made = connections.create(served.services, PROJECT, "ak", "autokitteh")
        handler = served.trigger_of("ak", made.id, call="program.py:ended", event_type="session_completed")
        path = f"/webhooks/{served.deploy(PROGRAM, served.webhook(), handler)['webhook'].webhook_slug}"
    for passage in (1, 2, 4):
        with town.server(AK_CRASH_AT=f"{point}:{passage}") as (process, url):
            if url:  # otherwise what it went on with has ended it already
                send_all(url, path)
            assert process.wait(PATIENCE_S) == -signal.SIGKILL
    with town.server() as (_, url):
        send_all(url, path)

    with town.ended() as served:
        found = served.sessions()
        told = [event.data["session_id"] for event in served.events() if event.source_name == "ak"]
    mains = [each.id for each in found if each.entry == "program.py:main"]
    assert Counter(told) == Counter(mains) and len(mains) == len(NUMBERS)
    assert sorted(each.result for each in found if each.entry == "program.py:ended") == sorted(mains)


def send_all(url: str, path: str) -> None:
    """Send each number, the same again for whoever has it already, until the server is gone."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
        for n in NUMBERS:
            try:
                client.post(path, json={"n": n}, headers={"Idempotency-Key": str(n)}).raise_for_status()
            except httpx.TransportError:
                return
