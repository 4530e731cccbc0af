"""Atlassian: clients for Confluence and Jira, with the credentials of a connection."""

from typing import Any

from autokitteh._bearer import BearerAuth, KeyAuth
from autokitteh._tokens import ACCESS, VARIABLES
from autokitteh.connections import (
    check_connection_name,
    missing_package,
    read_first,
    read_variable,
    require_variable,
)

READS = (*VARIABLES, "Token", "Email", "BaseURL", "AccessURL", "AccessID", "base_url")

_REQUIREMENT = "atlassian-python-api ~= 3.41"


def confluence_client(connection: str, **kwargs: Any) -> Any:
    """A client for Confluence, `atlassian.Confluence`, for a connection of the project.

    - `kwargs`: arguments for `Confluence`.

    With OAuth it speaks to Confluence through Atlassian's gateway, and its token is fresh at each request, so the
    client can be made at module level. An API token is used with its owner's e-mail address, a personal access token
    without. The variable `base_url`, if there is one, is where the gateway is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token or no address,
    ImportError if `atlassian-python-api` is not installed. Requests raise OAuthRefreshError if the token has expired
    and there is no new one.
    """
    check_connection_name(connection)
    try:
        from atlassian import Confluence  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("confluence_client", _REQUIREMENT) from error

    return Confluence(**{**_credentials(connection, "confluence", "/wiki"), **kwargs})


def jira_client(connection: str, **kwargs: Any) -> Any:
    """A client for Jira, `atlassian.Jira`, for a connection of the project.

    - `kwargs`: arguments for `Jira`.

    Credentials, addresses, and errors are as in `confluence_client`.
    """
    check_connection_name(connection)
    try:
        from atlassian import Jira
    except ImportError as error:
        raise missing_package("jira_client", _REQUIREMENT) from error

    return Jira(**{**_credentials(connection, "jira", ""), **kwargs})


def get_base_url(connection: str) -> str | None:
    """The address of a connection's Atlassian site, for links that people follow; None if it has none.

    Raises ValueError for what is no name of a connection.
    """
    return read_first(check_connection_name(connection), "BaseURL", "AccessURL") or None


def _credentials(connection: str, product: str, path: str) -> dict[str, Any]:
    if read_first(connection, *ACCESS):
        return _oauth(connection, product, path)
    require_variable(connection, "Token")
    url = require_variable(connection, "BaseURL", "AccessURL")
    if read_variable(connection, "Email"):
        return {"url": url, "session": _session(KeyAuth(connection, "Token", user="Email")), "cloud": True}
    return {"url": url, "session": _session(KeyAuth(connection, "Token"))}


def _oauth(connection: str, product: str, path: str) -> dict[str, Any]:
    # Sites themselves take no OAuth tokens.
    gateway = read_variable(connection, "base_url").rstrip("/") or "https://api.atlassian.com"
    url = f"{gateway}/ex/{product}/{require_variable(connection, 'AccessID')}{path}"
    return {"url": url, "session": _session(BearerAuth(connection)), "cloud": True}


def _session(auth: Any) -> Any:
    import requests

    session = requests.Session()
    session.auth = auth
    return session
