"""A project's stored values as people handle them."""

from collections.abc import Sequence
from typing import Any

from autokitteh_server.core.errors import NotFound
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import store
from autokitteh_server.storage.connection import Connection


def list_keys(services: Services, project: str) -> Sequence[str]:
    """The keys under which a project has values, sorted. Raises NotFound."""
    return services.database.read(lambda conn: store.list_keys(conn, find_project(conn, project).id))


def get(services: Services, project: str, key: str) -> Any:
    """A stored value. Raises NotFound."""

    def read(conn: Connection) -> Any:
        found = find_project(conn, project)
        value = store.mutate(conn, found.id, key, "get")
        if value is None:  # which may be the value
            _check_exists(conn, found.id, key)
        return value

    return services.database.read(read)


def put(services: Services, project: str, key: str, value: Any) -> None:
    """Store a value, in place of the one that is there. Raises NotFound, and InvalidArgument for the key."""
    services.database.write(lambda conn: store.mutate(conn, find_project(conn, project).id, key, "set", [value]))


def delete(services: Services, project: str, key: str) -> None:
    """Delete a stored value. Raises NotFound."""

    def remove(conn: Connection) -> None:
        found = find_project(conn, project)
        _check_exists(conn, found.id, key)
        store.mutate(conn, found.id, key, "del")

    services.database.write(remove)


def _check_exists(conn: Connection, project_id: str, key: str) -> None:
    if key not in store.list_keys(conn, project_id):
        raise NotFound(f"there is no value {key!r}", "`ak store list PROJECT` shows those there are.")
