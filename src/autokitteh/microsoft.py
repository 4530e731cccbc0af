"""Microsoft Teams: the official client for Microsoft Graph, with the credentials of a connection."""

import time
from typing import TYPE_CHECKING, Any

from autokitteh._tokens import ACCESS, VARIABLES, access_token, expires_at
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from msgraph.graph_service_client import GraphServiceClient

READS = (
    *VARIABLES,
    *("private_client_id", "private_client_secret", "private_certificate", "private_tenant_id"),
    "base_url",
)

#: How long a token that never expires is said to be good for.
_LONG_S = 3600


def teams_client(connection: str, **kwargs: Any) -> "GraphServiceClient":
    """The client for Microsoft Graph, `msgraph.GraphServiceClient`, for a connection. Its methods are async.

    - `kwargs`: arguments for `GraphServiceClient`.

    A user's token is fresh at each request, and an app without a user (a daemon) gets its own by itself, so the client
    can be made at module level. The connection's variable `base_url`, if it has one, is where Graph is, without its
    version: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, and for a way to authenticate that is none of Microsoft's;
    ConnectionInitError if its credentials are missing; ImportError if `msgraph-sdk` or `azure-identity` is not
    installed. Requests raise OAuthRefreshError if the token has expired and there is no new one.
    """
    check_connection_name(connection)
    try:
        from msgraph.graph_service_client import GraphServiceClient
    except ImportError as error:
        raise missing_package("teams_client", "msgraph-sdk ~= 1.18") from error

    client = GraphServiceClient(**{"credentials": _credential(connection), **kwargs})
    if base_url := read_variable(connection, "base_url"):
        client.request_adapter.base_url = f"{base_url.rstrip('/')}/v1.0"
    return client


def _credential(connection: str) -> Any:
    match require_variable(connection, "auth_type"):
        case "oauth" | "oauthDefault" | "oauthPrivate":
            require_variable(connection, *ACCESS)
            return _UserToken(connection)
        case "daemonApp":
            return _daemon(connection)
        case other:
            raise ValueError(f"{connection}__auth_type is {other!r}, and not oauthDefault, oauthPrivate or daemonApp")


class _UserToken:
    """For Azure's clients: a user's token."""

    def __init__(self, connection: str) -> None:
        self.connection = connection

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.credentials import AccessToken

        token = access_token(self.connection)
        until = expires_at(self.connection)
        return AccessToken(token, int(until.timestamp() if until else time.time() + _LONG_S))


def _daemon(connection: str) -> Any:
    try:
        from azure.identity import CertificateCredential, ClientSecretCredential
    except ImportError as error:
        raise missing_package("teams_client", "azure-identity ~= 1.19") from error

    tenant = read_variable(connection, "private_tenant_id") or "common"
    client_id = require_variable(connection, "private_client_id")
    if certificate := read_variable(connection, "private_certificate"):
        return CertificateCredential(tenant, client_id, certificate_data=certificate.encode())
    return ClientSecretCredential(tenant, client_id, require_variable(connection, "private_client_secret"))
