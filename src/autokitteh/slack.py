"""Slack: the official client, with the credentials of a connection."""

import re
from typing import TYPE_CHECKING, Any

from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from slack_sdk.web.client import WebClient

#: Where a token may be, in the order of preference: a name for each way to authenticate, and what they once were.
_TOKENS = ("oauth_access_token", "private_bot_token", "oauth_AccessToken", "BotToken")


def slack_client(connection: str, **kwargs: Any) -> "WebClient":
    """Slack's client, `slack_sdk.WebClient`, for a connection of the project. Asks Slack whether its token is good.

    - `kwargs`: arguments for `WebClient`.

    The connection's variable `base_url`, if it has one, is where Slack's API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, `SlackApiError` if
    Slack does not accept it, ImportError if `slack-sdk` is not installed.
    """
    check_connection_name(connection)
    try:
        from slack_sdk.web.client import WebClient
    except ImportError as error:
        raise missing_package("slack_client", "slack-sdk ~= 3.33") from error

    token = require_variable(connection, *_TOKENS)
    if base_url := read_variable(connection, "base_url"):
        kwargs.setdefault("base_url", f"{base_url.rstrip('/')}/")
    client = WebClient(token, **kwargs)
    client.auth_test().validate()  # type: ignore[no-untyped-call]
    return client


def normalize_channel_name(name: str) -> str:
    """A text as Slack takes it for the name of a channel: lower case, `-` for what it does not allow, 50 at most."""
    name = re.sub(r"['\"]", "", name.lower().strip())
    name = re.sub(r"[-_]{2,}", "-", re.sub(r"[^a-z0-9_-]", "-", name))[:50]
    return name.removeprefix("-").removesuffix("-")
