"""Discord."""

from autokitteh_server.integrations.discord.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration

SPEC = Integration(
    name="discord",
    title="Discord",
    about="Messages in Discord.",
    docs_url="https://discord.com/developers/docs/quick-start/getting-started",
    auth=(
        AuthType(
            name="initialized",
            title="Bot Token",
            fields=(
                Field(
                    name="botToken",
                    title="Bot Token",
                    variable="BotToken",
                    is_secret=True,
                    help="of your application's bot, at https://discord.com/developers/applications",
                ),
            ),
            aliases=("botToken",),
        ),
    ),
    check=check,
    helper="autokitteh.discord:discord_client",
    package="discord.py",
    api="https://discord.com/api/v10",
    learns=("BotID",),
    events=(
        EventType(name="message_create", title="A message was sent"),
        EventType(name="message_update", title="A message was changed"),
        EventType(name="message_delete", title="A message was deleted"),
        EventType(name="message_reaction_add", title="A reaction was added"),
        EventType(name="message_reaction_remove", title="A reaction was taken back"),
        EventType(name="presence_update", title="Somebody came or went"),
        EventType(name="thread_create", title="A thread was made"),
        EventType(name="thread_update", title="A thread was changed"),
        EventType(name="thread_delete", title="A thread was deleted"),
    ),
)
