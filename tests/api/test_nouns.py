"""Everything but sessions over HTTP: made, looked at, changed, deleted, through the client and as plain requests."""

import httpx
import pytest

from api.stage import HELLO, Stage
from api.test_errors import error_of
from autokitteh_server.core.api_types.builds import (
    CreateBuild,
    CreateDeployment,
    Deploy,
    DeploymentQuery,
    Lint,
    ManifestText,
)
from autokitteh_server.core.api_types.connections import CreateConnection, OfProject
from autokitteh_server.core.api_types.events import DispatchEvent, EventQuery, TryFilter
from autokitteh_server.core.api_types.projects import CreateProject
from autokitteh_server.core.api_types.sessions import SessionQuery
from autokitteh_server.core.api_types.stored import SetValue
from autokitteh_server.core.api_types.triggers import ChangeTrigger, CreateTrigger
from autokitteh_server.core.api_types.values import PageQuery, raw, value_of
from autokitteh_server.core.api_types.variables import OneVar, SetVar, VarQuery
from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.core.states import DeploymentState

HOOK = "    - {name: hook, type: webhook, call: 'program.py:main', is_durable: true}\n"


@pytest.fixture
def project(stage: Stage) -> str:
    """A project with a webhook, deployed."""
    return stage.deploy(HELLO, triggers=HOOK).project.name


def test_projects(stage: Stage) -> None:
    """Made by name, found by name and id, listed by name, deleted; a name is taken once."""
    name = stage.name("aaa")
    made = stage.client.projects.create(CreateProject(name=name, display_name="Ä project"))

    assert stage.client.projects.get(name) == stage.client.projects.get(made.id) == made
    assert made.display_name == "Ä project" and (made.store_url or "").startswith(stage.url)
    names = [each.name for each in stage.client.projects.list(1000)]
    assert name in names and names == sorted(names)
    with pytest.raises(FailedPrecondition, match=f"there is a project named {name}"):
        stage.client.projects.create(CreateProject(name=name))
    with pytest.raises(InvalidArgument, match="cannot be the name of a project"):
        stage.client.projects.create(CreateProject(name="a b"))
    stage.client.projects.delete(name)
    with pytest.raises(NotFound, match="no project"):
        stage.client.projects.get(made.id)


def test_pages_are_the_list(stage: Stage) -> None:
    """Pages of one item have each item once, in the order of the list."""
    for _ in range(3):
        stage.client.projects.create(CreateProject(name=stage.name()))
    whole = list(stage.client.projects.list(1000))

    page = stage.client.projects.page(PageQuery(limit=1))
    paged = list(page.items)
    while page.next is not None:
        page = stage.client.projects.page(PageQuery(limit=1, cursor=page.next))
        paged += page.items

    assert paged == whole


def test_deploy(stage: Stage) -> None:
    """It tells what it has done, and where webhooks are; the same again does nothing."""
    name = stage.name()
    first = stage.deploy(HELLO, name=name, triggers=HOOK)
    second = stage.deploy(HELLO, name=name, triggers=HOOK)
    third = stage.deploy(HELLO + "\n# changed\n", name=name, triggers=HOOK)

    assert first.lines[0] == f"+ project {name}" and first.is_new
    assert first.webhooks[0].webhook_url == second.webhooks[0].webhook_url
    assert (second.is_new, second.deployment) == (False, first.deployment)
    assert third.is_new and third.build_id != first.build_id
    states = [each.state for each in stage.client.deployments.list(DeploymentQuery(project=name), 10)]
    assert states == [DeploymentState.ACTIVE, DeploymentState.INACTIVE]


@pytest.mark.parametrize(
    ("files", "name", "said"),
    [
        ({"program.py": "def main(:\n"}, "x", "program.py:1:10: invalid syntax"),
        ({"../x.py": "1"}, "x", "leads out of its directory"),
        ({"/x.py": "1"}, "x", "is absolute"),
        ({"a/" * 60 + "x.py": "1"}, "x", "more than 50 parts"),
        ({"x\0.py": "1"}, "x", "a character that cannot be stored"),
        ({"x.py": "1", "X.py": "2"}, "x", "one and the same"),
        ({}, "", "the project has no files"),
        ({"a.py": ""}, "1x", "cannot be the name of a project"),
        ({"autokitteh.yaml": "version: v2\nproject: {nam: x}\n"}, "", "autokitteh.yaml:2:"),
        ({"autokitteh.yaml": "version: v2\nproject: {name: x, triggers: [{name: t, type: webhook, call: 'a.py:b'}]}\n"},
         "", "there is no file a.py"),
    ],
)  # fmt: skip
def test_bad_deploys(stage: Stage, files: dict[str, str], name: str, said: str) -> None:
    """Nothing is made of them, not even the project."""
    wanted = Deploy(files={path: text.encode() for path, text in files.items()}, name=name)

    with pytest.raises(InvalidArgument, match="(?s).*" + said.replace("/", ".")):
        stage.client.projects.deploy(wanted)
    with pytest.raises(NotFound):
        stage.client.projects.get("x")


def test_lint(stage: Stage) -> None:
    """Nothing comes of it but findings; what no project can have is refused as it is by deploying."""
    name = stage.name()
    found = stage.client.projects.lint(Lint(files={"a.py": b"(", "requirements.txt": b"boto3"}, name=name))

    assert [(each.id, each.severity) for each in found] == [("syntax", "error"), ("promised-package", "warning")]
    assert stage.client.projects.lint(Lint(files={"a.py": b""}, name=name)) == []
    with pytest.raises(NotFound):
        stage.client.projects.get(name)
    with pytest.raises(InvalidArgument, match="leads out"):
        stage.client.projects.lint(Lint(files={"../a.py": b""}, name=name))


def test_files_that_are_no_base64(stage: Stage) -> None:
    """Are told by their path."""
    answer = stage.http.post("/deploy", json={"files": {"a.py": "???"}, "name": "x"})

    assert "base64" in error_of(answer, 400)["message"].lower()


def test_manifests(stage: Stage) -> None:
    """A plan tells and does nothing; applied, it is empty."""
    name = stage.name()
    text = f"version: v2\nproject:\n  name: {name}\n  vars:\n    - {{name: A, value: '1'}}\n"

    plan = stage.client.projects.plan(ManifestText(text=text))
    with pytest.raises(NotFound):
        stage.client.projects.get(name)
    applied = stage.client.projects.apply(ManifestText(text=text))

    assert plan.lines == applied.lines == [f"+ project {name}", "+ var A"] and not plan.is_empty
    assert stage.client.projects.plan(ManifestText(text=text)).is_empty
    other = stage.client.projects.plan(ManifestText(text=text, name=stage.name()))
    assert not other.is_empty
    with pytest.raises(InvalidArgument, match=r"my\.yaml:1:1: "):
        stage.client.projects.plan(ManifestText(text="oops: 1\n", file="my.yaml"))


def test_export(stage: Stage, project: str) -> None:
    """What comes back can be deployed, and then nothing is to be done."""
    files = stage.client.projects.export(project).files

    assert sorted(files) == ["autokitteh.yaml", "program.py"] and files["program.py"] == HELLO.encode()
    assert not stage.client.projects.deploy(Deploy(files=files)).is_new


def test_connections(stage: Stage, project: str) -> None:
    """By name in a project, or by id."""
    made = stage.client.connections.create(CreateConnection(project=project, name="chat", integration="slack"))

    assert stage.client.connections.get(f"{project}/chat") == stage.client.connections.get(made.id) == made
    assert list(stage.client.connections.list(OfProject(project=project), 10)) == [made]
    with pytest.raises(InvalidArgument, match="no integration 'slak'"):
        stage.client.connections.create(CreateConnection(project=project, name="other", integration="slak"))
    with pytest.raises(FailedPrecondition, match="has a connection chat already"):
        stage.client.connections.create(CreateConnection(project=project, name="chat", integration="slack"))
    with pytest.raises(NotFound, match="has no connection 'chta'"):
        stage.client.connections.get(f"{project}/chta")
    stage.client.connections.delete(f"{project}/chat")
    assert list(stage.client.connections.list(OfProject(project=project), 10)) == []


def test_integrations(stage: Stage) -> None:
    """All that the manifest knows."""
    assert [each.name for each in stage.client.connections.integrations(1000)] == sorted(INTEGRATIONS)


def test_triggers(stage: Stage, project: str) -> None:
    """Made, changed field by field, paused, resumed, deleted."""
    wanted = CreateTrigger(
        project=project, name="nightly", type=TriggerType.SCHEDULE, schedule="0 3 * * *", call="program.py:main"
    )
    made = stage.client.triggers.create(wanted)
    which = f"{project}/nightly"

    assert stage.client.triggers.get(which) == stage.client.triggers.get(made.id) == made
    assert made.next_tick_at is not None and made.next_tick_at.endswith("03:00:00.000000Z")
    changed = stage.client.triggers.update(which, ChangeTrigger(schedule="0 4 * * *", timezone="UTC"))
    assert (changed.schedule, changed.call) == ("0 4 * * *", "program.py:main")
    paused = stage.client.triggers.pause(which)
    assert paused.is_paused and paused.next_tick_at is None
    assert not stage.client.triggers.resume(which).is_paused
    assert [each.name for each in stage.client.triggers.list(OfProject(project=project), 10)] == ["hook", "nightly"]
    stage.client.triggers.delete(which)
    with pytest.raises(NotFound, match="has no trigger 'nightly'"):
        stage.client.triggers.get(which)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "schedule", "schedule": "0 3 * *", "call": "program.py:main"}, "schedule"),
        ({"type": "schedule", "schedule": "@daily", "call": "program.py:main", "timezone": "Nowhere"}, "timezone"),
        ({"type": "webhook", "filter": "data.x ="}, "filter: line 1"),
        ({"type": "webhook", "call": "main"}, "call"),
        ({"type": "connection"}, "connection"),
        ({"type": "carrier pigeon"}, "type"),
        ({"type": "webhook", "is_sync": "yes"}, "is_sync"),
    ],
)
def test_bad_triggers(stage: Stage, project: str, fields: dict[str, object], said: str) -> None:
    """What is wrong is named by its field."""
    answer = stage.http.post("/triggers", json={"project": project, "name": "bad", **fields})

    assert said in error_of(answer, 400)["message"]
    assert stage.http.get("/triggers/bad", params={"project": project}).status_code == 404


def test_vars(stage: Stage, project: str) -> None:
    """Of a project and of a connection; secret ones are shown on demand only, and stay secret."""
    stage.client.connections.create(CreateConnection(project=project, name="chat", integration="slack"))
    for owner in (project, f"{project}/chat"):
        stage.client.vars.put("PLAIN", owner, SetVar(value="1", description="a number"))
        stage.client.vars.put("KEY", owner, SetVar(value="hush", is_secret=True))
        stage.client.vars.put("KEY", owner, SetVar(value="hush hush"))

        shown = {each.name: each.value for each in stage.client.vars.list(VarQuery(owner=owner), 10)}
        assert shown == {"KEY": None, "PLAIN": "1"}
        assert stage.client.vars.get("KEY", OneVar(owner=owner, reveal=True)).value == "hush hush"
        assert stage.client.vars.get("PLAIN", OneVar(owner=owner)).description == "a number"
        stage.client.vars.delete("PLAIN", owner)
        with pytest.raises(NotFound, match="has no var 'PLAIN'"):
            stage.client.vars.get("PLAIN", OneVar(owner=owner))
        with pytest.raises(InvalidArgument, match="cannot be the name of a var"):
            stage.client.vars.put("1A", owner, SetVar(value=""))


def test_builds_and_deployments(stage: Stage, project: str) -> None:
    """A build is made beside the active one, made active, taken back, and deleted where nothing has it."""
    first = stage.client.deployments.get(project)
    build = stage.client.builds.create(CreateBuild(files={"program.py": b"def main(event): pass\n"}, project=project))
    unused = stage.client.builds.create(CreateBuild(files={"program.py": b"main = 1\n"}, project=project))

    assert stage.client.builds.get(build.id) == build
    assert stage.client.builds.files(build.id).files == {"program.py": b"def main(event): pass\n"}
    assert [each.id for each in stage.client.builds.list(OfProject(project=project), 10)][:2] == [unused.id, build.id]
    second = stage.client.deployments.create(CreateDeployment(build=build.id))
    assert stage.client.deployments.get(project) == second
    assert stage.client.deployments.activate(first.id).state is DeploymentState.ACTIVE
    assert stage.client.deployments.get(second.id).state is DeploymentState.INACTIVE
    assert stage.client.deployments.deactivate(project).id == first.id
    with pytest.raises(FailedPrecondition, match="is not deployed"):
        stage.client.deployments.get(project)
    stage.client.builds.delete(unused.id)
    with pytest.raises(FailedPrecondition, match=f"has build {build.id}"):
        stage.client.builds.delete(build.id)


def test_events(stage: Stage, project: str) -> None:
    """What a webhook got is an event with its verdict; it can be sent once more, and one by hand as well."""
    hook = stage.client.triggers.get(f"{project}/hook")
    answer = httpx.post(str(hook.webhook_url), json={"name": "Ann"}, trust_env=False)
    event = stage.client.events.get(answer.headers["autokitteh-event-id"])

    assert (event.event_type, event.source_name, event.source_id) == ("post", "hook", hook.id)
    assert value_of(event.data, "data")["body"]["bytes"] == b'{"name":"Ann"}'
    (verdict,) = event.verdicts
    assert verdict.kind is VerdictKind.STARTED and verdict.trigger_id == hook.id and verdict.session_id
    (session,) = stage.client.sessions.list(SessionQuery(event=event.id), 10)
    assert session.id == verdict.session_id and session.trigger_id == hook.id
    again = stage.client.events.redispatch(event.id)
    assert value_of(again.data, "data") == value_of(event.data, "data")
    by_hand = stage.client.events.dispatch(
        DispatchEvent(source=f"{project}/hook", event_type="test", data=raw({"b": b"\0"}))
    )
    assert value_of(by_hand.data, "data") == {"b": b"\0"}
    found = [each.id for each in stage.client.events.list(EventQuery(project=project), 10)]
    assert found == [by_hand.id, again.id, event.id]
    typed = stage.client.events.list(EventQuery(source=hook.id, event_type="test"), 10)
    assert [each.id for each in typed] == [by_hand.id]
    for each in (event, again, by_hand):
        stage.wait(str(each.verdicts[0].session_id))


def test_bad_events(stage: Stage, project: str) -> None:
    """No source, no object, no event."""
    with pytest.raises(NotFound, match="no connection or trigger named nope"):
        stage.client.events.dispatch(DispatchEvent(source=f"{project}/nope"))
    with pytest.raises(InvalidArgument, match="must be a JSON object"):
        stage.client.events.dispatch(DispatchEvent(source=f"{project}/hook", data=raw([1])))
    with pytest.raises(NotFound, match="there is no event evt_nope"):
        stage.client.events.redispatch("evt_nope")


@pytest.mark.parametrize(
    ("text", "data", "matched", "failure"),
    [
        ("data.x == 1", {"x": 1}, True, ""),
        ("data.x == 1", {"x": 2}, False, ""),
        ("data.x.y == 1", {"x": 2}, False, "data.x"),
        ("event_type == 'test'", {}, True, ""),
        ("", {}, True, ""),
    ],
)
def test_filters_are_tried(stage: Stage, text: str, data: dict[str, object], matched: bool, failure: str) -> None:
    """On an event, with why it failed if it did."""
    verdict = stage.client.events.verify_filter(TryFilter(filter=text, event_type="test", data=raw(data)))

    assert (verdict.problems, verdict.matched) == ([], matched)
    assert failure in verdict.failure and bool(failure) == bool(verdict.failure)


def test_bad_filters_have_their_problems_told(stage: Stage) -> None:
    """With the place."""
    verdict = stage.client.events.verify_filter(TryFilter(filter="data.x == 1 &&\n  nope(3)"))

    assert verdict.matched is None
    assert [(each.line, each.column) for each in verdict.problems] == [(2, 3)]


def test_stored_values(stage: Stage, project: str) -> None:
    """Any JSON value with bytes, under any key."""
    for key, value in (("a", 1), ("b/c d?é", {"x": [None, b"\xff"]}), ("n", None)):
        stage.client.stored.put(project, key, SetValue(value=raw(value)))
        assert value_of(stage.client.stored.get(project, key).value, "value") == value

    assert [each.key for each in stage.client.stored.list(project, 10)] == ["a", "b/c d?é", "n"]
    stage.client.stored.delete(project, "a")
    for gone in ("a", "zzz"):
        with pytest.raises(NotFound, match=f"there is no value '{gone}'"):
            stage.client.stored.get(project, gone)
        with pytest.raises(NotFound):
            stage.client.stored.delete(project, gone)
    answer = stage.http.put(f"/projects/{project}/store/value", params={"key": "k" * 1025}, json={"value": 1})
    assert error_of(answer, 400)["message"].startswith("key: ")


def test_project_that_is_at_work_stays(stage: Stage) -> None:
    """It can be deleted once its sessions are over."""
    name = stage.deploy("import time\ndef main(event):\n    time.sleep(1000)\n").project.name
    session = stage.http.post("/sessions", json={"project": name, "entry": "program.py:main"}).json()["id"]

    with pytest.raises(FailedPrecondition, match=f"session {session} of the project is not over"):
        stage.client.projects.delete(name)
    stage.client.sessions.stop(session, force=True)
    stage.wait(session)
    stage.client.projects.delete(name)
    assert stage.http.get(f"/sessions/{session}").status_code == 404


def test_version(stage: Stage) -> None:
    """As `ak version` says."""
    assert stage.client.version().version.count(".") == 2
