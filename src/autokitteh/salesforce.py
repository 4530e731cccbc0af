"""Salesforce: a client library, with the token of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh._bearer import BearerAuth
from autokitteh._elsewhere import send_elsewhere
from autokitteh._tokens import ACCESS, VARIABLES
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

READS = (*VARIABLES, "instance_url", "base_url")


def salesforce_client(connection: str, **kwargs: Any) -> "Salesforce":
    """A client for Salesforce, `simple_salesforce.Salesforce`, for a connection of the project.

    - `kwargs`: arguments for `Salesforce`.

    Its token is fresh at each request, so the client can be made at module level. The connection's variable
    `base_url`, if it has one, is what requests for the instance are sent to: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token or no instance,
    ImportError if `simple-salesforce` is not installed. Requests raise OAuthRefreshError if the token has expired and
    there is no new one.
    """
    check_connection_name(connection)
    try:
        import requests
        from simple_salesforce.api import Salesforce
    except ImportError as error:
        raise missing_package("salesforce_client", "simple-salesforce ~= 1.12") from error

    require_variable(connection, *ACCESS)
    instance = require_variable(connection, "instance_url")
    session = kwargs.pop("session", None) or requests.Session()
    session.auth = BearerAuth(connection)
    # The session has the token; this only has to be there.
    client = Salesforce(**{"session_id": "", "instance_url": instance, "session": session, **kwargs})
    send_elsewhere(session, read_variable(connection, "base_url"), f"https://{client.sf_instance}")
    return client
