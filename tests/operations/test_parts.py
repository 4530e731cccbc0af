"""Projects, connections, triggers, vars, builds and deployments, as people handle them."""

from typing import Any

import pytest

from autokitteh_server.builds.source import source_from_files
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.states import DeploymentState
from autokitteh_server.operations import builds, connections, deployments, projects, sessions, triggers, variables
from autokitteh_server.operations.trigger_fields import TriggerFields
from autokitteh_server.operations.triggers import find_trigger
from autokitteh_server.secretbox.box import CannotOpen
from autokitteh_server.storage import variables as stored_variables
from operations.stage import DAY, MINUTE, PROGRAM, START, Stage, manifest

WEBHOOK = TriggerFields(type=TriggerType.WEBHOOK)
SCHEDULE = TriggerFields(type=TriggerType.SCHEDULE, schedule="@every 10m", call="program.py:on_tick")


def test_projects(stage: Stage) -> None:
    """Made by name, found by name and id, listed in order, deleted with everything."""
    second, first = (projects.create(stage.services, name, display_name=name.upper()) for name in ("b", "a"))
    assert projects.get(stage.services, "a") == projects.get(stage.services, first.id) == first
    assert first.store_slug
    assert list(projects.list_page(stage.services, limit=1)) == [first]
    assert list(projects.list_page(stage.services, limit=9, after_name="a")) == [second]
    connections.create(stage.services, "a", "team", "slack")
    variables.set_value(stage.services, "a/team", "token", "x")
    assert projects.delete(stage.services, "a") == first
    assert not connections.list_all(stage.services)
    with pytest.raises(NotFound, match="a"):
        projects.get(stage.services, "a")


def test_a_project_with_a_session_is_not_deleted(stage: Stage) -> None:
    """Nor is a name given twice, or one that cannot be a name."""
    stage.session(stage.deploy())
    with pytest.raises(FailedPrecondition, match="not over"):
        projects.delete(stage.services, "p")
    with pytest.raises(FailedPrecondition, match="already"):
        projects.create(stage.services, "p")
    with pytest.raises(InvalidArgument, match="name of a project"):
        projects.create(stage.services, "p p")


def test_connections(stage: Stage) -> None:
    """Made in a project, found by project and name or by id, and deleted unless a trigger uses them."""
    projects.create(stage.services, "p")
    team = connections.create(stage.services, "p", "team", "slack")
    assert connections.get(stage.services, "p/team") == connections.get(stage.services, team.id) == team
    assert list(connections.list_all(stage.services, "p")) == [team]
    fields = TriggerFields(type=TriggerType.CONNECTION, connection="team")
    triggers.create(stage.services, "p", "chat", fields)
    with pytest.raises(FailedPrecondition, match="chat"):
        connections.delete(stage.services, "p/team")
    triggers.delete(stage.services, "p/chat")
    assert connections.delete(stage.services, team.id) == team
    assert not connections.list_all(stage.services, "p")


@pytest.mark.parametrize(
    ("name", "integration", "error", "problem"),
    [
        ("team", "slack", FailedPrecondition, "already"),
        ("other", "slak", InvalidArgument, "Did you mean slack"),
        ("other", "nothing_like_it", InvalidArgument, "Use one of"),
        ("not a name", "slack", InvalidArgument, "name of a connection"),
    ],
)
def test_bad_connections(stage: Stage, name: str, integration: str, error: type[Exception], problem: str) -> None:
    """What is wrong with a connection is told, and none is made."""
    projects.create(stage.services, "p")
    connections.create(stage.services, "p", "team", "slack")
    with pytest.raises(error, match=problem):
        connections.create(stage.services, "p", name, integration)
    assert len(connections.list_all(stage.services)) == 1


@pytest.mark.parametrize(
    ("which", "remedy"),
    [("p/tean", "Did you mean p/team?"), ("team", "PROJECT/CONNECTION"), ("q/team", "project list"), ("p/x", "list")],
)
def test_what_is_not_found_has_a_hint(stage: Stage, which: str, remedy: str) -> None:
    """The name that was meant, or where to look for it."""
    projects.create(stage.services, "p")
    connections.create(stage.services, "p", "team", "slack")
    with pytest.raises(NotFound) as caught:
        connections.get(stage.services, which)
    assert remedy in caught.value.remedy


def test_triggers(stage: Stage) -> None:
    """Made by hand, found, changed field by field, deleted."""
    projects.create(stage.services, "p")
    hook = triggers.create(stage.services, "p", "hook", WEBHOOK)
    assert hook.webhook_slug
    assert (hook.is_declared, hook.next_tick_at) == (False, None)
    assert triggers.get(stage.services, "p/hook") == triggers.get(stage.services, hook.id) == hook
    changed = triggers.update(stage.services, "p/hook", {"filter": "data.x == 1", "is_sync": True})
    assert (changed.filter, changed.is_sync, changed.webhook_slug) == ("data.x == 1", True, hook.webhook_slug)
    assert list(triggers.list_all(stage.services, "p")) == [changed]
    assert triggers.delete(stage.services, hook.id) == changed
    with pytest.raises(NotFound, match="hook"):
        triggers.get(stage.services, "p/hook")


def test_a_schedule_is_paused_and_resumed(stage: Stage) -> None:
    """What falls into the pause is left out; its beat is the one it had; resuming what runs does not skip a tick."""
    projects.create(stage.services, "p")
    made = triggers.create(stage.services, "p", "tick", SCHEDULE)
    assert made.next_tick_at == START + 10 * MINUTE
    assert triggers.pause(stage.services, "p/tick").next_tick_at is None
    assert triggers.pause(stage.services, "p/tick").is_paused
    stage.go_to(START + DAY + MINUTE)
    resumed = triggers.resume(stage.services, "p/tick")
    assert (resumed.is_paused, resumed.next_tick_at) == (False, START + DAY + 10 * MINUTE)
    stage.go_to(START + DAY + 11 * MINUTE)
    assert triggers.resume(stage.services, "p/tick").next_tick_at == START + DAY + 10 * MINUTE
    assert stage.told_of_schedules == 5


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"type": TriggerType.WEBHOOK, "schedule": "@daily"}, ["schedule: a webhook trigger has none"]),
        ({"type": TriggerType.WEBHOOK, "call": "x"}, ["call: 'x' is not an entry point"]),
        ({"type": TriggerType.WEBHOOK, "filter": "data.x ="}, ["filter: line 1, column"]),
        ({"type": TriggerType.WEBHOOK, "event_type": "a\0"}, ["event_type: there is a NUL"]),
        ({"type": TriggerType.CONNECTION}, ["connection: a connection trigger needs"]),
        (
            {"type": TriggerType.SCHEDULE, "schedule": "@dayly", "timezone": "Europe/Berlyn", "is_sync": True},
            ["is_sync: a schedule", "schedule: there is no schedule", "timezone: there is no", "call: a schedule has"],
        ),
    ],
)
def test_bad_triggers(stage: Stage, fields: dict[str, Any], problems: list[str]) -> None:
    """All that is wrong with the fields is told at once, and none is made."""
    projects.create(stage.services, "p")
    with pytest.raises(InvalidArgument) as caught:
        triggers.create(stage.services, "p", "t", TriggerFields(**fields))
    for line, problem in zip(caught.value.message.splitlines(), problems, strict=True):
        assert line.startswith(problem)
    assert not triggers.list_all(stage.services)


def test_triggers_that_do_not_fit_the_project(stage: Stage) -> None:
    """A connection that is not there, a function that is not deployed, a name that is taken, an unknown field."""
    stage.deploy()
    connections.create(stage.services, "p", "team", "slack")
    triggers.create(stage.services, "p", "hook", WEBHOOK)
    with pytest.raises(NotFound, match=r"(?s)tean.*Did you mean team"):
        fields = TriggerFields(type=TriggerType.CONNECTION, connection="tean")
        triggers.create(stage.services, "p", "chat", fields)
    with pytest.raises(FailedPrecondition, match="on_evnt"):
        triggers.update(stage.services, "p/hook", {"call": "program.py:on_evnt"})
    with pytest.raises(FailedPrecondition, match="already"):
        triggers.create(stage.services, "p", "hook", WEBHOOK)
    for name in ("type", "nonsense"):
        with pytest.raises(InvalidArgument, match=name):
            triggers.update(stage.services, "p/hook", {name: "x"})
    assert triggers.update(stage.services, "p/hook", {"call": "program.py:on_event"}).call == "program.py:on_event"


def test_a_trigger_of_another_project_is_not_found(stage: Stage) -> None:
    """Names are looked up in their own project."""
    for name in ("p", "q"):
        projects.create(stage.services, name)
    made = triggers.create(stage.services, "q", "hook", WEBHOOK)
    with pytest.raises(NotFound, match="project p has no trigger"):
        triggers.get(stage.services, "p/hook")
    assert stage.database.read(lambda conn: find_trigger(conn, "q/hook")) == made


def test_vars(stage: Stage) -> None:
    """Set on project and connection, listed, found and deleted; what is not given stays as it is."""
    project = projects.create(stage.services, "p")
    team = connections.create(stage.services, "p", "team", "slack")
    variables.set_value(stage.services, "p", "A", "1", description="A number")
    changed = variables.set_value(stage.services, project.id, "A", "2")
    assert (changed.value, changed.description, changed.is_secret) == ("2", "A number", False)
    for owner in ("p/team", team.id):
        variables.set_value(stage.services, owner, "B", owner)
    assert [(var.name, var.value) for var in variables.list_all(stage.services, "p")] == [("A", "2")]
    assert [(var.name, var.value) for var in variables.list_all(stage.services, "p/team")] == [("B", team.id)]
    assert variables.delete(stage.services, "p", "A").value == "2"
    with pytest.raises(NotFound, match="no var 'A'"):
        variables.get(stage.services, "p", "A")


def test_secret_vars(stage: Stage) -> None:
    """Sealed in the store, shown only when asked for, secret until told otherwise, and unreadable with another key."""
    project = projects.create(stage.services, "p")
    assert variables.set_value(stage.services, "p", "T", "hunter2", is_secret=True).value is None
    assert variables.set_value(stage.services, "p", "T", "hunter3").is_secret
    stored = stage.database.read(lambda conn: stored_variables.find(conn, project.id, "T"))
    assert stored is not None
    assert "hunter" not in stored.value
    assert variables.get(stage.services, "p", "T").value is None
    revealed = variables.get(stage.services, "p", "T", reveal=True)
    assert revealed.value == "hunter3"
    assert "hunter3" not in repr(revealed)
    assert variables.list_all(stage.services, "p")[0].value is None
    with pytest.raises(CannotOpen, match="does not have"):
        variables.get(stage.with_other_key(), "p", "T", reveal=True)
    assert variables.set_value(stage.services, "p", "T", "open", is_secret=False).value == "open"


def test_a_server_with_another_key_learns_what_it_cannot_open(stage: Stage) -> None:
    """Before the first session needs it."""
    projects.create(stage.services, "p")
    variables.set_value(stage.services, "p", "T", "x", is_secret=True)
    variables.set_value(stage.services, "p", "PLAIN", "x")
    assert variables.find_unopenable(stage.services) == []
    assert ["the value of T" in str(each) for each in variables.find_unopenable(stage.with_other_key())] == [True]


@pytest.mark.parametrize(
    ("name", "value"), [("x" * 251, "x"), ("no name", "x"), ("A", "a\0b"), ("A", "\ud800"), ("A", "x" * 1_000_001)]
)
def test_bad_vars(stage: Stage, name: str, value: str) -> None:
    """What no environment or database takes is refused."""
    projects.create(stage.services, "p")
    with pytest.raises(InvalidArgument):
        variables.set_value(stage.services, "p", name, value)
    assert not variables.list_all(stage.services, "p")


def test_builds(stage: Stage) -> None:
    """Made without being deployed, once for the same files, listed, and deleted unless they are in use."""
    used = stage.deploy().build
    source = source_from_files("p", {"program.py": PROGRAM})
    stage.go_to(START + DAY)
    build = builds.create(stage.services, source)
    assert builds.create(stage.services, source) == build == builds.get(stage.services, build.id)
    assert [each.id for each in builds.list_page(stage.services, "p", limit=9)] == [build.id, used.id]
    assert builds.list_page(stage.services, "p", limit=9, after_id=build.id)[0] == used
    with pytest.raises(FailedPrecondition, match="deployment"):
        builds.delete(stage.services, used.id)
    assert builds.delete(stage.services, build.id) == build
    for find in (builds.get, builds.files, builds.delete):
        with pytest.raises(NotFound):
            find(stage.services, build.id)
    with pytest.raises(ManifestError):
        builds.create(stage.services, source_from_files("p", {"program.py": b"def"}))
    with pytest.raises(NotFound):
        builds.create(stage.services, source, project="nobody")


def test_deployments(stage: Stage) -> None:
    """An earlier one comes back, a build is deployed by hand, and a project's active one is found by its name."""
    first = stage.deploy()
    second = stage.deploy(more_py=b"")
    assert deployments.activate(stage.services, first.deployment.id).state is DeploymentState.ACTIVE
    assert deployments.get(stage.services, "p").id == first.deployment.id
    assert deployments.get(stage.services, second.deployment.id).state is DeploymentState.INACTIVE
    stage.go_to(START + DAY)
    idle = deployments.create(stage.services, second.build.id, activate=False)
    assert idle.state is DeploymentState.INACTIVE
    made = deployments.create(stage.services, second.build.id)
    assert deployments.get(stage.services, "p") == made
    active = deployments.list_page(stage.services, "p", DeploymentState.ACTIVE, limit=9)
    assert list(active) == [made]
    deployments.deactivate(stage.services, made.id)
    with pytest.raises(FailedPrecondition, match="INACTIVE"):
        deployments.deactivate(stage.services, made.id)
    with pytest.raises(FailedPrecondition, match="not deployed"):
        deployments.get(stage.services, "p")


def test_a_deployment_is_deleted_when_it_is_inactive(stage: Stage) -> None:
    """Not before. Its sessions stay, and so does its build, which nothing but they can hold any more."""
    first = stage.deploy()
    session = stage.session(first)
    with pytest.raises(FailedPrecondition, match="ACTIVE"):
        deployments.delete(stage.services, first.deployment.id)
    second = stage.deploy(more_py=b"")
    with pytest.raises(FailedPrecondition, match="DRAINING"):
        deployments.delete(stage.services, first.deployment.id)
    deployments.deactivate(stage.services, "p")
    assert deployments.delete(stage.services, second.deployment.id).state is DeploymentState.INACTIVE
    assert [each.id for each in deployments.list_page(stage.services, limit=9)] == [first.deployment.id]
    with pytest.raises(NotFound):
        deployments.delete(stage.services, second.deployment.id)
    assert builds.delete(stage.services, second.build.id) == second.build
    assert sessions.get(stage.services, session.id).deployment_id == first.deployment.id


def test_a_build_without_what_triggers_call_is_not_activated(stage: Stage) -> None:
    """Each of their events would start a session that can only fail."""
    old = stage.deploy(program_py=b"def on_event(event): ...\n")
    new = stage.deploy("  triggers: [{name: tick, schedule: '@daily', call: 'program.py:on_tick'}]\n")
    for attempt in (
        lambda: deployments.activate(stage.services, old.deployment.id),
        lambda: deployments.create(stage.services, old.build.id),
    ):
        with pytest.raises(FailedPrecondition, match=r"trigger tick calls program\.py:on_tick"):
            attempt()
    assert deployments.get(stage.services, "p") == new.deployment
    assert len(deployments.list_page(stage.services, limit=9)) == 2


def test_a_declared_var_that_is_set_by_hand(stage: Stage) -> None:
    """It stays the manifest's: the next deploy sets its value again."""
    parts = "  vars: [{name: A, value: 1}]\n"
    stage.deploy(parts)
    variables.set_value(stage.services, "p", "A", "2")
    assert stage.deploy(parts).lines[0] == "~ var A: value changed"
    assert variables.get(stage.services, "p", "A").value == "1"
    assert manifest(parts).encode() == stage.exported()["autokitteh.yaml"]
