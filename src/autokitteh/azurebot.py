"""Azure Bot: messages of a bot in Microsoft Teams and elsewhere, with the credentials of a connection."""

from typing import Any

from autokitteh.activities import activity
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable
from autokitteh.errors import AuthenticationError

READS = ("app_id", "app_password", "tenant_id", "base_url")

_TEAMS = "https://smba.trafficmanager.net/teams/"
_TIMEOUT_S = 30


class AzureBotClient:
    """Sends what a bot has to say. It holds the connection's name and no secret, so it can be made at module level."""

    def __init__(self, connection: str) -> None:
        self.connection = connection

    @activity
    def send_conversation_activity(
        self, activity: dict[str, Any], conversation_id: str | None, service_url: str = _TEAMS
    ) -> Any:
        """Send a Bot Framework activity, such as `{"type": "message", "text": "Hi"}`, and return what is answered.

        - `conversation_id`: where to; None: begin a conversation.
        - `service_url`: that of the event, in a reply to one.

        Raises AuthenticationError if Microsoft does not accept the credentials, `requests.HTTPError` if the activity
        is refused.
        """
        import requests

        path = f"v3/conversations/{conversation_id}/activities" if conversation_id else "v3/conversations"
        url = f"{service_url.rstrip('/')}/{path}"
        headers = {"Authorization": f"Bearer {_token(self.connection)}"}
        response = requests.post(url, json=activity, headers=headers, timeout=_TIMEOUT_S)
        # An error has the request with it, and may get recorded.
        response.request.headers.pop("Authorization")
        response.raise_for_status()
        return response.json()


def azurebot_client(connection: str) -> AzureBotClient:
    """A client that sends messages of an Azure bot, for a connection of the project.

    The connection's variable `base_url`, if it has one, is where tokens are had, instead of
    `https://login.microsoftonline.com`: a stand-in for tests. Each message is sent with a token of its own.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it lacks one of its credentials,
    ImportError if `requests` is not installed.
    """
    check_connection_name(connection)
    try:
        import requests  # noqa: F401
    except ImportError as error:
        raise missing_package("azurebot_client", "requests ~= 2.32") from error

    for name in ("app_id", "app_password", "tenant_id"):
        require_variable(connection, name)
    return AzureBotClient(connection)


def _token(connection: str) -> str:
    import requests

    host = read_variable(connection, "base_url").rstrip("/") or "https://login.microsoftonline.com"
    asked = {
        "grant_type": "client_credentials",
        "client_id": require_variable(connection, "app_id"),
        "client_secret": require_variable(connection, "app_password"),
        "scope": "https://api.botframework.com/.default",
    }
    url = f"{host}/{require_variable(connection, 'tenant_id')}/oauth2/v2.0/token"
    response = requests.post(url, data=asked, timeout=_TIMEOUT_S)
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if not response.ok or "access_token" not in answer:
        reason = answer.get("error_description") or answer.get("error") or f"{response.status_code} {response.reason}"
        raise AuthenticationError(connection, reason)
    return str(answer["access_token"])
