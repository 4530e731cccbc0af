"""Whether the app gets a token, and may use it."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Http, Status


def host_of(text: str) -> str:
    """The host of what may be a whole address."""
    return text.strip().removeprefix("https://").rstrip("/")


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the app gets a token of the Management API."""
    domain = variables["auth0_domain"]
    form = {
        "grant_type": "client_credentials",
        "client_id": variables["client_id"],
        "client_secret": variables["client_secret"],
        "audience": f"https://{domain}/api/v2/",
    }
    token = text_at(ask_object(http, "POST", f"https://{domain}/oauth/token", form=form), "access_token")
    if not token:
        raise ServiceError("gave no token for the app", "Is it authorized for the Management API?")
    return connected(f"the app {variables['client_id']} of {domain}")
