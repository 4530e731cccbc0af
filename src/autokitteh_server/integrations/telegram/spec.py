"""Telegram."""

from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration
from autokitteh_server.integrations.telegram.check import check

SPEC = Integration(
    name="telegram",
    title="Telegram",
    about="Messages in Telegram.",
    docs_url="https://core.telegram.org/bots#how-do-i-create-a-bot",
    auth=(
        AuthType(
            name="botToken",
            title="Bot Token",
            fields=(
                Field(
                    name="bot_token",
                    title="Bot Token",
                    variable="BotToken",
                    is_secret=True,
                    pattern=r"\d+:[\w-]+",
                    help="as @BotFather gives it: a number, a colon, and letters",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.telegram:telegram_client",
    package="python-telegram-bot",
    api="https://api.telegram.org",
    learns=("BotID", "SecretToken", "WebhookURL", "UpdatesOffset"),
    learns_secrets=("SecretToken",),
    events=tuple(
        EventType(name=name, title=title)
        for name, title in (
            ("message", "A message was sent"),
            ("edited_message", "A message was changed"),
            ("callback_query", "A button was pressed"),
            ("inline_query", "The bot is asked from another chat"),
            ("channel_post", "A channel has a new post"),
            ("poll_answer", "Somebody voted"),
            ("my_chat_member", "The bot was added or removed"),
            ("chat_member", "A member came or went"),
            ("message_reaction", "A reaction was added or taken back"),
        )
    ),
)
