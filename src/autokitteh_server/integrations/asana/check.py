"""Who the token's owner is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the token's owner is."""
    me = ask_object(http, "GET", "https://app.asana.com/api/1.0/users/me", headers=bearer(variables["pat"]))
    return connected(text_at(me, "data", "name"))
