"""Updates as Telegram posts them: https://core.telegram.org/bots/api#update."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import content_key, event_type_of, key_of
from autokitteh_server.integrations.matching import Match, match_of
from autokitteh_server.integrations.payload import json_object
from autokitteh_server.integrations.signatures import verify_secret
from autokitteh_server.integrations.webhook import Found, Parsed, Request, Secret, Webhook, fitting

#: Kinds of updates, of which one has only one. Telegram sends the last three only if it is asked for them by name.
UPDATES: Final = (
    *("message", "callback_query", "edited_message", "inline_query", "chosen_inline_result"),
    *("channel_post", "edited_channel_post", "shipping_query", "pre_checkout_query", "poll", "poll_answer"),
    *("my_chat_member", "chat_join_request", "chat_member", "message_reaction", "message_reaction_count"),
)


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """The secret that Telegram was told when the webhook was set."""
    given = request.require("x-telegram-bot-api-secret-token", 401)
    return fitting(secrets, lambda secret: verify_secret(secret, given), 401)


def whose(request: Request) -> Match:
    """The bot's connections."""
    return match_of(BotID=_bot(request))


def parse(request: Request) -> Parsed:
    """One event, which is the whole update."""
    return Parsed(events=(update_of(json_object(request), _bot(request)),))


def update_of(update: Mapping[str, Any], bot_id: str) -> Found:
    """An update, posted or asked for. Raises Refused."""
    others = (name for name in update if name != "update_id")
    kind = next((name for name in UPDATES if name in update), None) or next(others, None)
    return Found(
        event_type=event_type_of(kind),
        data=dict(update),
        key=key_of(bot_id, given) if (given := text_at(update, "update_id")) else content_key(update),
        match=(match_of(BotID=bot_id),),
    )


def _bot(request: Request) -> str:
    return request.path.partition("/")[2]


WEBHOOK = Webhook(
    paths=("webhook/{bot_id}",),
    verify=verify,
    parse=parse,
    whose=whose,
    secret_variables=("SecretToken",),
    is_deaf=True,
)
