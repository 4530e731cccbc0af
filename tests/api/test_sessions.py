"""Sessions over HTTP: started, looked at, followed, stopped, started again, deleted."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.stage import HELLO, Stage, staged
from autokitteh_server.client.client import Client
from autokitteh_server.client.discovery import Address
from autokitteh_server.client.event_stream import ServerEvent, read_events
from autokitteh_server.core.api_types.session_log import LogLine, LogQuery, StreamQuery
from autokitteh_server.core.api_types.sessions import Session, SessionQuery, StartSession
from autokitteh_server.core.api_types.values import raw, value_of
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.states import SessionState

STEPS = """
import autokitteh

def main(event):
    print("begun")
    for n in range(3):
        signal = autokitteh.next_signal("go")
        print("got", signal.payload)

def sender(event):
    for n in range(event.data["count"]):
        autokitteh.signal(event.data["to"], "go", n)
"""

FAILING = """
def main(event):
    raise ValueError("no luck")
"""


@pytest.fixture
def hello(stage: Stage) -> str:
    """A project."""
    return stage.deploy(HELLO).project.name


@pytest.fixture
def steps(stage: Stage) -> str:
    """A project with a session that waits for three signals, and one that sends them."""
    return stage.deploy(STEPS).project.name


def start(stage: Stage, project: str, entry: str = "program.py:main", **more: object) -> Session:
    data = {"data": raw(more.pop("data"))} if "data" in more else {}
    return stage.client.sessions.start(StartSession(project=project, entry=entry, **data, **more))  # type: ignore[arg-type]


def signal(stage: Stage, project: str, session: Session, count: int) -> None:
    """Send signals to a session, by another one."""
    stage.wait(start(stage, project, "program.py:sender", data={"to": session.id, "count": count}).id)


def events(stage: Stage, session_id: str, after: int = 0) -> Iterator[ServerEvent]:
    """A session's log as it is streamed."""
    path = f"/sessions/{session_id}/log/stream"
    with stage.http.stream("GET", path, params={"after": after}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield from read_events(response.iter_lines())


def test_start_to_end(stage: Stage, hello: str) -> None:
    """A session has its data and memo, runs on the active deployment, and leaves its result and log."""
    started = start(stage, hello, data={"name": "Ann", "raw": b"\xff", "$odd": 1}, memo={"why": "test"})
    done = stage.wait(started.id)

    assert started.state is SessionState.CREATED and done.state is SessionState.COMPLETED
    assert value_of(done.event, "event")["data"] == {"name": "Ann", "raw": b"\xff", "$odd": 1}
    assert value_of(done.result, "result") == {"n": 1}
    assert done.memo == {"why": "test"} and done.durable and done.parent_id is None
    assert done.deployment_id == stage.client.deployments.get(hello).id
    lines = stage.client.sessions.log_page(done.id, LogQuery()).items
    assert [line.kind for line in lines] == ["state", "print", "state"]
    assert lines[1].text == "hello Ann" and lines[2].state == "COMPLETED"


def test_failed_session(stage: Stage) -> None:
    """Its error is in the session and at the end of its log."""
    done = stage.wait(start(stage, stage.deploy(FAILING).project.name).id)

    assert done.state is SessionState.ERROR
    assert done.error is not None and done.error.rstrip().endswith("ValueError: no luck")
    assert stage.client.sessions.log_page(done.id, LogQuery(kind="state")).items[-1].error == done.error


@pytest.mark.parametrize(("durable", "expected"), [(None, False), (True, True), (False, False)])
def test_durable_unless_its_trigger_is_not(stage: Stage, durable: bool | None, expected: bool) -> None:
    """A function that a plain trigger calls runs plain by hand, too; unless it is told otherwise."""
    project = stage.deploy(triggers="    - {name: hook, type: webhook, call: 'program.py:main'}\n").project.name

    assert start(stage, project, durable=durable).durable is expected


def test_bad_starts(stage: Stage, hello: str) -> None:
    """What cannot be started is told, and makes no session."""
    empty = stage.http.post("/projects", json={"name": stage.name()}).json()["name"]
    with pytest.raises(NotFound, match="no project named 'nobody'"):
        start(stage, "nobody")
    with pytest.raises(FailedPrecondition, match="is not deployed"):
        start(stage, empty)
    for entry, said in (
        ("program.py:mian", "defines no mian"), ("other.py:main", "no file other.py"), ("main", "no `:`"),
        ("../program.py:main", "leads out"),
    ):  # fmt: skip
        with pytest.raises(InvalidArgument, match=said):
            start(stage, hello, entry)
    body = {"project": hello, "entry": "program.py:main", "data": {"$bytes": "abc"}}
    assert "data: it cannot be read" in stage.http.post("/sessions", json=body).json()["error"]["message"]

    assert list(stage.client.sessions.list(SessionQuery(project=hello), 10)) == []


def test_list_by_what_they_are(stage: Stage, hello: str) -> None:
    """By project, state, deployment; the newest first; page by page."""
    ids = [start(stage, hello).id for _ in range(5)]
    for session_id in ids:
        stage.wait(session_id)

    def found(**query: object) -> list[str]:
        return [each.id for each in stage.client.sessions.list(SessionQuery(project=hello, **query), 100)]  # type: ignore[arg-type]

    assert found() == ids[::-1] == found(state=SessionState.COMPLETED)
    assert found(deployment=stage.client.deployments.get(hello).id) == ids[::-1]
    assert found(state=SessionState.ERROR) == found(event="evt_none") == found(parent=ids[0]) == []
    first = stage.client.sessions.page(SessionQuery(project=hello, limit=2))
    second = stage.client.sessions.page(SessionQuery(project=hello, limit=2, cursor=first.next or ""))
    third = stage.client.sessions.page(SessionQuery(project=hello, limit=2, cursor=second.next or ""))
    assert [len(page.items) for page in (first, second, third)] == [2, 2, 1] and third.next is None
    with pytest.raises(NotFound):
        stage.client.sessions.page(SessionQuery(project="nobody"))


def test_by_beginning_and_last(stage: Stage, hello: str) -> None:
    """A session is also named by the beginning of its id, if that is its alone, and the newest one as `last`."""
    started = start(stage, hello)

    assert stage.client.sessions.get("last").id == started.id
    assert stage.client.sessions.get(started.id[:-1]).id == started.id
    with pytest.raises(NotFound, match="there is no session nope"):
        stage.client.sessions.get("nope")
    with pytest.raises(InvalidArgument, match="more than one session begins with ses_"):
        start(stage, hello)
        stage.client.sessions.get("ses_")


def test_log_page_by_page(stage: Stage, steps: str) -> None:
    """All pages together are the log; a cursor may be used twice."""
    session = start(stage, steps)
    signal(stage, steps, session, 3)
    stage.wait(session.id)
    whole = stage.client.sessions.log_page(session.id, LogQuery(limit=500)).items

    page = stage.client.sessions.log_page(session.id, LogQuery(limit=3))
    paged = list(page.items)
    while page.next is not None:
        page = stage.client.sessions.log_page(session.id, LogQuery(limit=3, cursor=page.next))
        paged += page.items

    assert paged == whole and len(whole) > 6


def test_follow_from_the_beginning(stage: Stage, steps: str) -> None:
    """A follower sees what was there, then each entry when it is durable, in order, and the session at the end."""
    session = start(stage, steps)
    seen: list[LogLine | Session] = []
    has_begun, has_two = threading.Event(), threading.Event()

    def follow() -> None:
        for each in stage.client.sessions.log(session.id, follow=True):
            seen.append(each)
            has_begun.set()
            if isinstance(each, LogLine) and each.text == "got 1":
                has_two.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert has_begun.wait(60)
    signal(stage, steps, session, 2)
    assert has_two.wait(60)
    assert stage.client.sessions.get(session.id).state is SessionState.RUNNING
    signal(stage, steps, session, 1)
    thread.join(60)

    printed = [each.text for each in seen if isinstance(each, LogLine) and each.kind == "print"]
    assert printed == ["begun", "got 0", "got 1", "got 0"]
    assert isinstance(seen[-1], Session) and seen[-1].state is SessionState.COMPLETED


def test_two_followers_see_the_same(stage: Stage, steps: str) -> None:
    """And one that comes after the end sees it, too."""
    session = start(stage, steps)
    results: list[list[ServerEvent]] = []
    threads = [threading.Thread(target=lambda: results.append(list(events(stage, session.id)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    signal(stage, steps, session, 3)
    for thread in threads:
        thread.join(60)

    assert results[0] == results[1] == list(events(stage, session.id))


def test_going_on_after_an_id(stage: Stage, steps: str) -> None:
    """A follower that was cut off says the last id it saw, as browsers do, and gets just what comes after it."""
    session = start(stage, steps)
    signal(stage, steps, session, 3)
    whole = list(events(stage, session.id))
    assert whole[-1].kind == "end" and [int(each.id) for each in whole] == sorted(int(each.id) for each in whole)

    for at in (0, 3, len(whole) - 2):
        rest = list(events(stage, session.id, after=int(whole[at].id)))
        assert [each.data for each in rest] == [each.data for each in whole[at + 1 :]]
    path = f"/sessions/{session.id}/log/stream"
    header = {"last-event-id": whole[3].id}
    with stage.http.stream("GET", path, params={"after": 0}, headers=header) as response:
        assert [each.data for each in read_events(response.iter_lines())] == [each.data for each in whole[4:]]
    assert stage.http.get(path, headers={"last-event-id": "x"}).status_code == 400


def test_log_without_following(stage: Stage, steps: str) -> None:
    """The stream ends at once, with what is under way as such, and the session as it is."""
    session = start(stage, steps)
    next(event for event in events(stage, session.id) if "begun" in event.data)

    seen = list(stage.client.sessions.log(session.id))
    while not any(isinstance(each, LogLine) and each.running for each in seen):  # the wait begins right after
        seen = list(stage.client.sessions.log(session.id))

    waiting = [each for each in seen if isinstance(each, LogLine) and each.running]
    assert [each.name for each in waiting] == ["autokitteh.next_signal"]
    assert isinstance(seen[-1], Session) and seen[-1].state is SessionState.RUNNING


def test_followers_are_sent_away_when_the_server_stops(tmp_path: Path) -> None:
    """They do not keep it from stopping; and the session goes on in the next server."""
    got: list[list[LogLine | Session]] = []
    with staged(tmp_path) as first:
        project = first.deploy(STEPS).project.name
        session = start(first, project)
        begun = threading.Event()

        def follow() -> None:
            seen = []
            with Client(Address(url=first.url, token=first.token)) as client:
                for each in client.sessions.log(session.id, follow=True):
                    seen.append(each)
                    begun.set()
            got.append(seen)

        thread = threading.Thread(target=follow)
        thread.start()
        assert begun.wait(60)
    thread.join(60)
    assert got and not any(isinstance(each, Session) for each in got[0])
    with staged(tmp_path) as second:
        signal(second, project, session, 3)
        assert second.wait(session.id).state is SessionState.COMPLETED


def test_follower_of_a_deleted_session(stage: Stage, hello: str) -> None:
    """There is nothing to follow."""
    session = start(stage, hello)
    stage.wait(session.id)
    stage.client.sessions.delete(session.id)

    with pytest.raises(NotFound):
        list(stage.client.sessions.log(session.id, follow=True))


@pytest.mark.parametrize("force", [False, True])
def test_stop(stage: Stage, steps: str, force: bool) -> None:
    """A session that waits is stopped at once; what it had begun is shown as interrupted."""
    session = start(stage, steps)
    next(event for event in events(stage, session.id) if "begun" in event.data)

    stage.client.sessions.stop(session.id, force=force)
    stopped = stage.wait(session.id)

    assert stopped.state is SessionState.STOPPED
    last = stage.client.sessions.log_page(session.id, LogQuery(limit=500)).items[-1]
    assert (last.kind, last.state) == ("state", "STOPPED")
    with pytest.raises(FailedPrecondition, match="is STOPPED"):
        stage.client.sessions.stop(session.id)


def test_restart(stage: Stage) -> None:
    """A new session does the same with the code of now."""
    name = stage.deploy(HELLO).project.name
    first = stage.wait(start(stage, name, data={"name": "Bo"}, memo={"n": "1"}).id)
    stage.deploy(HELLO.replace("hello", "good morning"), name=name)

    again = stage.wait(stage.client.sessions.restart(first.id).id)

    assert again.id != first.id and again.memo == first.memo and again.build_id != first.build_id
    printed = stage.client.sessions.log_page(again.id, LogQuery(kind="print")).items
    assert [line.text for line in printed] == ["good morning Bo"]


def test_restart_without_a_deployment(stage: Stage, hello: str) -> None:
    """It runs on its own build then."""
    first = stage.wait(start(stage, hello).id)
    stage.client.deployments.deactivate(hello)

    again = stage.wait(stage.client.sessions.restart(first.id).id)

    assert (again.build_id, again.deployment_id) == (first.build_id, None)
    assert again.state is SessionState.COMPLETED


def test_restart_of_what_is_not_there_any_more(stage: Stage, hello: str) -> None:
    """The code of now has no such function: nothing is started."""
    first = stage.wait(start(stage, hello).id)
    stage.deploy("def other(event): pass\n", name=hello)

    with pytest.raises(InvalidArgument, match="defines no main"):
        stage.client.sessions.restart(first.id)


def test_delete(stage: Stage, steps: str) -> None:
    """A session that is over goes with its log; one that is not stays."""
    session = start(stage, steps)
    with pytest.raises(FailedPrecondition, match="is not over"):
        stage.client.sessions.delete(session.id)
    stage.client.sessions.stop(session.id, force=True)
    stage.wait(session.id)

    stage.client.sessions.delete(session.id)

    with pytest.raises(NotFound):
        stage.client.sessions.log_page(session.id, LogQuery())


def test_heartbeat_and_query_types() -> None:
    """Comments in a stream are no events, and an event that is cut off is none."""
    lines = [": still here", "", "id: 3", "data: {}", "", "event: end", "data: 1", "data: 2", "", "data: cut"]

    assert list(read_events(lines)) == [ServerEvent("", "3", "{}"), ServerEvent("end", "3", "1\n2")]
    assert StreamQuery().follow
