"""Asana: the official client, with the token of a connection."""

from typing import Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

READS = ("pat", "base_url")


def asana_client(connection: str) -> Any:
    """Asana's client, `asana.ApiClient`, for a connection of the project. Use it as in `asana.TasksApi(client)`.

    The connection's variable `base_url`, if it has one, is where the API is, its version included: a proxy, or a
    stand-in for tests. The token does not expire, so the client can be made at module level.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, ImportError if
    `asana` is not installed.
    """
    check_connection_name(connection)
    try:
        import asana  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("asana_client", "asana ~= 5.0") from error

    configuration = asana.Configuration()
    configuration.access_token = require_variable(connection, "pat")
    if base_url := read_variable(connection, "base_url"):
        configuration.host = base_url.rstrip("/")
    return as_reference(asana.ApiClient(configuration), asana_client, connection)
