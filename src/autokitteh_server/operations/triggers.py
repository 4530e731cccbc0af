"""Triggers as people handle them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autokitteh_server.core import manifest
from autokitteh_server.core.entities import Project, Trigger
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.operations.calls import check_calls
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.operations.trigger_fields import TriggerFields, check_fields, fields_of
from autokitteh_server.operations.trigger_rows import change_row, make_row, wanted_of, with_next_tick
from autokitteh_server.storage import connections, deployments, projects, triggers
from autokitteh_server.storage.connection import Connection


def list_all(services: Services, project: str = "") -> Sequence[Trigger]:
    """The triggers of a project, or all there are, by project and name. Raises NotFound."""
    return services.database.read(lambda conn: triggers.list(conn, find_project(conn, project).id if project else None))


def get(services: Services, which: str) -> Trigger:
    """A trigger by `project/name` or id. Raises NotFound."""
    return services.database.read(lambda conn: find_trigger(conn, which))


def create(services: Services, project: str, name: str, fields: TriggerFields) -> Trigger:
    """Make a trigger, which no manifest declares.

    Raises InvalidArgument with all that is wrong with the fields, NotFound for project and connection, and
    FailedPrecondition if the project has a trigger of this name, or its active build lacks what is called.
    """
    wanted = check_fields(name, fields)
    now = services.clock.now_us()

    def write(conn: Connection) -> Trigger:
        owner = find_project(conn, project)
        if triggers.find_by_name(conn, owner.id, name) is not None:
            raise FailedPrecondition(f"project {owner.name} has a trigger {name} already", "Give another name.")
        row = make_row(
            wanted,
            project_id=owner.id,
            connection_id=_connection_id(conn, owner, wanted),
            is_declared=False,
            now=now,
            new_id=services.new_id,
            new_slug=services.new_slug,
        )
        _check_deployed(conn, row)
        triggers.create(conn, row)
        return row

    return _told(services, services.database.write(write))


def update(services: Services, which: str, changes: Mapping[str, Any]) -> Trigger:
    """Change some fields of a trigger, named as in `TriggerFields`; the type stays. Raises what `create` raises.

    What a manifest declares is as the manifest says again after the next deploy.
    """
    now = services.clock.now_us()

    def write(conn: Connection) -> Trigger:
        row = find_trigger(conn, which)
        wanted = check_fields(row.name, fields_of(_wanted(conn, row), changes))
        owner = projects.get(conn, row.project_id)
        connection_id = _connection_id(conn, owner, wanted)
        changed = change_row(row, wanted, connection_id=connection_id, is_declared=row.is_declared, now=now)
        if changed.call != row.call:
            _check_deployed(conn, changed)
        triggers.update_row(conn, changed)
        return changed

    return _told(services, services.database.write(write))


def delete(services: Services, which: str) -> Trigger:
    """Delete a trigger; what it was. Its events and sessions stay. Raises NotFound."""

    def write(conn: Connection) -> Trigger:
        row = find_trigger(conn, which)
        triggers.remove(conn, row.id)
        return row

    return _told(services, services.database.write(write))


def pause(services: Services, which: str) -> Trigger:
    """Have a trigger start nothing until it is resumed. Pausing it twice is fine. Raises NotFound."""
    return _set_paused(services, which, is_paused=True)


def resume(services: Services, which: str) -> Trigger:
    """Undo a pause. A schedule's next tick is the first one after now: what fell into the pause is left out."""
    return _set_paused(services, which, is_paused=False)


def find_trigger(conn: Connection, which: str) -> Trigger:
    """The trigger of this id, or this name in this project. Raises NotFound."""
    if is_id(which, "trg"):
        return triggers.get(conn, which)
    project_name, slash, name = which.partition("/")
    if not slash:
        raise NotFound(f"there is no trigger {which}", "Write it as PROJECT/TRIGGER.")
    project = find_project(conn, project_name)
    found = triggers.find_by_name(conn, project.id, name)
    if found is None:
        near = did_you_mean(name, [each.name for each in triggers.list(conn, project.id)])
        remedy = f"Did you mean {project.name}/{near}?" if near else "`ak trigger list` shows those there are."
        raise NotFound(f"project {project.name} has no trigger {name!r}", remedy)
    return found


def _set_paused(services: Services, which: str, *, is_paused: bool) -> Trigger:
    now = services.clock.now_us()

    def write(conn: Connection) -> Trigger:
        row = find_trigger(conn, which)
        if row.is_paused is is_paused:  # resuming what runs must not skip the tick that is due
            return row
        changed = with_next_tick(replace(row, is_paused=is_paused, updated_at=now), now)
        triggers.update_row(conn, changed)
        return changed

    return _told(services, services.database.write(write))


def _told(services: Services, trigger: Trigger) -> Trigger:
    if trigger.type is TriggerType.SCHEDULE:
        services.schedules_changed()
    if trigger.connection_id:
        services.feeds_changed()
    return trigger


def _connection_id(conn: Connection, project: Project, wanted: manifest.Trigger) -> str | None:
    if not wanted.connection:
        return None
    found = connections.find_by_name(conn, project.id, wanted.connection)
    if found is None:
        near = did_you_mean(wanted.connection, [each.name for each in connections.list(conn, project.id)])
        remedy = f"Did you mean {near}?" if near else "Make it first: `ak connection create`."
        raise NotFound(f"project {project.name} has no connection {wanted.connection!r}", remedy)
    return found.id


def _wanted(conn: Connection, row: Trigger) -> manifest.Trigger:
    return wanted_of(row, connections.get(conn, row.connection_id).name if row.connection_id else "")


def _check_deployed(conn: Connection, row: Trigger) -> None:
    active = deployments.active_of(conn, [row.project_id]).get(row.project_id)
    if active is not None:
        check_calls(conn, active.build_id, [row])
