"""Whether the app gets a token."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the app gets a token; for a user, if it has one."""
    user, password = variables.get("username", ""), variables.get("password", "")
    if bool(user) != bool(password):
        raise ServiceError("needs a user name and a password, or neither", "Run `ak connection init`.")
    as_user = {"grant_type": "password", "username": user, "password": password}
    answer = ask_object(
        http,
        "POST",
        "https://www.reddit.com/api/v1/access_token",
        headers={"user-agent": variables["user_agent"]},
        form=as_user if user else {"grant_type": "client_credentials"},
        auth=(variables["client_id"], variables["client_secret"]),
    )
    if not text_at(answer, "access_token"):
        # Wrong passwords are told with 200.
        raise ServiceError("does not accept the credentials", "Enter them anew: `ak connection init`.")
    return connected("the app's developer" if user else "the app, which only reads")
