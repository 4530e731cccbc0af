"""Slack: the official client, with the credentials of a connection."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from autokitteh._tokens import ACCESS, VARIABLES, access_token, is_renewable, renewed_token
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from slack_sdk.web.client import WebClient

#: Where a token may be, in the order of preference: a name for each way to authenticate, and what they once were.
_TOKENS = ("oauth_access_token", "private_bot_token", "oauth_AccessToken", "BotToken")

#: What Slack says, with status 200, of a token that it has accepted before.
_REFUSALS = ("token_expired", "token_revoked", "invalid_auth")

READS = (*VARIABLES, "private_bot_token", "BotToken", "base_url")


def slack_client(connection: str, **kwargs: Any) -> "WebClient":
    """Slack's client, `slack_sdk.WebClient`, for a connection of the project. Asks Slack whether its token is good.

    - `kwargs`: arguments for `WebClient`.

    A bot's token does not expire, and an OAuth token is fresh at each request, and renewed if Slack refuses it, so the
    client can be made at module level. It holds no token itself, nor do its responses. The connection's variable
    `base_url`, if it has one, is where Slack's API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, `SlackApiError` if
    Slack does not accept it, ImportError if `slack-sdk` is not installed. Requests raise OAuthRefreshError if the token
    has expired and there is no new one.
    """
    client = _client(check_connection_name(connection), kwargs)
    client.auth_test().validate()  # type: ignore[no-untyped-call]
    return client


def normalize_channel_name(name: str) -> str:
    """A text as Slack takes it for the name of a channel: lower case, `-` for what it does not allow, 50 at most."""
    name = re.sub(r"['\"]", "", name.lower().strip())
    name = re.sub(r"[-_]{2,}", "-", re.sub(r"[^a-z0-9_-]", "-", name))[:50]
    return name.removeprefix("-").removesuffix("-")


def _client(connection: str, kwargs: dict[str, Any]) -> "WebClient":
    """The client, also as it is unpickled. Asks nobody."""
    try:
        cls = _client_class()
    except ImportError as error:
        raise missing_package("slack_client", "slack-sdk ~= 3.33") from error

    require_variable(connection, *_TOKENS)
    client: WebClient = cls(connection, kwargs)
    return client


def _token(connection: str) -> str:
    name = next((name for name in _TOKENS if read_variable(connection, name)), "")
    return access_token(connection) if name in ACCESS else read_variable(connection, name)


def _is_refused(response: dict[str, Any], args: dict[str, Any]) -> bool:
    """Whether Slack does not accept the token any more, and the same can be sent once more: no file was read for it."""
    body = response.get("body")
    if not isinstance(body, str) or any(hasattr(value, "read") for value in (args.get("data") or {}).values()):
        return False
    return any(f'"error":"{reason}"' in body.replace(" ", "") for reason in _REFUSALS)


@cache
def _client_class() -> Any:
    from slack_sdk.web.client import WebClient

    class FreshWebClient(WebClient):
        """Knows its connection, and reads the token for each request. Responses have their client in them."""

        def __init__(self, connection: str, options: dict[str, Any]) -> None:
            self._connection, self._options = connection, options
            if base_url := read_variable(connection, "base_url"):
                options = {"base_url": f"{base_url.rstrip('/')}/", **options}
            super().__init__(**options)

        @property
        def token(self) -> str:
            return _token(self._connection)

        @token.setter
        def token(self, value: str | None) -> None:
            pass  # the base class sets what it was given

        def _perform_urllib_http_request(self, *, url: str, args: dict[str, Any]) -> Any:
            token = self.token
            headers = args["headers"]
            # It is missing where the next page is asked for; and one given with the call is the caller's affair.
            is_own = headers.setdefault("Authorization", f"Bearer {token}") == f"Bearer {token}"
            try:
                response = super()._perform_urllib_http_request(url=url, args=args)
                if not is_own or not _is_refused(response, args) or not is_renewable(self._connection):
                    return response
                headers["Authorization"] = f"Bearer {renewed_token(self._connection, token)}"
                return super()._perform_urllib_http_request(url=url, args=args)
            finally:
                if is_own:
                    del headers["Authorization"]

        def __reduce__(self) -> Any:
            return _client, (self._connection, self._options)

    return FreshWebClient
