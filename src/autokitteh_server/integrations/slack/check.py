"""Who the bot is; in socket mode also whether it may open a socket."""

import re
from collections.abc import Mapping
from typing import Any

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at, token_of
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.spec import Http, Status

_API = "https://slack.com/api"
_APP_TOKEN = re.compile(r"xapp-\d+-([A-Z0-9]+)-")


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the bot is; in socket mode also whether it may open a socket."""
    token = token_of(variables) or variables.get("private_bot_token", "") or variables.get("BotToken", "")
    me = _ask(http, "auth.test", token)
    team, user = text_at(me, "team"), text_at(me, "user")
    app_token = variables.get("private_app_token", "")
    if app_token:
        _ask(http, "apps.connections.open", app_token)
    bot_id = text_at(me, "bot_id")
    bot = _bot(http, token, bot_id)
    app_id = _app_of(app_token) or text_at(bot, "app_id") or variables.get("app_id", "")
    ids = (app_id, text_at(me, "enterprise_id"), text_at(me, "team_id"))
    return connected(
        f"{user} in {team}",
        team_id=text_at(me, "team_id"),
        team_name=team,
        user_id=text_at(me, "user_id"),
        user_name=user,
        bot_id=bot_id,
        bot_name=text_at(bot, "name"),
        bot_updated=text_at(bot, "updated"),
        enterprise_id=text_at(me, "enterprise_id"),
        app_id=app_id,
        install_ids="/".join(ids) if app_id else "",
    )


def _app_of(app_token: str) -> str:
    """The app's id, which is a part of its own tokens."""
    found = _APP_TOKEN.match(app_token)
    return found[1] if found else ""


def _bot(http: Http, token: str, bot_id: str) -> Mapping[str, Any]:
    """What Slack tells of the bot: its app, for one. Nothing without the scope users:read: the rest works."""
    if not bot_id:
        return {}
    try:
        found = _ask(http, "bots.info", token, bot=bot_id).get("bot")
    except ServiceError:
        return {}
    return found if isinstance(found, dict) else {}


def _ask(http: Http, method: str, token: str, **form: str) -> Mapping[str, Any]:
    """Slack says with 200 that something is wrong."""
    answer = ask_object(http, "POST", f"{_API}/{method}", headers=bearer(token), form=form)
    if answer.get("ok") is not True:
        raise _refusal(method, text_at(answer, "error"))
    return answer


def _refusal(method: str, reason: str) -> ServiceError:
    """What an error of Slack's means."""
    if reason == "ratelimited":
        return ServiceError("has had too many requests", "Try again later.", intent=Intent.RETRY)
    if reason in ("missing_scope", "not_allowed_token_type", "no_permission"):
        return ServiceError(f"does not permit {method} ({reason})", "Give the app its scopes, and install it anew.")
    return ServiceError(f"does not accept the token for {method} ({reason})", "Enter it anew: `ak connection init`.")
