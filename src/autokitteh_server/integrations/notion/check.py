"""Who the bot is."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at, token_of
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the bot is."""
    headers = {"notion-version": "2022-06-28", **bearer(variables.get("api_key", "") or token_of(variables))}
    me = ask_object(http, "GET", "https://api.notion.com/v1/users/me", headers=headers)
    return connected(text_at(me, "name") or text_at(me, "bot", "workspace_name"))
