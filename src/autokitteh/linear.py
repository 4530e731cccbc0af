"""Linear: a session for its GraphQL API, with the credentials of a connection."""

from typing import TYPE_CHECKING

from autokitteh._bearer import KeyAuth
from autokitteh._elsewhere import send_elsewhere
from autokitteh._tokens import VARIABLES
from autokitteh.connections import check_connection_name, missing_package, read_variable
from autokitteh.oauth2_session import open_session

if TYPE_CHECKING:
    from requests import Session

READS = ("api_key", *VARIABLES, "base_url")

_HOST = "https://api.linear.app"
_API = f"{_HOST}/graphql/"


def linear_client(connection: str) -> "Session":
    """A `requests` session for Linear, for a connection of the project. Its `base_url` is where queries are posted to.

        client.post(client.base_url, json={"query": "{ viewer { id } }"}).json()

    With an API key it is a plain session; else an `OAuth2Session`, whose token is fresh at each request. Both can be
    made at module level. The connection's variable `base_url`, if it has one, is what requests for Linear's host are
    sent to: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has neither a key nor a token,
    ImportError if `requests-toolbelt` is not installed. Requests raise OAuthRefreshError if the token has expired and
    there is no new one.
    """
    check_connection_name(connection)
    if not read_variable(connection, "api_key"):
        return open_session("linear_client", "linear", connection, _API)
    try:
        import requests
    except ImportError as error:
        raise missing_package("linear_client", "requests ~= 2.32") from error

    session = requests.Session()
    session.auth = KeyAuth(connection, "api_key", scheme="")
    session.base_url = _API  # type: ignore[attr-defined]
    # What is pickled of a session, one that was recorded say.
    session.__attrs__ = [*session.__attrs__, "base_url", "__attrs__"]
    send_elsewhere(session, read_variable(connection, "base_url"), _HOST)
    return session
