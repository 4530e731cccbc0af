"""Events that people send by hand: to try a handler, or to have something happen once more."""

from typing import Any

from autokitteh_server.core.entities import Event
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.operations.lookups import find_event, find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import connections, triggers
from autokitteh_server.storage.connection import Connection


def dispatch_event(services: Services, source: str, *, event_type: str = "", data: Any = None) -> Event:
    """Have an event come from a connection or a trigger, as if its service had sent it; the event with its verdicts.

    `source`: an id, or "project/name". Raises NotFound, and InvalidArgument for data that is no JSON object.
    """
    if data is not None and not isinstance(data, dict):
        raise InvalidArgument("the data of an event must be a JSON object", 'Give something like {"text": "hello"}.')
    source_id = services.database.read(lambda conn: _find_source(conn, source))
    return _dispatch(services, source_id, event_type, {} if data is None else data)


def redispatch_event(services: Services, which: str) -> Event:
    """Have an event happen once more: a new event with the same source, type and data. Raises NotFound.

    It meets the triggers and the deployment of now, and nobody takes it for a repeat.
    """
    first = services.database.read(lambda conn: find_event(conn, which))
    return _dispatch(services, first.source_id, first.event_type, first.data)


def _dispatch(services: Services, source_id: str, event_type: str, data: dict[str, Any]) -> Event:
    incoming = Incoming(
        kind="manual",
        event_id=services.new_id("evt"),
        source_id=source_id,
        event_type=event_type,
        data=data,
        received_at=services.clock.now_us(),
    )
    result: Dispatched = services.intake.submit(incoming).result()
    if result.event is None:
        raise NotFound(
            f"the source of the event, {source_id}, is not there any more",
            "`ak trigger list` and `ak connection list` show those there are.",
        )
    return result.event


def _find_source(conn: Connection, source: str) -> str:
    if is_id(source, "con"):
        return connections.get(conn, source).id
    if is_id(source, "trg"):
        return triggers.get(conn, source).id
    project_name, slash, name = source.partition("/")
    if not slash:
        raise InvalidArgument(
            f"{source!r} is no source of events", "Write PROJECT/CONNECTION, PROJECT/TRIGGER or an id."
        )
    project = find_project(conn, project_name)
    connection = connections.find_by_name(conn, project.id, name)
    trigger = triggers.find_by_name(conn, project.id, name)
    if connection is not None:
        return connection.id
    if trigger is not None:
        return trigger.id
    known = [each.name for each in connections.list(conn, project.id)]
    known += [each.name for each in triggers.list(conn, project.id)]
    near = did_you_mean(name, known)
    remedy = f"Did you mean {project.name}/{near}?" if near else f"There are: {', '.join(known) or 'none'}."
    raise NotFound(f"project {project.name} has no connection or trigger named {name}", remedy)
