"""Values that projects have published, for everybody who has the URL."""

from typing import Any

from autokitteh_server.storage import projects, store
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database


def load_published(database: Database, slug: str, key: str) -> tuple[bool, Any]:
    """Whether the project with this slug has published a value under this key, and the value: JSON, or bytes."""

    def load(conn: Connection) -> tuple[bool, Any]:
        project = projects.find_by_store_slug(conn, slug)
        return (False, None) if project is None else store.load_published(conn, project.id, key)

    return database.read(load)
