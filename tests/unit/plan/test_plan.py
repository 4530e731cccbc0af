"""Plans: what leads from a project as it is to its manifest."""

from dataclasses import replace

import pytest
from hypothesis import assume, given

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest import Connection, Manifest, Trigger, TriggerType, Var, Version
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_render import render_manifest
from autokitteh_server.core.names import Entry
from autokitteh_server.core.plan import Plan, make_plan
from autokitteh_server.core.plan_state import PresentConnection, PresentTrigger, PresentVar, ProjectState, manifest_of
from unit.plan.plan_states import done, manifests, states

TICK = Trigger(
    name="tick", type=TriggerType.SCHEDULE, is_durable=False, schedule="@daily", call=Entry("program.py", "f")
)
HOOK = Trigger(name="hook", type=TriggerType.WEBHOOK, is_durable=True, call=Entry("program.py", "f"))
CHAT = Trigger(name="chat", type=TriggerType.CONNECTION, is_durable=False, connection="team")
EMPTY = ProjectState(name="p")


def manifest(**fields: object) -> Manifest:
    """A manifest of the project p."""
    return Manifest(version=Version.V2, name="p", **fields)  # type: ignore[arg-type]


def plan_or_assume(wanted: Manifest, state: ProjectState) -> Plan:
    """A plan, of those that can be made."""
    try:
        return make_plan(wanted, state)
    except FailedPrecondition:
        assume(False)
        raise


@given(manifests(), states())
def test_a_plan_that_is_done_leaves_nothing_to_do(wanted: Manifest, state: ProjectState) -> None:
    """Applying is idempotent, and every action fits the state in which the one before has left the project."""
    plan = plan_or_assume(wanted, state)
    assert make_plan(wanted, done(plan, state)).is_empty


@given(manifests())
def test_a_new_project_becomes_what_its_manifest_says(wanted: Manifest) -> None:
    """All of it is there afterwards, and all of it is declared: the next manifest may take it away."""
    state = done(make_plan(wanted, ProjectState(name="p", exists=False)), ProjectState(name="p", exists=False))
    assert {each.var.name for each in state.vars} == {each.name for each in wanted.vars}
    assert {each.trigger for each in state.triggers} == set(wanted.triggers)
    assert {(each.name, each.integration) for each in state.connections} == {
        (each.name, each.integration) for each in wanted.connections
    }
    emptied = done(make_plan(manifest(), state), state)
    assert (emptied.vars, emptied.connections, emptied.triggers) == ((), (), ())


@given(states())
def test_an_export_changes_nothing(state: ProjectState) -> None:
    """The manifest of what is there asks for nothing that is not there, also after it has been written and read."""
    exported = manifest_of(state)
    assert make_plan(exported, state).is_empty
    assert make_plan(parse_manifest(render_manifest(exported)), state).is_empty


@given(states())
def test_an_export_has_no_secrets(state: ProjectState) -> None:
    """No value of a secret var, of project or connection, is in the manifest of a state."""
    exported = manifest_of(state)
    variables = [*exported.vars, *(var for connection in exported.connections for var in connection.vars)]
    assert all(var.value is None for var in variables if var.secret)


@given(manifests(), states())
def test_what_was_made_by_hand_stays(wanted: Manifest, state: ProjectState) -> None:
    """No manifest removes what no manifest declared, and no plan passes over it in silence."""
    plan = plan_or_assume(wanted, state)
    after = done(plan, state)
    by_hand = {each.var.name for each in state.vars if not each.is_declared}
    assert by_hand <= {each.var.name for each in after.vars}
    for name in by_hand - {each.name for each in wanted.vars}:
        assert f"var {name}: set by hand, kept" in plan.kept
    assert {each.name for each in state.connections if not each.is_declared} <= {
        each.name for each in after.connections
    }
    assert {each.trigger.name for each in state.triggers if not each.is_declared} <= {
        each.trigger.name for each in after.triggers
    }


@given(manifests(), states())
def test_credentials_survive(wanted: Manifest, state: ProjectState) -> None:
    """A connection that stays keeps every var, and the value of each for which the manifest has none."""
    after = {each.name: each for each in done(plan_or_assume(wanted, state), state).connections}
    given_values = {
        (connection.name, var.name)
        for connection in wanted.connections
        for var in connection.vars
        if var.value is not None
    }
    for connection in state.connections:
        if connection.name in after:
            values = {each.var.name: each.var.value for each in after[connection.name].vars}
            for each in connection.vars:
                assert each.var.name in values
                if (connection.name, each.var.name) not in given_values:
                    assert values[each.var.name] == each.var.value


@given(manifests(), states())
def test_no_value_is_told(wanted: Manifest, state: ProjectState) -> None:
    """Lines may be logged, so no var's value is in one."""
    marked = replace(wanted, vars=tuple(replace(each, value="hunter2") for each in wanted.vars))
    assert "hunter2" not in "\n".join(plan_or_assume(marked, state).lines)
    assert "hunter2" not in "\n".join(make_plan(marked, replace(EMPTY, exists=False)).lines)


def test_the_lines() -> None:
    """Every kind of action has its line."""
    state = ProjectState(
        name="p",
        vars=(
            PresentVar(var=Var(name="CHANNEL", value="#a"), is_declared=True),
            PresentVar(var=Var(name="GONE", value="1"), is_declared=True),
            PresentVar(var=Var(name="TOKEN", value="t", secret=True), is_declared=False),
        ),
        connections=(
            PresentConnection(name="team", integration="slack", is_declared=True),
            PresentConnection(name="old", integration="github", is_declared=True),
            PresentConnection(name="mine", integration="github", is_declared=False),
        ),
        triggers=(
            PresentTrigger(trigger=TICK, is_declared=True),
            PresentTrigger(trigger=HOOK, is_declared=True),
            PresentTrigger(trigger=replace(CHAT, connection="mine"), is_declared=False),
        ),
    )
    wanted = manifest(
        display_name="P",
        vars=(Var(name="CHANNEL", value="#b"), Var(name="KEY", secret=True)),
        connections=(
            Connection(name="team", integration="discord", vars=(Var(name="bot", value="1"),)),
            Connection(name="new", integration="zoom"),
        ),
        triggers=(
            replace(TICK, schedule="@hourly", allow_overlap=True),
            replace(CHAT, name="hook", connection="team"),
        ),
    )
    assert make_plan(wanted, state).lines == (
        "~ project p: display_name changed",
        "- trigger hook: webhook, calls program.py:f",
        "~ connection team: integration slack -> discord",
        "+ var team/bot",
        "+ connection new: zoom",
        "~ var CHANNEL: value changed",
        "+ var KEY: secret",
        "~ trigger tick: schedule @daily -> @hourly, allow_overlap false -> true",
        "+ trigger hook: connection team",
        "- connection old",
        "- var GONE",
        "= var TOKEN: set by hand, kept",
        "= connection mine: made by hand, kept",
        "= trigger chat: made by hand, kept",
    )


def test_another_integration_is_refused() -> None:
    """Credentials of one service make no sense for another, so a connection that has some keeps its integration."""
    secret = PresentVar(var=Var(name="token", value="x", secret=True), is_declared=False)
    state = replace(
        EMPTY, connections=(PresentConnection(name="team", integration="slack", is_declared=True, vars=(secret,)),)
    )
    wanted = manifest(connections=(Connection(name="team", integration="zoom"),))
    with pytest.raises(FailedPrecondition, match=r"team has vars for slack(?s:.*)another name"):
        make_plan(wanted, state)


def test_a_connection_in_use_by_hand_is_not_removed() -> None:
    """A trigger that a person made would be left without its source."""
    state = replace(
        EMPTY,
        connections=(PresentConnection(name="team", integration="slack", is_declared=True),),
        triggers=(PresentTrigger(trigger=CHAT, is_declared=False),),
    )
    with pytest.raises(FailedPrecondition, match="trigger chat, which was made by hand"):
        make_plan(manifest(), state)


def test_a_secret_that_cannot_be_opened() -> None:
    """One whose key is lost is set anew by a manifest that has its value, and otherwise left alone."""
    state = replace(EMPTY, vars=(PresentVar(var=Var(name="T", value=None, secret=True), is_declared=True),))
    assert make_plan(manifest(vars=(Var(name="T", secret=True),)), state).is_empty
    plan = make_plan(manifest(vars=(Var(name="T", secret=True, value="x"),)), state)
    assert plan.lines == ("~ var T: value changed",)
