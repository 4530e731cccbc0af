"""A `requests` session for services that have OAuth and no client library of their own."""

from functools import cache
from typing import TYPE_CHECKING, Any

from autokitteh._bearer import BearerAuth
from autokitteh._elsewhere import send_elsewhere
from autokitteh._tokens import ACCESS, VARIABLES
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from requests_toolbelt.sessions import BaseUrlSession  # type: ignore[import-untyped]

    class OAuth2Session(BaseUrlSession):  # type: ignore[misc]
        """See `_session_class`."""

        def __init__(self, integration: str, connection: str, *args: Any, **kwargs: Any) -> None: ...


__all__ = ["READS", "OAuth2Session"]

READS = (*VARIABLES, "base_url")


@cache
def _session_class() -> Any:
    try:
        from requests_toolbelt.sessions import BaseUrlSession
    except ImportError as error:
        raise missing_package("OAuth2Session", "requests-toolbelt ~= 1.0") from error

    class OAuth2Session(BaseUrlSession):  # type: ignore[misc]
        """A `requests` session whose requests have a connection's access token.

        - `integration`: what kind of connection it is; for the reader.
        - `args`, `kwargs`: arguments for `requests_toolbelt.sessions.BaseUrlSession`, such as `base_url=`, which paths
          are relative to.

        The token is fresh at each request, and a request that is answered with 401 is sent once more with a new one
        if the connection has a refresh token. So the session can be made at module level. It holds no token itself,
        nor do its responses.

        Raises ValueError for what is no name of a connection, ConnectionInitError if it has no access token. Requests
        raise OAuthRefreshError if the token has expired and there is no new one.
        """

        __attrs__ = [*BaseUrlSession.__attrs__, "base_url"]  # noqa: RUF012  what is pickled

        def __init__(self, integration: str, connection: str, *args: Any, **kwargs: Any) -> None:
            require_variable(check_connection_name(connection), *ACCESS)
            super().__init__(*args, **kwargs)
            self.auth = BearerAuth(connection)

    OAuth2Session.__qualname__ = "OAuth2Session"
    return OAuth2Session


def open_session(function: str, integration: str, connection: str, base_url: str | None = None) -> "OAuth2Session":
    """A session for a helper named `function`; the connection's variable `base_url` takes the place of its host."""
    check_connection_name(connection)
    try:
        cls = _session_class()
    except ImportError as error:
        raise missing_package(function, "requests-toolbelt ~= 1.0") from error
    session: OAuth2Session = cls(integration, connection, base_url=base_url)
    if base_url:
        host = "/".join(base_url.split("/", 3)[:3])
        send_elsewhere(session, read_variable(connection, "base_url"), host)
    return session


def __getattr__(name: str) -> Any:
    """`OAuth2Session`, which is made when it is first asked for: its base is another package's."""
    if name == "OAuth2Session":
        return _session_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
