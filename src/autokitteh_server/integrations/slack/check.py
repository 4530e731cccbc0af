"""Who the bot is; in socket mode also whether it may open a socket."""

from collections.abc import Mapping
from typing import Any

from autokitteh_server.integrations.asking import ask_object, bearer, connected, text_at, token_of
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.spec import Http, Status

_API = "https://slack.com/api"


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the bot is; in socket mode also whether it may open a socket."""
    token = token_of(variables) or variables.get("private_bot_token", "") or variables.get("BotToken", "")
    me = _ask(http, "auth.test", token)
    team, user = text_at(me, "team"), text_at(me, "user")
    app_token = variables.get("private_app_token", "")
    if app_token:
        _ask(http, "apps.connections.open", app_token)
    return connected(
        f"{user} in {team}",
        team_id=text_at(me, "team_id"),
        team_name=team,
        user_id=text_at(me, "user_id"),
        user_name=user,
        bot_id=text_at(me, "bot_id"),
        enterprise_id=text_at(me, "enterprise_id"),
    )


def _ask(http: Http, method: str, token: str) -> Mapping[str, Any]:
    """Slack says with 200 that something is wrong."""
    answer = ask_object(http, "POST", f"{_API}/{method}", headers=bearer(token))
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
