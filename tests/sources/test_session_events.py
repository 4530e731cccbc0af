"""Ends of sessions as events of the project's own `autokitteh` connections."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autokitteh_server.core.entities import Event, FeedState, Session
from autokitteh_server.core.states import SessionState
from autokitteh_server.integrations.autokitteh.ends import TYPES, data_of
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.spec import Code
from autokitteh_server.operations import connecting, connections, deployments, dispatching, variables
from autokitteh_server.operations import sessions as session_operations
from autokitteh_server.storage import signals
from served import PROJECT, Served, serving

PROGRAM = """
import os
from autokitteh import next_event, next_signal, start, subscribe

def main(event):
    if event.data.get("fail"):
        raise ValueError(event.data.fail)
    return 7

def leak(event):
    raise ValueError("the password is " + os.environ["PASSWORD"])

def parent(event):
    return next_signal(start("program.py:main", dict(event.data), memo={"why": "child"})).payload

def seen(event):
    return {"type": event.event_type} | dict(event.data)

def fail_again(event):
    child = start("program.py:parent", {"fail": "again"})
    next_signal(child)
    raise ValueError("the handler fails, too")

def listen(event):
    subscription = subscribe("ak", filter="data.entry == 'program.py:main'")
    child = start("program.py:main", {})
    next_signal(child)
    return [child, next_event(subscription)]

def wait(event):
    next_signal("go")
"""


@pytest.fixture
def served(tmp_path: Path, store_url: str) -> Iterator[Served]:
    """A server that runs."""
    with serving(tmp_path, db=store_url) as served:
        yield served


def watch(served: Served, handler: str = "seen", *, project: str = PROJECT, **fields: str) -> str:
    """Deploy the program with a webhook for each function, and a handler of ends; the connection's id."""
    served.deploy(PROGRAM, name=project)
    made = connections.create(served.services, project, "ak", "autokitteh")
    works = [served.webhook(name, call=f"program.py:{name}") for name in ("main", "leak", "parent", "listen", "wait")]
    found = served.trigger_of("ak", made.id, call=f"program.py:{handler}" * bool(handler), **fields)
    served.deploy(PROGRAM, *works, found, name=project)
    return made.id


def begin(served: Served, name: str, data: object = None, *, project: str = PROJECT) -> str:
    """Start a session by a trigger of the project; its id."""
    event = dispatching.dispatch_event(served.services, f"{project}/{name}", event_type="post", data=data or {})
    (session_id,) = event.session_ids
    return session_id


def ends(served: Served) -> list[Event]:
    """The events of sessions' ends, oldest first."""
    return [each for each in served.events() if each.source_name == "ak"]


def by_entry(served: Served, entry: str) -> list[Session]:
    """The sessions of a function, oldest first."""
    return [each for each in served.sessions() if each.entry == f"program.py:{entry}"]


def test_a_session_that_completes(served: Served) -> None:
    """There is one event, with all fields, and it starts its handler."""
    connection_id = watch(served)
    done = begin(served, "main")
    _, seen = served.wait_all(2)
    (event,) = ends(served)

    session = served.load(done).session
    assert event.data == {
        "session_id": done,
        "project_id": session.project_id,
        "deployment_id": session.deployment_id,
        "state": "COMPLETED",
        "error": "",
        "entry": "program.py:main",
        "trigger": "main",
        "memo": {},
    }
    assert (event.source_id, event.event_type, event.session_ids) == (
        connection_id,
        "session_completed",
        (seen.session.id,),
    )
    assert seen.session.result == {"type": "session_completed"} | event.data


def test_a_session_that_fails(served: Served) -> None:
    """The error is that of the session, without its secrets."""
    watch(served)
    variables.set_value(served.services, PROJECT, "PASSWORD", "s3cret-word", is_secret=True)
    failed = begin(served, "leak")
    served.wait_all(2)
    (event,) = ends(served)

    assert (event.event_type, event.data["state"]) == ("session_error", "ERROR")
    assert event.data["error"] == served.load(failed).error
    assert "the password is" in event.data["error"]
    assert "s3cret-word" not in str(event)


def test_types_and_filters(served: Served) -> None:
    """They are as for all other events: what they do not let pass starts nothing, and is stored with the reason."""
    watch(served, event_type="session_error", filter="data.error.contains('bad')")
    for fail in ("", "bad luck", "worse luck"):
        begin(served, "main", {"fail": fail})
    served.wait_until(lambda: len(ends(served)) == 3 and by_entry(served, "seen")[-1:] != [])
    served.wait_all(4)

    found = {str(event.data["error"])[-10:].strip(): event.verdicts[0].kind.value for event in ends(served)}
    assert found == {"": "event type differs", ": bad luck": "started", "worse luck": "filter false"}


def test_a_session_that_is_stopped(served: Served) -> None:
    """Whoever stops one knows of it: there is no event, whether it has a turn or not."""
    watch(served)
    session_id = begin(served, "wait")
    served.wait_until(lambda: served.load(session_id).session.waits is not None)
    session_operations.stop(served.services, session_id)
    assert served.wait(session_id).session.state is SessionState.STOPPED

    begin(served, "main")
    served.wait_all(3)
    assert [event.data["entry"] for event in ends(served)] == ["program.py:main"]


def test_a_handler_makes_none(served: Served) -> None:
    """A handler that fails is not called for that, nor for its children, nor for theirs."""
    watch(served, "fail_again")
    failed = begin(served, "main", {"fail": "first"})
    results = served.wait_all(4)

    assert [event.data["session_id"] for event in ends(served)] == [failed]
    assert [each.session.entry.partition(":")[2] for each in results] == ["main", "fail_again", "parent", "main"]
    assert [each.state for each in results] == ["ERROR", "ERROR", "COMPLETED", "ERROR"]


def test_a_handler_that_is_tried_by_hand_makes_none(served: Served) -> None:
    """An event that somebody dispatches to the connection is like those that the server makes."""
    watch(served)
    sample = load_sample("autokitteh", "session_error")
    dispatching.dispatch_event(served.services, f"{PROJECT}/ak", event_type="session_error", data=sample)
    (seen,) = served.wait_all(1)
    begin(served, "main")
    served.wait_all(3)

    assert seen.session.result == {"type": "session_error"} | sample
    assert [event.event_type for event in ends(served)] == ["session_error", "session_completed"]


def test_a_handler_that_is_started_again_makes_none(served: Served) -> None:
    """It still is about the event, though no trigger has started it."""
    watch(served)
    begin(served, "main")
    _, seen = served.wait_all(2)
    session_operations.restart(served.services, seen.session.id)
    served.wait_all(3)

    assert len(ends(served)) == 1


def test_children_make_some(served: Served) -> None:
    """A child's end is an event like its parent's: no trigger started it, and its memo says what it is."""
    watch(served)
    begin(served, "parent", {"fail": "the child"})
    served.wait_all(4)

    assert [(event.event_type, event.data["trigger"], event.data["memo"]) for event in ends(served)] == [
        ("session_error", "", {"why": "child"}),
        ("session_completed", "parent", {}),
    ]


def test_only_the_own_project_gets_them(served: Served) -> None:
    """Another project on the same server hears nothing."""
    watch(served, project="one")
    other = watch(served, project="two")
    begin(served, "main", project="one")
    begin(served, "main", project="two")
    served.wait_all(4)

    one, two = sorted(ends(served), key=lambda event: event.source_id == other)
    assert one.project_id == one.data["project_id"] != two.project_id == two.data["project_id"]
    assert two.source_id == other != one.source_id


def test_subscriptions_get_them_but_for_own_children(served: Served) -> None:
    """A session that has subscribed gets ends of others. Its children would have it run in circles."""
    watch(served, "")
    listener = begin(served, "listen")
    served.wait_until(lambda: len(ends(served)) == 1 and served.load(listener).session.waits is not None)
    other = begin(served, "main")
    child, event = served.wait(listener).session.result

    assert (event["session_id"], event["trigger"]) == (other, "main")
    assert [each.data["session_id"] for each in ends(served)] == [child, other, listener]
    assert [len(each.session_ids) for each in ends(served)] == [0, 1, 0]


def test_nothing_is_stored_that_nobody_waits_for(served: Served) -> None:
    """Without a trigger or a subscription, or once the project is not deployed any more, ends are no events."""
    served.deploy(PROGRAM)
    connection = connections.create(served.services, PROJECT, "ak", "autokitteh")
    works = [served.webhook(name, call=f"program.py:{name}") for name in ("main", "wait")]
    served.deploy(PROGRAM, *works)
    begin(served, "main")
    served.wait_all(1)
    served.deploy(PROGRAM, served.trigger_of("ak", connection.id, call="program.py:seen"))
    waiting = served.load(begin(served, "wait")).session
    deployments.deactivate(served.services, waiting.deployment_id or "")
    served.database.write(lambda conn: signals.send(conn, waiting.id, "go", None, now=1))
    served.services.scheduler.wake(waiting.id, "go")
    served.wait_all(2)

    assert ends(served) == []


def test_no_credentials_are_needed(served: Served) -> None:
    """A connection without any is fine, and says where its events come from."""
    connection_id = watch(served)
    standing = connecting.get(served.services, connection_id)

    assert connecting.test(served.services, connection_id).status.code is Code.OK
    assert standing.events is not None and standing.events.state is FeedState.PUSHED
    assert standing.events.message == "this server makes them, of what happens in the project"


@pytest.mark.parametrize("event_type", sample_types("autokitteh"))
def test_samples_have_the_fields_that_there_are(event_type: str) -> None:
    """A handler that works with a sample works with what comes."""
    session = Session(
        id="ses_1", project_id="prj_1", build_id="bld_1", entry="program.py:main", durable=True,
        state=SessionState.RUNNING, created_at=0, updated_at=0,
    )  # fmt: skip
    state = next(state for state, name in TYPES.items() if name == event_type)
    sample, data = load_sample("autokitteh", event_type), data_of(session, state, None, trigger="")

    assert {name: type(value) for name, value in sample.items()} == {name: type(data[name]) for name in data}
    assert sample["state"] == data["state"]
