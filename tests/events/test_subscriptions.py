"""subscribe, next_event and unsubscribe, durable and not, across lost processes and lost servers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from served import Served, listening, serving

MODES = pytest.mark.parametrize("durable", [True, False], ids=["durable", "plain"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that runs."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client of its public doors."""
    with listening(served) as client:
        yield client


def start(
    served: Served, client: httpx.Client, program: str, *, durable: bool = True, waits: bool = True
) -> tuple[str, dict[str, str]]:
    """Deploy a program whose webhook `go` starts it, and start it; its session, and the paths of all its webhooks.

    Returns once it waits.
    """
    found = served.deploy(
        "from datetime import timedelta\nfrom autokitteh import *\n" + program,
        served.webhook("go", is_durable=durable),
        served.webhook("bell", call=""),
        served.webhook("door", call="", filter="data.method == 'POST'"),
    )
    paths = {name: f"/webhooks/{trigger.webhook_slug}" for name, trigger in found.items()}
    client.post(paths["go"])
    (session,) = served.sessions()
    if waits:
        wait_until_it_waits(served, session.id)
    return session.id, paths


def wait_until_it_waits(served: Served, session_id: str) -> None:
    """Wait until a session has nothing to do but to wait."""
    served.wait_until(lambda: served.load(session_id).session.waits is not None)


@MODES
def test_an_event_reaches_the_session(served: Served, client: httpx.Client, durable: bool) -> None:
    """next_event gives what came after subscribe, as data or in full; the sender gets 202, though nothing started."""
    session_id, paths = start(
        served, client,
        """
def main(event):
    s = subscribe("bell")
    first = next_event(s)
    print(first.body.json.n, first.data.body.json.n, first.method)
    second = next_event(s, full=True)
    return [second.data.body.json["n"], second.event_type, second.event_id, second.session_id]
""",
        durable=durable,
    )  # fmt: skip
    assert client.post(paths["bell"], json={"n": 1}).status_code == 202
    wait_until_it_waits(served, session_id)
    reply = client.put(paths["bell"], json={"n": 2})
    result = served.wait(session_id)
    assert result.prints == ["1 1 POST"]
    assert result.session.result == [2, "put", reply.headers["autokitteh-event-id"], session_id]
    assert [each.kind.value for each in served.events()[1].verdicts] == ["no call", "queued"]
    assert served.events()[1].session_ids == (session_id,)


@MODES
def test_nothing_is_missed_between_two_calls(served: Served, client: httpx.Client, durable: bool) -> None:
    """Events that come while nobody waits are queued, in order of arrival over all subscriptions, none twice."""
    session_id, paths = start(
        served, client,
        """
import time
def main(event):
    a, b, wait = subscribe("bell", "data.body.json.n % 2 == 0"), subscribe("bell"), subscribe("door")
    next_event(wait)
    found = [next_event(a, b).body.json.n for _ in range(6)]
    found += [next_event([a, b], timeout=0)]
    return found
""",
        durable=durable,
    )  # fmt: skip
    for n in range(4):
        client.post(paths["bell"], json={"n": n})
    client.post(paths["door"])
    assert served.wait(session_id).session.result == [0, 0, 1, 2, 2, 3, None]


@MODES
def test_time_out(served: Served, client: httpx.Client, durable: bool) -> None:
    """Without an event next_event gives None after its time, given in seconds or as a timedelta."""
    session_id, _ = start(
        served, client,
        """
def main(event):
    s = subscribe("bell")
    return [next_event(s, timeout=0.05), next_event(s, timeout=timedelta(milliseconds=50)), next_event(s, timeout=0)]
""",
        durable=durable, waits=False,
    )  # fmt: skip
    assert served.wait(session_id).session.result == [None, None, None]


@MODES
def test_unsubscribe(served: Served, client: httpx.Client, durable: bool) -> None:
    """What is queued is forgotten, and waiting for it is an error that says so; so is an id that was made up."""
    session_id, paths = start(
        served, client,
        """
def main(event):
    s, t = subscribe("bell"), subscribe("door")
    next_event(t)
    unsubscribe(s)
    unsubscribe(s)
    for wrong in (s, "made up"):
        try:
            next_event(t, wrong, timeout=0)
        except AutoKittehError as err:
            print(err)
    print(next_event(t, timeout=0))
""",
        durable=durable,
    )  # fmt: skip
    client.post(paths["bell"])
    client.post(paths["door"])
    prints = served.wait(session_id).prints
    assert ["no subscription sub_" in prints[0], "no subscription made up" in prints[1], prints[2]] == [
        True,
        True,
        "None",
    ]


@MODES
def test_the_filter_of_a_trigger_holds_too(served: Served, client: httpx.Client, durable: bool) -> None:
    """A subscription to a trigger gets what the trigger is for."""
    session_id, paths = start(
        served,
        client,
        "def main(event):\n    return next_event(subscribe('door', 'data.url.path.endswith(\"/a\");')).method\n",
        durable=durable,
    )
    client.put(paths["door"] + "/a")
    client.post(paths["door"] + "/b")
    client.post(paths["door"] + "/a")
    assert served.wait(session_id).session.result == "POST"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "subscribe('bel')",
            "the project has no connection or trigger of this name; did you mean bell?",
        ),
        ("subscribe('bell', 'data.x ==')", "subscribe('bell'): the filter is not valid"),
        ("subscribe('bell', 'dta.x == 1')", "dta"),
        ("subscribe('')", "ValueError"),
        ("next_event()", "ValueError"),
        ("next_event('x')", "this session has no subscription x"),
        ("waits()", "NotInActivityError"),
    ],
)
def test_what_is_refused(served: Served, client: httpx.Client, call: str, message: str) -> None:
    """What makes no sense is an error that names it, and says what to do."""
    session_id, _ = start(
        served, client,
        f"@activity\ndef waits():\n    next_event(subscribe('bell'))\n\ndef main(event):\n    {call}\n",
        waits=False,
    )  # fmt: skip
    result = served.wait(session_id)
    assert result.state == "ERROR"
    assert message in result.error


def test_it_belongs_to_its_session(served: Served, client: httpx.Client) -> None:
    """A session's end is its subscriptions' end: later events have nobody to go to."""
    session_id, paths = start(served, client, "def main(event):\n    return next_event(subscribe('bell')).method\n")
    client.post(paths["bell"])
    served.wait(session_id)
    client.post(paths["bell"])
    assert [each.kind.value for each in served.events()[-1].verdicts] == ["no call"]
    served.app.server.scheduler.stop(session_id, force=True)


COUNTING = """
def main(event):
    s = subscribe("bell")
    return [next_event(s).body.json.n for _ in range(5)]
"""


def test_across_lost_processes(tmp_path: Path) -> None:
    """A durable session whose process is thrown away after every effect gets every event once, in order."""
    with serving(tmp_path, effects_per_turn=1) as served, listening(served) as client:
        session_id, paths = start(served, client, COUNTING, waits=False)
        served.wait_until(lambda: any(each.kind == "subscribe" for each in served.load(session_id).records))
        for n in range(5):
            client.post(paths["bell"], json={"n": n})
        assert served.wait(session_id).session.result == [0, 1, 2, 3, 4]


def test_across_servers(tmp_path: Path) -> None:
    """Events are received by one server after another, and the session that waits for them is always the same."""
    with serving(tmp_path) as served, listening(served) as client:
        session_id, paths = start(served, client, COUNTING)
        client.post(paths["bell"], json={"n": 0})
    for n in range(1, 4):
        with serving(tmp_path) as served, listening(served) as client:
            client.post(paths["bell"], json={"n": n})
    with serving(tmp_path) as served, listening(served) as client:
        client.post(paths["bell"], json={"n": 4})
        assert served.wait(session_id).session.result == [0, 1, 2, 3, 4]


def test_a_plain_session_subscribes_anew(tmp_path: Path) -> None:
    """After a restart of the server a session that is not durable begins again, with no event of its former life."""
    program = "def main(event):\n    return next_event(subscribe('bell')).body.json.n\n"
    with serving(tmp_path) as served, listening(served) as client:
        session_id, paths = start(served, client, program, durable=False)
    with serving(tmp_path) as served, listening(served) as client:
        served.wait_until(lambda: sum(each.kind == "subscribe" for each in served.load(session_id).records) == 2)
        wait_until_it_waits(served, session_id)
        client.post(paths["bell"], json={"n": 2})
        result = served.wait(session_id)
        assert (result.session.result, result.session.failures) == (2, 2)


def test_waiting_plain_sessions_do_not_stop_others(tmp_path: Path) -> None:
    """Sessions that are not durable give their place back while they wait for events."""
    with serving(tmp_path, max_runners=2) as served, listening(served) as client:
        program = "from autokitteh import *\ndef main(event):\n    return next_event(subscribe('bell')).method\n"
        found = served.deploy(
            program, served.webhook("go", is_durable=False), served.webhook("bell", call=""),
        )  # fmt: skip
        for _ in range(6):
            client.post(f"/webhooks/{found['go'].webhook_slug}")
        served.wait_until(lambda: sum(each.waits is not None for each in served.sessions()) == 6)
        client.post(f"/webhooks/{found['bell'].webhook_slug}")
        assert [each.session.result for each in served.wait_all(6)] == ["POST"] * 6
