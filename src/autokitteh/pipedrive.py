"""Pipedrive: a client library, with the token of a connection."""

from typing import Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, require_variable

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
        from pipedrive.client import Client  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("pipedrive_client", "pipedrive-python-lib ~= 1.2") from error

    token = require_variable(connection, "api_key")
    client = Client(domain=require_variable(connection, "company_domain"))
    client.set_api_token(token)
    return as_reference(client, pipedrive_client, connection)
