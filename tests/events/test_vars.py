"""Vars that are changed while sessions are under way."""

from pathlib import Path

from autokitteh_server.operations import connections, variables
from served import PROJECT, listening, serving

PROGRAM = """
import os
import autokitteh

N = int(os.environ["N"])

def main(event):
    bell = autokitteh.subscribe("bell")
    for number in range(N):
        autokitteh.next_event(bell)
        print(number, os.environ["N"], "NEW" in os.environ, os.environ["KEY"] == "renewed", os.environ["chat__url"])
    return N
"""


def test_a_durable_session_keeps_the_settings_that_it_began_with(tmp_path: Path) -> None:
    """Its code has branched on them. Credentials, and what a connection has, are as they are now."""
    with serving(tmp_path, max_warm=0) as served, listening(served) as client:
        found = served.deploy(PROGRAM, served.webhook(), served.webhook("bell", call=""))
        connections.create(served.services, PROJECT, "chat", "slack")
        variables.set_value(served.services, PROJECT, "N", "3")
        variables.set_value(served.services, PROJECT, "KEY", "secret key", is_secret=True)
        variables.set_value(served.services, f"{PROJECT}/chat", "url", "here")

        def send(name: str) -> None:
            assert client.post(f"/webhooks/{found[name].webhook_slug}").status_code == 202

        def wait_for(prints: int) -> None:
            served.wait_until(lambda: len(served.load(first.id).prints) == prints)
            served.wait_until(lambda: served.load(first.id).session.waits is not None)

        send("webhook")
        (first,) = served.sessions()
        wait_for(0)
        send("bell")
        wait_for(1)
        variables.set_value(served.services, PROJECT, "N", "1")
        variables.set_value(served.services, PROJECT, "NEW", "1")
        variables.set_value(served.services, PROJECT, "KEY", "renewed", is_secret=True)
        variables.set_value(served.services, f"{PROJECT}/chat", "url", "there")
        send("bell")
        wait_for(2)
        send("webhook")
        second = served.sessions()[1]
        served.wait_until(lambda: served.load(second.id).session.waits is not None)
        send("bell")

        assert served.wait(first.id).prints == ["0 3 False False here", "1 3 False True there", "2 3 False True there"]
        assert served.load(first.id).session.result == 3
        assert served.wait(second.id).prints == ["0 1 True True there"]
