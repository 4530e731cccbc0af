"""Who the user is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at, token_of
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the user is."""
    instance = variables.get("instance_url", "").rstrip("/") or "https://login.salesforce.com"
    me = ask_object(http, "GET", f"{instance}/services/oauth2/userinfo", headers=bearer(token_of(variables)))
    return connected(
        text_at(me, "preferred_username") or text_at(me, "email"),
        organization_id=text_at(me, "organization_id"),
        user_id=text_at(me, "user_id"),
    )
