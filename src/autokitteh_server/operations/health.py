"""Whether the server can do its work."""

from autokitteh_server.operations.services import Services
from autokitteh_server.storage import projects


def check_database(services: Services) -> None:
    """Raises StorageUnavailable if the database does not answer."""
    services.database.read(lambda conn: projects.list(conn, limit=1))
