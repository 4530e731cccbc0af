"""Reddit: the client library PRAW, with the credentials of a connection."""

from typing import Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

READS = ("client_id", "client_secret", "user_agent", "username", "password", "base_url")


def reddit_client(connection: str) -> Any:
    """PRAW's client, `praw.Reddit`, for a connection of the project. It only reads, unless the connection has a user.

    It gets its tokens by itself, each when the last one expires, so it can be made at module level. The connection's
    variable `base_url`, if it has one, is where Reddit and its API are: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it lacks its id, secret or user
    agent, ImportError if `praw` is not installed.
    """
    check_connection_name(connection)
    try:
        import praw  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("reddit_client", "praw ~= 7.8") from error

    options = {name: require_variable(connection, name) for name in ("client_id", "client_secret", "user_agent")}
    user = {name: read_variable(connection, name) for name in ("username", "password")}
    if all(user.values()):
        options |= user
    if base_url := read_variable(connection, "base_url").rstrip("/"):
        options |= {"reddit_url": base_url, "oauth_url": base_url, "short_url": base_url}
    # It would ask PyPI whether there is a newer version.
    return as_reference(praw.Reddit(check_for_updates=False, **options), reddit_client, connection)
