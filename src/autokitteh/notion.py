"""Notion: a client library, with the credentials of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh._bearer import httpx_auth
from autokitteh._reference import as_reference
from autokitteh._tokens import ACCESS, VARIABLES
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from notion_client import Client

READS = ("api_key", *VARIABLES, "base_url")


def notion_client(connection: str) -> "Client":
    """A client for Notion, `notion_client.Client`, for a connection of the project.

    An integration's secret does not expire, and an OAuth token is fresh at each request, so the client can be made at
    module level. The connection's variable `base_url`, if it has one, is where the API is: a proxy, or a stand-in for
    tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has neither a secret nor a token,
    ImportError if `notion_client` is not installed. Requests raise OAuthRefreshError if the token has expired and there
    is no new one.
    """
    check_connection_name(connection)
    try:
        import httpx
        from notion_client import Client
    except ImportError as error:
        raise missing_package("notion_client", "notion_client ~= 2.0") from error

    options: dict[str, Any] = {}
    if base_url := read_variable(connection, "base_url"):
        options["base_url"] = base_url.rstrip("/")
    if key := read_variable(connection, "api_key"):
        client = Client(auth=key, **options)
    else:
        require_variable(connection, *ACCESS)
        client = Client(client=httpx.Client(auth=httpx_auth(connection)), **options)
    return as_reference(client, notion_client, connection)
