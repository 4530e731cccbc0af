"""Who the user is; of a server-to-server app, whether it gets a token."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, not_its_api, text_at, token_of
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the user is. A server-to-server app has none: it gets a token, and may list users."""
    account = variables.get("private_account_id", "")
    if variables.get("auth_type") != "serverToServer" or not account:
        me = ask_object(http, "GET", "https://api.zoom.us/v2/users/me", headers=bearer(token_of(variables)))
        return connected(text_at(me, "email"), account_id=text_at(me, "account_id"))
    answer = ask_object(
        http,
        "POST",
        "https://zoom.us/oauth/token",
        form={"grant_type": "account_credentials", "account_id": account},
        auth=(variables["private_client_id"], variables["private_client_secret"]),
    )
    token = text_at(answer, "access_token")
    if not token:
        raise not_its_api()
    ask_object(http, "GET", "https://api.zoom.us/v2/users", params={"page_size": "1"}, headers=bearer(token))
    return connected(f"the app {variables['private_client_id']} of account {account}", account_id=account)
