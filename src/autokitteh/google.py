"""Google: its official clients, with the credentials of a connection."""

import json
from typing import Any

from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable
from autokitteh.errors import ConnectionInitError

_REQUIREMENT = "google-api-python-client ~= 2.155"
_SHEETS = ("https://www.googleapis.com/auth/spreadsheets",)


def google_sheets_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Sheets, version 4, for a connection of the project. Begin with `.spreadsheets()`.

    - `kwargs`: arguments for `googleapiclient.discovery.build`.

    The connection's variable `base_url`, if it has one, is where the API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no credentials, ImportError if
    `google-api-python-client` is not installed.
    """
    return _build("sheets", "v4", connection, _SHEETS, kwargs)


def _build(service: str, version: str, connection: str, scopes: tuple[str, ...], kwargs: dict[str, Any]) -> Any:
    check_connection_name(connection)
    try:
        from googleapiclient.discovery import build  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package(f"google_{service}_client", _REQUIREMENT) from error

    if base_url := read_variable(connection, "base_url"):
        kwargs.setdefault("client_options", {"api_endpoint": base_url})
    kwargs.setdefault("credentials", _credentials(connection, scopes))
    # The description of the API comes with the package: no request is made for it, and no folder is there for a cache.
    return build(service, version, cache_discovery=False, **kwargs)


def _credentials(connection: str, scopes: tuple[str, ...]) -> Any:
    """A user's, or a service account's. Raises ConnectionInitError if there are neither."""
    if read_variable(connection, "auth_type") in ("oauth", "oauthDefault"):
        from google.oauth2.credentials import Credentials

        # Only the token: it is the server that gets a new one when it expires.
        return Credentials(require_variable(connection, "oauth_AccessToken", "oauth_access_token"))  # type: ignore[no-untyped-call]

    from google.oauth2.service_account import Credentials as ServiceAccount

    try:
        account = json.loads(require_variable(connection, "JSON"))
        return ServiceAccount.from_service_account_info(account, scopes=scopes)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ConnectionInitError(connection) from error
