"""Who the bot is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the bot is."""
    me = ask_object(http, "GET", f"https://api.telegram.org/bot{variables['BotToken']}/getMe")
    return connected(text_at(me, "result", "username"), BotID=text_at(me, "result", "id"))
