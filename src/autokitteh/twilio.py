"""Twilio: the official client, with the credentials of a connection."""

from typing import Any

from autokitteh._elsewhere import send_elsewhere
from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

READS = ("AccountSID", "Username", "Password", "base_url")

#: Twilio's products, each with a host of its own. Requests to others are not sent elsewhere.
_HOSTS = tuple(
    f"https://{product}.twilio.com"
    for product in ("api", "conversations", "lookups", "messaging", "studio", "sync", "taskrouter", "verify", "voice")
)


def twilio_client(connection: str) -> Any:
    """Twilio's client, `twilio.rest.Client`, for a connection of the project.

    Its credentials, an auth token or an API key, do not expire, so the client can be made at module level. The
    connection's variable `base_url`, if it has one, is what requests for Twilio's hosts are sent to: a proxy, or a
    stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it lacks its name or password,
    ImportError if `twilio` is not installed.
    """
    check_connection_name(connection)
    try:
        from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
        from twilio.rest import Client  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("twilio_client", "twilio ~= 9.4") from error

    username = require_variable(connection, "Username")
    password = require_variable(connection, "Password")
    http = TwilioHttpClient()
    send_elsewhere(http.session, read_variable(connection, "base_url"), *_HOSTS)
    # An API key is not the account: without its id the client would take the key for it.
    client = Client(username, password, read_variable(connection, "AccountSID") or None, http_client=http)
    return as_reference(client, twilio_client, connection)
