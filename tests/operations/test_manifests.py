"""Applying manifests to a store."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.core.manifest import Manifest
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.plan import make_plan
from autokitteh_server.core.plan_state import ProjectState
from autokitteh_server.operations import connections, triggers, variables
from autokitteh_server.operations.applying import load_state
from autokitteh_server.operations.manifests import apply_manifest, plan_manifest
from autokitteh_server.storage import projects
from autokitteh_server.storage import variables as stored_variables
from autokitteh_server.storage.database import Database
from operations.stage import DAY, MINUTE, START, Stage, manifest
from unit.plan.plan_states import done, manifests

TICK = "  triggers: [{name: tick, schedule: '@every 10m', call: 'program.py:on_tick'}]\n"
HOOK = "  triggers: [{name: hook, type: webhook, call: 'program.py:on_event'}]\n"


def test_a_project_is_made(stage: Stage) -> None:
    """The first manifest makes the project with all of its parts, and tells each of them."""
    applied = stage.apply(
        "  display_name: A project\n  vars: [{name: N, value: 1}]\n"
        "  connections: [{name: team, integration: slack, vars: [{name: token, value: t, secret: true}]}]\n"
        "  triggers:\n    - {name: hook, type: webhook}\n    - {name: chat, connection: team, event_type: message}\n"
    )
    assert applied.plan.lines == (
        "+ project p",
        "+ connection team: slack",
        "+ var team/token: secret",
        "+ var N",
        "+ trigger hook: webhook",
        "+ trigger chat: connection team",
    )
    assert applied.project.display_name == "A project"
    assert applied.project.store_slug
    assert [hook.webhook_slug for hook in applied.webhooks] == [stage.trigger("hook").webhook_slug]
    assert stage.trigger("chat").connection_id == connections.get(stage.services, "p/team").id
    assert variables.get(stage.services, "p/team", "token", reveal=True).value == "t"


def test_planning_changes_nothing(stage: Stage) -> None:
    """A plan says what applying would do, and does not do it."""
    wanted = parse_manifest(manifest(HOOK))
    assert plan_manifest(stage.services, wanted).lines == (
        "+ project p",
        "+ trigger hook: webhook, calls program.py:on_event",
    )
    assert not stage.database.read(lambda conn: projects.list(conn, limit=10))


def test_applying_twice_changes_nothing(stage: Stage) -> None:
    """The second time there is nothing to do, and ids and times are those of the first."""
    stage.apply(HOOK)
    before = stage.trigger("hook")
    stage.go_to(START + DAY)
    assert stage.apply(HOOK).plan.is_empty
    assert stage.trigger("hook") == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(manifests(), manifests())
def test_the_store_does_what_the_model_does(stage: Stage, first: Manifest, second: Manifest) -> None:
    """One manifest after the other, in the store as in the model of plans; and afterwards nothing is left to do."""
    state = stage.database.read(lambda conn: load_state(conn, "p", stage.services.box))
    for wanted in (first, second):
        try:
            expected = done(make_plan(wanted, state), state)
        except FailedPrecondition:
            with pytest.raises(FailedPrecondition):
                apply_manifest(stage.services, wanted)
            continue
        apply_manifest(stage.services, wanted)
        state = stage.database.read(lambda conn: load_state(conn, "p", stage.services.box))
        assert in_order(state) == in_order(expected)
        assert plan_manifest(stage.services, wanted).is_empty


def in_order(state: ProjectState) -> tuple[object, ...]:
    """A state without the order of its parts, which means nothing."""
    return (
        state.display_name,
        frozenset(state.vars),
        frozenset((each.name, each.integration, each.is_declared, frozenset(each.vars)) for each in state.connections),
        frozenset(state.triggers),
    )


def test_what_is_not_declared_any_more_goes(stage: Stage) -> None:
    """Vars, connections with their vars, and triggers; what a person made stays."""
    stage.apply(f"  vars: [{{name: A, value: 1}}]\n  connections: [{{name: c, integration: slack}}]\n{HOOK}")
    variables.set_value(stage.services, "p/c", "token", "t", is_secret=True)
    variables.set_value(stage.services, "p", "MINE", "1")
    connection_id = connections.get(stage.services, "p/c").id
    assert stage.apply().plan.lines == (
        "- trigger hook: webhook, calls program.py:on_event",
        "- connection c",
        "- var A",
        "= var MINE: set by hand, kept",
    )
    assert [var.name for var in variables.list_all(stage.services, "p")] == ["MINE"]
    assert not stage.database.read(lambda conn: stored_variables.of_owners(conn, [connection_id]))


def test_a_var_without_a_value_keeps_what_is_there(stage: Stage) -> None:
    """A manifest may declare a secret whose value a person has set, before or after."""
    declared = "  vars: [{name: TOKEN, secret: true}]\n"
    stage.apply(declared)
    assert variables.get(stage.services, "p", "TOKEN", reveal=True).value == ""
    variables.set_value(stage.services, "p", "TOKEN", "hunter2")
    assert stage.apply(declared).plan.is_empty
    assert variables.get(stage.services, "p", "TOKEN", reveal=True).value == "hunter2"
    stage.apply("  vars: [{name: TOKEN}]\n")
    assert variables.get(stage.services, "p", "TOKEN").value == "hunter2"
    stage.apply(declared)
    assert variables.get(stage.services, "p", "TOKEN").value is None
    assert variables.get(stage.services, "p", "TOKEN", reveal=True).value == "hunter2"


def test_a_schedule_ticks_from_when_it_was_made(stage: Stage) -> None:
    """Its periods are counted from then, however often it is applied; a new schedule is counted from its own time."""
    stage.apply(TICK)
    first = stage.trigger("tick")
    assert (first.anchor_at, first.next_tick_at) == (START, START + 10 * MINUTE)
    stage.go_to(START + MINUTE)
    stage.apply(TICK.replace("program.py:on_tick", "program.py:other"))
    assert (stage.trigger("tick").anchor_at, stage.trigger("tick").next_tick_at) == (START, START + 10 * MINUTE)
    stage.apply(TICK.replace("10m", "20m"))
    changed = stage.trigger("tick")
    assert (changed.id, changed.anchor_at, changed.next_tick_at) == (first.id, START + MINUTE, START + 21 * MINUTE)
    assert stage.told_of_schedules == 3


def test_a_pause_outlives_manifests(stage: Stage) -> None:
    """A schedule that a person paused does not tick because it was changed."""
    stage.apply(TICK)
    triggers.pause(stage.services, "p/tick")
    stage.apply(TICK.replace("10m", "20m"))
    paused = stage.trigger("tick")
    assert (paused.is_paused, paused.next_tick_at, paused.schedule) == (True, None, "@every 20m")


def test_a_webhook_keeps_its_url(stage: Stage) -> None:
    """Whoever has the URL goes on using it, whatever else changes. With another type it is another trigger."""
    stage.apply(HOOK)
    before = stage.trigger("hook")
    stage.apply(HOOK.replace("on_event", "other"))
    assert (stage.trigger("hook").id, stage.trigger("hook").webhook_slug) == (before.id, before.webhook_slug)
    stage.apply(TICK.replace("tick,", "hook,"))
    changed = stage.trigger("hook")
    assert changed.id != before.id
    assert changed.webhook_slug is None


def test_what_is_refused_changes_nothing(stage: Stage) -> None:
    """A manifest that cannot be applied leaves all of the project as it was."""
    team = "  connections: [{name: team, integration: slack, vars: [{name: token, value: t}]}]\n"
    stage.apply(team)
    before = stage.database.read(lambda conn: load_state(conn, "p", stage.services.box))
    with pytest.raises(FailedPrecondition, match="team has vars for slack"):
        stage.apply(team.replace("slack", "zoom") + HOOK)
    assert stage.database.read(lambda conn: load_state(conn, "p", stage.services.box)) == before


def test_another_name(stage: Stage) -> None:
    """One manifest may make several projects; what cannot be a name is refused."""
    wanted = parse_manifest(manifest(HOOK))
    slugs = {apply_manifest(stage.services, wanted, name=name).webhooks[0].webhook_slug for name in ("", "q", "r")}
    assert len(slugs) == 3
    assert [each.name for each in stage.database.read(lambda conn: projects.list(conn, limit=9))] == ["p", "q", "r"]
    with pytest.raises(InvalidArgument, match="name of a project"):
        apply_manifest(stage.services, wanted, name="not a name")


def test_a_manifest_mends_a_secret_whose_key_is_lost(stage: Stage) -> None:
    """One that has the value can be applied, and sets it; one that has not leaves it sealed as it is."""
    declared = "  vars: [{name: T, secret: true, value: x}]\n"
    stage.apply(declared)
    other = stage.with_other_key()
    assert apply_manifest(other, parse_manifest(manifest("  vars: [{name: T, secret: true}]\n"))).plan.is_empty
    assert variables.get(stage.services, "p", "T", reveal=True).value == "x"
    assert apply_manifest(other, parse_manifest(manifest(declared))).plan.lines == ("~ var T: value changed",)
    assert variables.get(other, "p", "T", reveal=True).value == "x"


def test_two_servers_apply_the_same_manifest_at_once(stage: Stage, store_url: str) -> None:
    """One of them makes the project, the other waits and then finds nothing to do."""
    with Database.open(store_url) as second, ThreadPoolExecutor(2) as pool:
        stages = (stage, Stage(second))
        for name in ("p", "q", "r"):
            plans = list(pool.map(lambda each, name=name: each.apply(HOOK, name).plan, stages))
            assert sorted(len(plan.actions) for plan in plans) == [0, 2]
            assert len({each.webhook_slug for each in triggers.list_all(stage.services, name)}) == 1
