"""What it takes to make a project what its manifest says: ordered actions, each of which can be told in a line.

What a manifest declared and declares no more is removed; what people made by hand stays. A name that both use is the
manifest's from the moment on at which it changes something about it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest import Connection, Manifest, Trigger, Var
from autokitteh_server.core.plan_actions import (
    Action,
    ConnectionAction,
    ProjectAction,
    TriggerAction,
    VarAction,
    Verb,
)
from autokitteh_server.core.plan_changes import trigger_changes, trigger_source, var_changes
from autokitteh_server.core.plan_state import PresentConnection, PresentTrigger, PresentVar, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in the order in which they can be done."""

    project: str
    actions: tuple[Action, ...]
    kept: tuple[str, ...] = ()  # what stays although the manifest does not say so, a line each

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: what is to be done, and what is kept."""
        return (*map(str, self.actions), *(f"= {line}" for line in self.kept))


def make_plan(manifest: Manifest, state: ProjectState) -> Plan:
    """What leads from the state to the manifest. Applied, the same plan is empty.

    Raises FailedPrecondition where the two cannot be brought together.
    """
    _check_integrations(manifest, state)
    _check_removals(manifest, state)
    return Plan(
        project=manifest.name,
        # Triggers use connections, so those are made before and removed after. A trigger whose type changes is
        # removed and made.
        actions=(
            *_project_actions(manifest, state),
            *_trigger_removals(manifest, state),
            *_connection_actions(manifest, state),
            *_var_actions("", manifest.vars, state.vars),
            *_trigger_actions(manifest, state),
            *_connection_removals(manifest, state),
            *_var_removals(manifest, state),
        ),
        kept=tuple(_kept(manifest, state)),
    )


def _project_actions(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    if not state.exists:
        yield ProjectAction(verb=Verb.CREATE, name=manifest.name, display_name=manifest.display_name)
    elif manifest.display_name != state.display_name:
        detail = "display_name changed"
        yield ProjectAction(verb=Verb.UPDATE, name=manifest.name, display_name=manifest.display_name, detail=detail)


def _connection_actions(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    for wanted in manifest.connections:
        present = _connection_of(state, wanted.name)
        if present is None:
            yield ConnectionAction(verb=Verb.CREATE, name=wanted.name, wanted=wanted, detail=wanted.integration)
        elif present.integration != wanted.integration:
            detail = f"integration {present.integration} -> {wanted.integration}"
            yield ConnectionAction(verb=Verb.UPDATE, name=wanted.name, wanted=wanted, detail=detail)
        yield from _var_actions(wanted.name, wanted.vars, present.vars if present else ())


def _var_actions(connection: str, wanted: Sequence[Var], present: Sequence[PresentVar]) -> Iterator[Action]:
    before = {each.var.name: each.var for each in present}
    for var in wanted:
        if var.name not in before:
            detail = "secret" if var.secret else ""
            yield VarAction(verb=Verb.CREATE, name=var.name, connection=connection, wanted=var, detail=detail)
        elif changes := var_changes(before[var.name], var):
            detail = ", ".join(changes)
            yield VarAction(verb=Verb.UPDATE, name=var.name, connection=connection, wanted=var, detail=detail)


def _trigger_actions(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    for wanted in manifest.triggers:
        present = _trigger_of(state, wanted.name)
        if present is None or present.trigger.type is not wanted.type:
            yield TriggerAction(verb=Verb.CREATE, name=wanted.name, wanted=wanted, detail=trigger_source(wanted))
        elif changes := trigger_changes(present.trigger, wanted):
            yield TriggerAction(verb=Verb.UPDATE, name=wanted.name, wanted=wanted, detail=", ".join(changes))


def _trigger_removals(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    types = {wanted.name: wanted.type for wanted in manifest.triggers}
    for present in state.triggers:
        trigger = present.trigger
        is_replaced = types.get(trigger.name, trigger.type) is not trigger.type
        if is_replaced or (present.is_declared and trigger.name not in types):
            yield TriggerAction(verb=Verb.REMOVE, name=trigger.name, detail=trigger_source(trigger))


def _connection_removals(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    for present in _removed_connections(manifest, state):
        yield ConnectionAction(verb=Verb.REMOVE, name=present.name)


def _var_removals(manifest: Manifest, state: ProjectState) -> Iterator[Action]:
    wanted = {var.name for var in manifest.vars}
    for present in state.vars:
        if present.is_declared and present.var.name not in wanted:
            yield VarAction(verb=Verb.REMOVE, name=present.var.name)


def _kept(manifest: Manifest, state: ProjectState) -> Iterator[str]:
    connections: dict[str, Connection] = {each.name: each for each in manifest.connections}
    variables, triggers = ({each.name for each in some} for some in (manifest.vars, manifest.triggers))
    for var in state.vars:
        if not var.is_declared and var.var.name not in variables:
            yield f"var {var.var.name}: set by hand, kept"
    for connection in state.connections:
        if connection.name in connections:
            yield from _kept_vars(connections[connection.name], connection)
        elif not connection.is_declared:
            yield f"connection {connection.name}: made by hand, kept"
    for trigger in state.triggers:
        if not trigger.is_declared and trigger.trigger.name not in triggers:
            yield f"trigger {trigger.trigger.name}: made by hand, kept"


def _kept_vars(wanted: Connection, present: PresentConnection) -> Iterator[str]:
    """Credentials may be among a connection's vars: none is ever removed. Those set by hand go without saying."""
    names = {var.name for var in wanted.vars}
    for each in present.vars:
        if each.is_declared and each.var.name not in names:
            yield f"var {present.name}/{each.var.name}: not in the manifest any more, kept"


def _check_integrations(manifest: Manifest, state: ProjectState) -> None:
    for wanted in manifest.connections:
        present = _connection_of(state, wanted.name)
        if present and present.integration != wanted.integration and present.vars:
            raise FailedPrecondition(
                f"connection {wanted.name} has vars for {present.integration}, which make no sense for "
                f"{wanted.integration}",
                "Give the new connection another name, or delete the old one first: "
                f"`ak connection delete {state.name}/{wanted.name}`.",
            )


def _check_removals(manifest: Manifest, state: ProjectState) -> None:
    gone = {present.name for present in _removed_connections(manifest, state)}
    wanted = {trigger.name for trigger in manifest.triggers}
    for present in state.triggers:
        trigger: Trigger = present.trigger
        if trigger.connection in gone and trigger.name not in wanted and not present.is_declared:
            raise FailedPrecondition(
                f"connection {trigger.connection} is not in the manifest any more, and trigger {trigger.name}, which "
                "was made by hand, gets its events from it",
                "Put the connection back, or delete the trigger first: "
                f"`ak trigger delete {state.name}/{trigger.name}`.",
            )


def _removed_connections(manifest: Manifest, state: ProjectState) -> list[PresentConnection]:
    wanted = {connection.name for connection in manifest.connections}
    return [present for present in state.connections if present.is_declared and present.name not in wanted]


def _connection_of(state: ProjectState, name: str) -> PresentConnection | None:
    return next((present for present in state.connections if present.name == name), None)


def _trigger_of(state: ProjectState, name: str) -> PresentTrigger | None:
    return next((present for present in state.triggers if present.trigger.name == name), None)
