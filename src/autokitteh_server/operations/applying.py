"""A plan, done: in the transaction of whoever calls. And what a plan starts from: the project as the store has it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autokitteh_server.core import entities
from autokitteh_server.core.entities import Project
from autokitteh_server.core.errors import InternalError
from autokitteh_server.core.manifest import Var
from autokitteh_server.core.plan import Plan
from autokitteh_server.core.plan_actions import ConnectionAction, ProjectAction, TriggerAction, VarAction
from autokitteh_server.core.plan_state import PresentConnection, PresentTrigger, PresentVar, ProjectState
from autokitteh_server.operations.services import Services
from autokitteh_server.operations.trigger_rows import change_row, make_row, wanted_of
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.storage import connections, feeds, projects, triggers, variables
from autokitteh_server.storage.connection import Connection


def load_state(conn: Connection, name: str, box: Box) -> ProjectState:
    """A project as it is. One that is not there does not exist, and has nothing."""
    project = projects.find_by_name(conn, name)
    if project is None:
        return ProjectState(name=name, exists=False)
    owned = connections.list(conn, project.id)
    found = variables.of_owners(conn, [project.id, *(each.id for each in owned)])
    names = {each.id: each.name for each in owned}
    return ProjectState(
        name=name,
        display_name=project.display_name,
        vars=_present_vars(found, project.id, box),
        connections=tuple(
            PresentConnection(
                name=each.name,
                integration=each.integration,
                is_declared=each.is_declared,
                vars=_present_vars(found, each.id, box),
            )
            for each in owned
        ),
        triggers=tuple(
            PresentTrigger(trigger=wanted_of(row, names.get(row.connection_id or "", "")), is_declared=row.is_declared)
            for row in triggers.list(conn, project.id)
        ),
    )


def _present_vars(found: Sequence[entities.Var], owner_id: str, box: Box) -> tuple[PresentVar, ...]:
    return tuple(
        PresentVar(var=_opened(var, box), is_declared=var.is_declared) for var in found if var.owner_id == owner_id
    )


def _opened(var: entities.Var, box: Box) -> Var:
    value: str | None = var.value
    if var.is_secret:
        try:
            value = box.open(var.value, owner_id=var.owner_id, name=var.name)
        except CannotOpen:  # a manifest that has the value is the way to mend that
            value = None
    return Var(name=var.name, value=value, secret=var.is_secret, description=var.description)


def take_project(conn: Connection, services: Services, name: str, *, now: int) -> tuple[Project, ProjectState]:
    """The row of the project of this name, which others cannot change until the transaction ends, and its state.

    One that is not there is made, and its state is that it does not exist. So a second server that makes the same one
    waits here, and then finds it.
    """
    made = Project(id=services.new_id("prj"), name=name, created_at=now)
    project = projects.get_or_create(conn, made)
    if project.id == made.id:
        return made, ProjectState(name=name, exists=False)
    return projects.lock(conn, project.id), load_state(conn, name, services.box)


def apply_plan(conn: Connection, services: Services, plan: Plan, project: Project, *, now: int) -> Project:
    """Do what a plan says; the project afterwards. It must have been taken in the same transaction."""
    applier = _Applier(conn, services, project.id, now)
    for action in plan.actions:
        match action:
            case ProjectAction():
                project = replace(project, display_name=action.display_name)
            case VarAction():
                applier.change_var(action)
            case ConnectionAction():
                applier.change_connection(action)
            case TriggerAction():
                applier.change_trigger(action)
    # A project that `ak run` made has no slug yet.
    project = replace(project, store_slug=project.store_slug or services.new_slug())
    projects.update_row(conn, project)
    return project


@dataclass(frozen=True, slots=True)
class _Applier:
    """Does the actions of one plan, one after the other."""

    conn: Connection
    services: Services
    project_id: str
    now: int

    def change_var(self, action: VarAction) -> None:
        owner_id = self._connection(action.connection).id if action.connection else self.project_id
        if action.wanted is None:
            variables.remove(self.conn, owner_id, action.name)
            return
        var = entities.Var(
            owner_id=owner_id,
            name=action.name,
            value=self._value(owner_id, action.wanted),
            is_secret=action.wanted.secret,
            is_declared=True,
            description=action.wanted.description,
            updated_at=self.now,
        )
        variables.put(self.conn, var)

    def _value(self, owner_id: str, wanted: Var) -> str:
        """The value to be stored: sealed, if it is secret."""
        box, value = self.services.box, wanted.value
        present = variables.find(self.conn, owner_id, wanted.name)
        if value is None and present is not None:
            if present.is_secret is wanted.secret:
                return present.value
            opens = present.is_secret
            value = box.open(present.value, owner_id=owner_id, name=wanted.name) if opens else present.value
        return box.seal(value or "", owner_id=owner_id, name=wanted.name) if wanted.secret else value or ""

    def change_connection(self, action: ConnectionAction) -> None:
        present = connections.find_by_name(self.conn, self.project_id, action.name)
        if action.wanted is None:
            connections.remove(self.conn, self._connection(action.name).id)
        elif present is not None:
            changed = replace(present, integration=action.wanted.integration, is_declared=True, updated_at=self.now)
            connections.update_row(self.conn, changed)
            feeds.remove(self.conn, present.id)  # how events of another service come in means nothing
        else:
            made = entities.Connection(
                id=self.services.new_id("con"),
                project_id=self.project_id,
                name=action.name,
                integration=action.wanted.integration,
                is_declared=True,
                created_at=self.now,
                updated_at=self.now,
            )
            connections.create(self.conn, made)

    def change_trigger(self, action: TriggerAction) -> None:
        present = triggers.find_by_name(self.conn, self.project_id, action.name)
        wanted = action.wanted
        if wanted is None:
            if present is None:
                raise InternalError(f"trigger {action.name} is to be removed, and is not there")
            triggers.remove(self.conn, present.id)
            return
        connection_id = self._connection(wanted.connection).id if wanted.connection else None
        if present is not None:
            row = change_row(present, wanted, connection_id=connection_id, is_declared=True, now=self.now)
            triggers.update_row(self.conn, row)
        else:
            row = make_row(
                wanted,
                project_id=self.project_id,
                connection_id=connection_id,
                is_declared=True,
                now=self.now,
                new_id=self.services.new_id,
                new_slug=self.services.new_slug,
            )
            triggers.create(self.conn, row)

    def _connection(self, name: str) -> entities.Connection:
        found = connections.find_by_name(self.conn, self.project_id, name)
        if found is None:
            raise InternalError(f"a plan names the connection {name}, which is not there")
        return found
