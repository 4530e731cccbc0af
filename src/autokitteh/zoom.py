"""Zoom: a session for its API, with the credentials of a connection."""

from typing import TYPE_CHECKING

from autokitteh._tokens import VARIABLES
from autokitteh.oauth2_session import open_session

if TYPE_CHECKING:
    from autokitteh.oauth2_session import OAuth2Session

READS = (*VARIABLES, "base_url")


def zoom_client(connection: str) -> "OAuth2Session":
    """An `OAuth2Session` for Zoom's API, for a connection of the project. Paths are relative: `client.get("users/me")`.

    Its token is fresh at each request, also that of a server-to-server app, so it can be made at module level. The
    connection's variable `base_url`, if it has one, is what requests for Zoom's host are sent to: a proxy, or a
    stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, ImportError if
    `requests-toolbelt` is not installed. Requests raise OAuthRefreshError if the token has expired and there is no new
    one.
    """
    return open_session("zoom_client", "zoom", connection, "https://api.zoom.us/v2/")
