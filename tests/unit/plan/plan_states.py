"""Any manifests and states of projects, and a model of what doing a plan does to a state."""

from dataclasses import replace

from hypothesis import strategies as st

from autokitteh_server.core.manifest import Connection, Manifest, Trigger, TriggerType, Var, Version
from autokitteh_server.core.names import Entry
from autokitteh_server.core.plan import Plan
from autokitteh_server.core.plan_actions import ConnectionAction, ProjectAction, TriggerAction, VarAction
from autokitteh_server.core.plan_state import PresentConnection, PresentTrigger, PresentVar, ProjectState

# Few of each, so that manifests and states have much in common.
NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["", "x", "y"])
INTEGRATIONS = st.sampled_from(["slack", "github"])
CALLS = st.sampled_from([Entry("program.py", "f"), Entry("program.py", "g")])
VARS = st.builds(Var, name=NAMES, value=st.none() | TEXTS, secret=st.booleans(), description=TEXTS)
#: A var that is there has a value, unless it cannot be opened.
PRESENT_VARS = st.builds(Var, name=NAMES, value=TEXTS, secret=st.booleans(), description=TEXTS)


def several(values: st.SearchStrategy[object], key: str = "name") -> st.SearchStrategy[tuple[object, ...]]:
    """Some values with different names."""

    def name_of(value: object) -> str:
        for part in key.split("."):
            value = getattr(value, part)
        return str(value)

    return st.lists(values, max_size=3, unique_by=name_of).map(tuple)


def triggers(connections: list[str]) -> st.SearchStrategy[Trigger]:
    """Any trigger of a project with these connections."""
    common = {"name": NAMES, "is_durable": st.booleans(), "filter": st.sampled_from(["", "data.x == 1"])}
    webhooks = st.builds(
        Trigger, type=st.just(TriggerType.WEBHOOK), call=st.none() | CALLS, is_sync=st.booleans(), **common
    )
    schedules = st.builds(
        Trigger,
        type=st.just(TriggerType.SCHEDULE),
        call=CALLS,
        schedule=st.sampled_from(["@daily", "@every 1m"]),
        timezone=st.sampled_from(["", "Europe/Berlin"]),
        allow_overlap=st.booleans(),
        **common,
    )
    if not connections:
        return webhooks | schedules
    of_connections = st.builds(
        Trigger,
        type=st.just(TriggerType.CONNECTION),
        call=st.none() | CALLS,
        connection=st.sampled_from(connections),
        event_type=TEXTS,
        **common,
    )
    return webhooks | schedules | of_connections


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest of the project p."""
    connections = draw(several(st.builds(Connection, name=NAMES, integration=INTEGRATIONS, vars=several(VARS))))
    return Manifest(
        version=Version.V2,
        name="p",
        display_name=draw(TEXTS),
        vars=draw(several(VARS)),
        connections=connections,
        triggers=draw(several(triggers([each.name for each in connections]))),
    )


@st.composite
def states(draw: st.DrawFn) -> ProjectState:
    """Any state of the project p that is there."""
    present_vars = several(st.builds(PresentVar, var=PRESENT_VARS, is_declared=st.booleans()), "var.name")
    connections = draw(
        several(
            st.builds(
                PresentConnection,
                name=NAMES,
                integration=INTEGRATIONS,
                is_declared=st.booleans(),
                vars=present_vars,
            )
        )
    )
    found = triggers([each.name for each in connections])
    return ProjectState(
        name="p",
        display_name=draw(TEXTS),
        vars=draw(present_vars),
        connections=connections,
        triggers=draw(several(st.builds(PresentTrigger, trigger=found, is_declared=st.booleans()), "trigger.name")),
    )


def done(plan: Plan, state: ProjectState) -> ProjectState:
    """The state after a plan, action by action. Fails where an action does not fit what is there."""
    state = replace(state, exists=True)
    for action in plan.actions:
        if isinstance(action, ProjectAction):
            state = replace(state, display_name=action.display_name)
        elif isinstance(action, VarAction):
            state = _with_var(state, action)
        elif isinstance(action, ConnectionAction):
            state = _with_connection(state, action)
        elif isinstance(action, TriggerAction):
            state = _with_trigger(state, action)
    return state


def _with_var(state: ProjectState, action: VarAction) -> ProjectState:
    if not action.connection:
        return replace(state, vars=_changed(state.vars, action))
    owner = next(each for each in state.connections if each.name == action.connection)
    changed = replace(owner, vars=_changed(owner.vars, action))
    return replace(state, connections=tuple(changed if each is owner else each for each in state.connections))


def _changed(present: tuple[PresentVar, ...], action: VarAction) -> tuple[PresentVar, ...]:
    before = [each for each in present if each.var.name == action.name]
    others = tuple(each for each in present if each.var.name != action.name)
    assert bool(before) is (action.verb != "+")
    if action.wanted is None:
        return others
    value = action.wanted.value
    if value is None:
        value = before[0].var.value if before else ""
    return (*others, PresentVar(var=replace(action.wanted, value=value), is_declared=True))


def _with_connection(state: ProjectState, action: ConnectionAction) -> ProjectState:
    before = [each for each in state.connections if each.name == action.name]
    others = tuple(each for each in state.connections if each.name != action.name)
    assert bool(before) is (action.verb != "+")
    if action.wanted is None:
        assert all(each.trigger.connection != action.name for each in state.triggers), "it is used"
        return replace(state, connections=others)
    made = PresentConnection(
        name=action.name,
        integration=action.wanted.integration,
        is_declared=True,
        vars=before[0].vars if before else (),
    )
    return replace(state, connections=(*others, made))


def _with_trigger(state: ProjectState, action: TriggerAction) -> ProjectState:
    before = [each for each in state.triggers if each.trigger.name == action.name]
    others = tuple(each for each in state.triggers if each.trigger.name != action.name)
    assert bool(before) is (action.verb != "+")
    if action.wanted is None:
        return replace(state, triggers=others)
    if before:
        assert before[0].trigger.type is action.wanted.type, "a trigger keeps its type"
    if action.wanted.connection:
        assert action.wanted.connection in {each.name for each in state.connections}, "it is not there yet"
    return replace(state, triggers=(*others, PresentTrigger(trigger=action.wanted, is_declared=True)))
