"""Connections as people handle them."""

from collections.abc import Sequence
from dataclasses import replace

from autokitteh_server.core.entities import Connection
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.operations.checks import check_name
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import connections
from autokitteh_server.storage.connection import Connection as Conn


def list_all(services: Services, project: str = "") -> Sequence[Connection]:
    """The connections of a project, or all there are, by project and name. Raises NotFound."""
    return services.database.read(
        lambda conn: connections.list(conn, find_project(conn, project).id if project else None)
    )


def get(services: Services, which: str) -> Connection:
    """A connection by `project/name` or id. Raises NotFound."""
    return services.database.read(lambda conn: find_connection(conn, which))


def create(services: Services, project: str, name: str, integration: str) -> Connection:
    """Make a connection, without credentials.

    Raises InvalidArgument, NotFound for the project, and FailedPrecondition if it has one of this name.
    """
    check_name("connection", name)
    if integration not in INTEGRATIONS:
        near = did_you_mean(integration, INTEGRATIONS)
        remedy = f"Did you mean {near}?" if near else f"Use one of: {', '.join(INTEGRATIONS)}."
        raise InvalidArgument(f"there is no integration {integration[:100]!r}", remedy)
    now = services.clock.now_us()
    made = Connection(
        id=services.new_id("con"),
        project_id="",
        name=name,
        integration=integration,
        created_at=now,
        updated_at=now,
    )

    def write(conn: Conn) -> Connection:
        owner = find_project(conn, project)
        if connections.find_by_name(conn, owner.id, name) is not None:
            raise FailedPrecondition(f"project {owner.name} has a connection {name} already", "Give another name.")
        connection = replace(made, project_id=owner.id)
        connections.create(conn, connection)
        return connection

    return services.database.write(write)


def delete(services: Services, which: str) -> Connection:
    """Delete a connection with its vars; what it was. Raises NotFound, and FailedPrecondition if a trigger uses it."""

    def write(conn: Conn) -> Connection:
        connection = find_connection(conn, which)
        connections.remove(conn, connection.id)
        return connection

    removed = services.database.write(write)
    services.feeds_changed()
    return removed


def find_connection(conn: Conn, which: str) -> Connection:
    """The connection of this id, or this name in this project. Raises NotFound."""
    if is_id(which, "con"):
        return connections.get(conn, which)
    project_name, slash, name = which.partition("/")
    if not slash:
        raise NotFound(f"there is no connection {which}", "Write it as PROJECT/CONNECTION.")
    project = find_project(conn, project_name)
    found = connections.find_by_name(conn, project.id, name)
    if found is None:
        near = did_you_mean(name, [each.name for each in connections.list(conn, project.id)])
        remedy = f"Did you mean {project.name}/{near}?" if near else "`ak connection list` shows those there are."
        raise NotFound(f"project {project.name} has no connection {name!r}", remedy)
    return found
