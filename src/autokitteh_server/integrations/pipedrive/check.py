"""Who the token's owner is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the token's owner is. It goes into a header, lest it be in a log of addresses."""
    url = f"{variables['company_domain'].rstrip('/')}/api/v1/users/me"
    me = ask_object(http, "GET", url, headers={"x-api-token": variables["api_key"]})
    return connected(text_at(me, "data", "name"))
