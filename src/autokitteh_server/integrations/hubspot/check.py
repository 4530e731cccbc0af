"""Which account it is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, not_its_api, text_at, token_of
from autokitteh_server.integrations.spec import Http, Status

_API = "https://api.hubapi.com"


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Which account it is."""
    token = variables.get("private_app_token", "")
    if token:
        account = ask_object(http, "GET", f"{_API}/account-info/v3/details", headers=bearer(token))
        portal = text_at(account, "portalId")
        if not portal:
            raise not_its_api()
        return connected(f"the private app of account {portal}", portal_id=portal)
    account = ask_object(http, "GET", f"{_API}/oauth/v1/access-tokens/{token_of(variables)}")
    portal = text_at(account, "hub_id")
    return connected(text_at(account, "user"), portal_id=portal)
