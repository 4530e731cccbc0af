"""Pipedrive: a client library, with the token of a connection."""

from functools import cache
from typing import Any

from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

READS = ("api_key", "company_domain")


def pipedrive_client(connection: str) -> Any:
    """A client for Pipedrive, `pipedrive.client.Client`, for a connection of the project.

    The token does not expire, so the client can be made at module level. The API is at the connection's
    `company_domain`, a whole URL.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it lacks the token or the domain,
    ImportError if `pipedrive-python-lib` is not installed.
    """
    check_connection_name(connection)
    try:
        import pipedrive.client  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as error:
        raise missing_package("pipedrive_client", "pipedrive-python-lib ~= 1.2") from error

    require_variable(connection, "api_key")
    require_variable(connection, "company_domain")
    return _client_class()(connection)


@cache
def _client_class() -> Any:
    from pipedrive.client import Client

    class ConnectionClient(Client):  # type: ignore[misc]
        """Clients get recorded when a call changes them: it is pickled as the name of its connection."""

        def __init__(self, connection: str) -> None:
            self._connection = connection
            super().__init__(domain=read_variable(connection, "company_domain"))
            self.set_api_token(read_variable(connection, "api_key"))

        def __reduce__(self) -> Any:
            return pipedrive_client, (self._connection,)

    return ConnectionClient
