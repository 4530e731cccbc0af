"""Who the user is; of a daemon app, whether it gets a token."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at, token_of
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Code, Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the user is; of a daemon app, whether it gets a token."""
    if variables.get("auth_type") != "daemonApp":
        me = ask_object(http, "GET", "https://graph.microsoft.com/v1.0/me", headers=bearer(token_of(variables)))
        return connected(
            text_at(me, "userPrincipalName") or text_at(me, "displayName"),
            user_id=text_at(me, "id"),
            user_name=text_at(me, "displayName"),
            user_email=text_at(me, "mail"),
        )
    if not variables.get("private_client_secret"):
        if not variables.get("private_certificate"):
            raise ServiceError("needs a secret of the app, or its certificate", "Run `ak connection init`.")
        message = "cannot be tried: it has a certificate, which is for its own client only"
        return Status(code=Code.WARNING, message=message, remedy="Code can use it all the same.")
    answer = ask_object(
        http,
        "POST",
        f"https://login.microsoftonline.com/{variables['private_tenant_id']}/oauth2/v2.0/token",
        form={
            "grant_type": "client_credentials",
            "client_id": variables["private_client_id"],
            "client_secret": variables["private_client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    if not text_at(answer, "access_token"):
        raise ServiceError("gave no token for the app", "Enter its secret anew: `ak connection init`.")
    return connected(f"the app {variables['private_client_id']}")
