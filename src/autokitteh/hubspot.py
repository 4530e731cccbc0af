"""HubSpot: the official client, with the credentials of a connection."""

import importlib
from functools import cache
from types import SimpleNamespace
from typing import Any

from autokitteh._tokens import REFRESH, VARIABLES, access_token, is_renewable, renew, renewed_token
from autokitteh.connections import check_connection_name, missing_package, read_first, read_variable, require_variable

READS = (*VARIABLES, "private_app_token", "base_url")


def hubspot_client(connection: str, **kwargs: Any) -> Any:
    """HubSpot's client, `hubspot.HubSpot`, for a connection of the project.

    - `kwargs`: arguments for `HubSpot`.

    With OAuth it begins with a fresh token, has a fresh one at each request, and renews one that is refused; the token
    of a private app does not expire. So it can be made at module level. The connection's variable `base_url`, if it has
    one, is where the API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has neither a refresh token nor
    that of a private app, OAuthRefreshError if HubSpot gives no token, ImportError if `hubspot-api-client` is not
    installed.
    """
    check_connection_name(connection)
    try:
        from hubspot import HubSpot  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("hubspot_client", "hubspot-api-client ~= 11.1") from error

    if base_url := read_variable(connection, "base_url").rstrip("/"):
        # Generated clients look for the one, requests made by hand for the other.
        kwargs = {"host": base_url, "base_url": base_url, **kwargs}
    if read_first(connection, *REFRESH):
        renew(connection)
    else:
        require_variable(connection, "private_app_token")
    client = HubSpot(**{"api_factory": _ApiFactory(connection), **kwargs})
    client.config = _Config(client.config, connection)
    return client


class _Config(dict[str, Any]):
    """A client's settings: the token is fresh whenever it is asked for."""

    def __init__(self, settings: dict[str, Any], connection: str) -> None:
        super().__init__(settings)
        self.connection = connection

    def get(self, key: str, default: Any = None) -> Any:
        return _token(self.connection) if key == "access_token" else super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        return _token(self.connection) if key == "access_token" else super().__getitem__(key)

    def __reduce__(self) -> Any:
        return _Config, (dict(self), self.connection)


class _ApiFactory:
    """Makes one of the generated clients, as the library does, but with a token that is fresh at each request."""

    def __init__(self, connection: str) -> None:
        self.connection = connection

    def __call__(self, package: Any, name: str, config: dict[str, Any]) -> Any:
        from hubspot.discovery.discovery_base import DiscoveryBase  # type: ignore[import-untyped]

        parts = {
            name: getattr(package, name),
            "Configuration": _configuration_class(package.__name__, self.connection),
            "ApiClient": _api_client_class(package.__name__, self.connection),
        }
        return DiscoveryBase._default_api_factory(SimpleNamespace(**parts), name, config)


@cache
def _configuration_class(package: str, connection: str) -> Any:
    class Configuration(importlib.import_module(package).Configuration):  # type: ignore[misc]
        """Results have it in them, too: it is pickled without the token."""

        # The generated code sets it, and reads it for each request.
        access_token = property(lambda self: _token(connection), lambda self, value: None)

        def __reduce__(self) -> Any:
            return _configuration, (package, connection)

    return Configuration


@cache
def _api_client_class(package: str, connection: str) -> Any:
    class ApiClient(importlib.import_module(package).ApiClient):  # type: ignore[misc]
        """Makes a call once more if the token is refused. Each reads the token anew."""

        def call_api(self, *args: Any, **kwargs: Any) -> Any:
            token = _token(connection)
            try:
                return super().call_api(*args, **kwargs)
            except Exception as error:  # each of the generated packages has a class of its own for it
                if getattr(error, "status", None) != 401 or not is_renewable(connection):
                    raise
            renewed_token(connection, token)
            return super().call_api(*args, **kwargs)

    return ApiClient


def _configuration(package: str, connection: str) -> Any:
    return _configuration_class(package, connection)()


def _token(connection: str) -> str:
    return (
        access_token(connection) if read_first(connection, *REFRESH) else read_variable(connection, "private_app_token")
    )
