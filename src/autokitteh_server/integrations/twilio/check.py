"""What the account is called."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """What the account is called."""
    url = f"https://api.twilio.com/2010-04-01/Accounts/{variables['AccountSID']}.json"
    account = ask_object(http, "GET", url, auth=(variables["Username"], variables["Password"]))
    return connected(text_at(account, "friendly_name"))
