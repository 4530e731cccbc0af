"""Who the bot is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the bot is."""
    # Without this form of a user agent Discord may refuse.
    agent = "DiscordBot (https://autokitteh.com, 1)"
    headers = {"user-agent": agent, "authorization": f"Bot {variables['BotToken']}"}
    me = ask_object(http, "GET", "https://discord.com/api/v10/users/@me", headers=headers)
    return connected(text_at(me, "username"), BotID=text_at(me, "id"))
