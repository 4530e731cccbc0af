"""Auth0: the official client for its Management API, with the token of a connection."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from autokitteh._reference import as_reference
from autokitteh._tokens import ACCESS, VARIABLES, access_token
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

READS = (*VARIABLES, "auth0_domain", "base_url")


def auth0_client(connection: str, **kwargs: Any) -> Any:
    """Auth0's client, `auth0.management.Auth0`, for a connection of the project.

    - `kwargs`: arguments for `Auth0`.

    Its token is fresh at each request, so the client can be made at module level. The connection's variable
    `base_url`, if it has one, is where the API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token or no domain,
    ImportError if `auth0-python` is not installed. Requests raise OAuthRefreshError if the token has expired and there
    is no new one.
    """
    check_connection_name(connection)
    try:
        from auth0.management import Auth0  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("auth0_client", "auth0-python ~= 4.7") from error

    require_variable(connection, *ACCESS)
    where = urlsplit(read_variable(connection, "base_url"))
    domain = where.netloc or require_variable(connection, "auth0_domain")
    client = as_reference(Auth0(**{"domain": domain, "token": "", **kwargs}), auth0_client, connection, **kwargs)
    for endpoint in _endpoints(client):
        endpoint.client.base_headers = _Headers(endpoint.client.base_headers, connection)
        endpoint.protocol = where.scheme or endpoint.protocol
    return client


def _endpoints(client: Any) -> Iterator[Any]:
    """Each of which has a client of its own, and where `aiohttp` is installed, another for calls that are async."""
    for endpoint in vars(client).values():
        if hasattr(endpoint, "client"):
            yield endpoint
            if hasattr(endpoint, "_async_client"):
                yield endpoint._async_client


class _Headers(dict[str, str]):
    """The headers that each request begins with a copy of: that copy has the token."""

    def __init__(self, headers: dict[str, str], connection: str) -> None:
        super().__init__(headers)
        self.pop("Authorization", None)
        self.connection = connection

    def copy(self) -> dict[str, str]:
        return {**self, "Authorization": f"Bearer {access_token(self.connection)}"}

    def __reduce__(self) -> Any:
        return _Headers, (dict(self), self.connection)
