"""Height: a session for its API, which was closed on 24 September 2025."""

from typing import TYPE_CHECKING

from autokitteh._tokens import VARIABLES
from autokitteh.oauth2_session import open_session

if TYPE_CHECKING:
    from autokitteh.oauth2_session import OAuth2Session

READS = VARIABLES


def height_client(connection: str) -> "OAuth2Session":
    """An `OAuth2Session` for Height, without a base URL. The service is closed: it is here for code that imports it.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, ImportError if
    `requests-toolbelt` is not installed.
    """
    return open_session("height_client", "height", connection)
