"""Deploying, and getting a project back."""

import pytest

from autokitteh_server.builds.source import source_from_files
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest import Limits, TriggerType
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.states import DeploymentState, SessionState
from autokitteh_server.operations import builds, connections, deployments, projects, triggers, variables
from autokitteh_server.operations.applying import load_state
from autokitteh_server.operations.deploying import deploy
from autokitteh_server.operations.trigger_fields import TriggerFields
from autokitteh_server.storage import sessions
from operations.stage import PROGRAM, START, Stage, manifest

HOOK = "  triggers: [{name: hook, type: webhook, call: 'program.py:on_event'}]\n"


def states(stage: Stage) -> list[str]:
    """The states of all deployments, newest first."""
    return [str(each.state) for each in deployments.list_page(stage.services, limit=10)]


def test_a_source_goes_live(stage: Stage) -> None:
    """Manifest applied, files kept, deployment active; each told in a line."""
    deployed = stage.deploy(HOOK)
    assert deployed.is_new
    assert deployed.lines == (
        "+ project p",
        "+ trigger hook: webhook, calls program.py:on_event",
        f"+ build {deployed.build.id}",
        f"+ deployment {deployed.deployment.id}: active",
    )
    assert deployments.get(stage.services, "p") == deployed.deployment
    assert builds.files(stage.services, deployed.build.id)["program.py"] == PROGRAM
    assert [hook.name for hook in deployed.webhooks] == ["hook"]


def test_the_same_again_is_nothing_to_do(stage: Stage) -> None:
    """No second deployment, also if only the words of the manifest differ."""
    first = stage.deploy(HOOK)
    stage.go_to(START + 1)
    second = stage.deploy(HOOK)
    assert (second.is_new, second.lines, second.deployment) == (False, (), first.deployment)
    assert not stage.deploy(f"  # A comment.\n{HOOK}").is_new
    assert states(stage) == ["ACTIVE"]


def test_other_code_replaces_the_deployment(stage: Stage) -> None:
    """The older one drains as long as sessions of it are not over; without any it is over itself."""
    first = stage.deploy(HOOK)
    session = stage.session(first)
    second = stage.deploy(HOOK, more_py=b"x = 1\n")
    assert second.lines[-1] == f"+ deployment {second.deployment.id}: active, in place of {first.deployment.id}"
    assert states(stage) == ["ACTIVE", "DRAINING"]
    kept = stage.database.read(lambda conn: sessions.get(conn, session.id))
    assert (kept.state, kept.build_id) == (SessionState.CREATED, first.build.id)
    stage.deploy(HOOK, more_py=b"x = 2\n")
    assert states(stage) == ["ACTIVE", "INACTIVE", "DRAINING"]


def test_a_change_of_the_manifest_alone(stage: Stage) -> None:
    """It is a deployment of its own, for the manifest is one of the build's files."""
    stage.deploy(HOOK)
    again = stage.deploy(HOOK.replace("on_event", "on_tick"))
    assert again.is_new
    assert again.lines[0] == "~ trigger hook: call program.py:on_event -> program.py:on_tick"


def test_a_change_of_limits_alone(stage: Stage) -> None:
    """They are the build's: sessions under way keep those that they began with."""
    first = stage.deploy(HOOK)
    again = stage.deploy("  limits: {memory: 512 MiB, cpu_seconds: 0}\n" + HOOK)
    assert again.is_new and again.build.id != first.build.id
    assert again.build.setup is not None and again.build.setup.limits == {"memory_bytes": 2**29, "cpu_s": 0}


def test_what_is_promised_needs_no_requirement(stage: Stage) -> None:
    """Who names it all the same is told, and it is deployed."""
    program = b"import yaml\n" + PROGRAM
    deployed = stage.deploy(HOOK, program_py=program, **{"requirements.txt": b"PyYAML>=6\n"})
    assert "! requirements.txt:1: PyYAML is there without being named. Remove the line." in deployed.lines


def test_going_back_is_a_deployment_of_the_earlier_build(stage: Stage) -> None:
    """Equal files are one build."""
    first = stage.deploy(HOOK)
    stage.deploy(HOOK, more_py=b"")
    third = stage.deploy(HOOK)
    assert third.build.id == first.build.id
    assert third.deployment.id != first.deployment.id


def test_after_deactivation_the_same_goes_live_again(stage: Stage) -> None:
    """There is something to do where nothing is active."""
    stage.deploy(HOOK)
    assert deployments.deactivate(stage.services, "p").state is DeploymentState.INACTIVE
    assert stage.deploy(HOOK).is_new
    assert states(stage) == ["ACTIVE", "INACTIVE"]


def test_all_problems_of_the_code_at_once(stage: Stage) -> None:
    """Every broken file and every call that leads nowhere is told, with its place, and nothing is done."""
    parts = (
        "  triggers:\n    - {name: a, type: webhook, call: 'program.py:on_evnt'}\n"
        "    - {name: b, type: webhook, call: 'nowhere.py:f'}\n    - {name: c, type: webhook, call: 'broken.py:f'}\n"
    )
    with pytest.raises(ManifestError) as caught:
        stage.deploy(parts, broken_py=b"def f(:\n")
    told = {(each.file, each.line, each.path) for each in caught.value.problems}
    assert told == {
        ("autokitteh.yaml", 5, "project.triggers[0].call"),
        ("autokitteh.yaml", 6, "project.triggers[1].call"),
        ("broken.py", 1, ""),
    }
    assert "Did you mean on_event?" in str(caught.value)
    with pytest.raises(NotFound):
        projects.get(stage.services, "p")


def test_a_file_of_python_is_a_project(stage: Stage) -> None:
    """Without a manifest it has a name that was given, and no triggers; what a manifest declared before goes."""
    source = source_from_files("p", {"program.py": PROGRAM})
    assert deploy(stage.services, source).webhooks == ()
    stage.deploy(HOOK)
    assert deploy(stage.services, source).lines[0] == "- trigger hook: webhook, calls program.py:on_event"


def test_a_trigger_made_by_hand_is_not_left_without_its_function(stage: Stage) -> None:
    """A source that has it no more is refused, and the project stays as it was."""
    first = stage.deploy()
    fields = TriggerFields(type=TriggerType.WEBHOOK, call="program.py:on_tick")
    triggers.create(stage.services, "p", "mine", fields)
    with pytest.raises(FailedPrecondition, match=r"trigger mine calls program\.py:on_tick"):
        stage.deploy(HOOK, program_py=b"def on_event(event): ...\n")
    assert deployments.get(stage.services, "p") == first.deployment
    assert [each.name for each in triggers.list_all(stage.services, "p")] == ["mine"]


def test_no_secret_is_kept_in_the_files(stage: Stage) -> None:
    """A manifest with the value of a secret is kept without it, and deploying it again is nothing to do."""
    parts = "  vars: [{name: TOKEN, value: hunter2, secret: true}]\n"
    deployed = stage.deploy(parts)
    assert b"hunter2" not in b"".join(builds.files(stage.services, deployed.build.id).values())
    assert variables.get(stage.services, "p", "TOKEN", reveal=True).value == "hunter2"
    assert not stage.deploy(parts).is_new


def test_an_export_is_what_was_deployed(stage: Stage) -> None:
    """Byte by byte, as long as the manifest says all there is."""
    parts = f"  # Why this is here.\n{HOOK}"
    stage.deploy(parts, more_py=b"x = 1\n")
    assert stage.exported() == {
        "autokitteh.yaml": manifest(parts).encode(),
        "more.py": b"x = 1\n",
        "program.py": PROGRAM,
    }


def test_an_export_has_what_was_made_by_hand(stage: Stage) -> None:
    """The manifest is written anew where the deployed one does not say it all; deploying that changes nothing."""
    stage.deploy("  limits: {memory: 1 GiB, processes: 7}\n" + HOOK)
    connections.create(stage.services, "p", "team", "slack")
    variables.set_value(stage.services, "p/team", "token", "hunter2", is_secret=True)
    variables.set_value(stage.services, "p", "PLAIN", "1", description="A number")
    variables.set_value(stage.services, "p", "TOKEN", "hunter2", is_secret=True)
    fields = TriggerFields(type=TriggerType.CONNECTION, connection="team", call="program.py:on_event")
    triggers.create(stage.services, "p", "chat", fields)
    before = stage.database.read(lambda conn: load_state(conn, "p", stage.services.box))
    files = stage.exported()
    assert b"hunter2" not in files["autokitteh.yaml"]
    exported = parse_manifest(files["autokitteh.yaml"])
    assert [var.name for var in exported.vars] == ["PLAIN", "TOKEN"]
    assert [trigger.name for trigger in exported.triggers] == ["chat", "hook"]
    assert exported.limits == Limits(memory_bytes=2**30, processes=7)
    again = deploy(stage.services, source_from_files("", files))
    assert (again.is_new, again.lines) == (False, ())
    assert stage.database.read(lambda conn: load_state(conn, "p", stage.services.box)) == before
    elsewhere = deploy(stage.services, source_from_files("q", files))
    assert elsewhere.is_new


@pytest.mark.parametrize("parts", ["", HOOK])
def test_an_export_of_a_renamed_project(stage: Stage, parts: str) -> None:
    """The manifest has the name that the project has, and not that of the deployed file."""
    deploy(stage.services, source_from_files("q", {"manifest.yaml": manifest(parts).encode(), "program.py": PROGRAM}))
    files = stage.exported("q")
    assert parse_manifest(files["manifest.yaml"]).name == "q"
    assert not deploy(stage.services, source_from_files("", files)).is_new


def test_an_export_of_a_project_without_code(stage: Stage) -> None:
    """What was only applied is a manifest, and what had no manifest gets one."""
    stage.apply("  vars: [{name: A, value: 1}]\n")
    assert list(stage.exported()) == ["autokitteh.yaml"]
    source = source_from_files("q", {"program.py": PROGRAM})
    deploy(stage.services, source)
    assert list(stage.exported("q")) == ["autokitteh.yaml", "program.py"]
    assert not deploy(stage.services, source_from_files("", stage.exported("q"))).is_new
    with pytest.raises(NotFound):
        stage.exported("nobody")


def test_a_bad_name_is_refused(stage: Stage) -> None:
    """A project's name comes from people, also beside a manifest."""
    with pytest.raises(InvalidArgument, match="name of a project"):
        deploy(stage.services, source_from_files("", {"autokitteh.yaml": manifest().encode()}), name="no name")
