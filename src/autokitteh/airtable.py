"""Airtable: a client library, with the credentials of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh._bearer import BearerAuth, KeyAuth
from autokitteh._tokens import REFRESH, VARIABLES, renew
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from pyairtable import Api

READS = ("pat", *VARIABLES, "base_url")


def airtable_client(connection: str) -> "Api":
    """A client for Airtable, `pyairtable.Api`, for a connection of the project.

    A personal access token does not expire. With OAuth the client begins with a fresh token, and has a fresh one at
    each request. So it can be made at module level. The connection's variable `base_url`, if it has one, is where the
    API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has neither a personal access
    token nor a refresh token, OAuthRefreshError if Airtable gives no token for that, ImportError if `pyairtable` is
    not installed.
    """
    check_connection_name(connection)
    try:
        from pyairtable import Api
    except ImportError as error:
        raise missing_package("airtable_client", "pyairtable ~= 3.1") from error

    options: dict[str, Any] = {}
    if base_url := read_variable(connection, "base_url"):
        options["endpoint_url"] = base_url.rstrip("/")
    auth: BearerAuth | KeyAuth = KeyAuth(connection, "pat")
    if not read_variable(connection, "pat"):
        require_variable(connection, *REFRESH)
        renew(connection)
        auth = BearerAuth(connection)
    client = Api("", **options)
    del client.session.headers["Authorization"]
    client.session.auth = auth
    return client
