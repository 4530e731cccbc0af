"""Slack."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.slack.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration, OAuth2

_SCOPES = (
    *("app_mentions:read", "bookmarks:read", "bookmarks:write"),
    *("channels:history", "channels:manage", "channels:read"),
    *("chat:write", "chat:write.customize", "chat:write.public", "commands", "dnd:read"),
    *("groups:history", "groups:read", "groups:write"),
    *("im:history", "im:read", "im:write", "mpim:history", "mpim:read", "mpim:write"),
    *("reactions:read", "reactions:write", "users.profile:read", "users:read", "users:read.email"),
)


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url="https://slack.com/oauth/v2/authorize",
        token_url="https://slack.com/api/oauth.v2.access",
        scopes=_SCOPES,
        scope_separator=",",
        app=app,
        revoke_url="https://slack.com/api/auth.revoke",
    )


SPEC = Integration(
    name="slack",
    title="Slack",
    about="Messages, commands and buttons in Slack.",
    docs_url="https://api.slack.com/apps",
    auth=(
        AuthType(name="oauthDefault", title=DEFAULT_APP, oauth=_consent("SLACK"), aliases=("oauth",)),
        AuthType(
            name="oauthPrivate",
            title=PRIVATE_APP,
            fields=(
                *private_app("Slack"),
                Field(
                    name="signing_secret",
                    title="Signing Secret",
                    variable="private_signing_secret",
                    is_secret=True,
                    help="under Basic Information; the app's events are signed with it",
                ),
            ),
            oauth=_consent(""),
            hooks=("slack/event", "slack/command", "slack/interaction"),
        ),
        AuthType(
            name="socketMode",
            title="Socket Mode",
            fields=(
                Field(
                    name="bot_token",
                    title="Bot Token",
                    variable="private_bot_token",
                    is_secret=True,
                    pattern=r"xoxb-\S+",
                    help="under OAuth & Permissions; it begins with xoxb-",
                ),
                Field(
                    name="app_token",
                    title="App-Level Token",
                    variable="private_app_token",
                    is_secret=True,
                    pattern=r"xapp-\S+",
                    help="under Basic Information, with the scope connections:write; it begins with xapp-",
                ),
            ),
            aliases=("socket",),
        ),
    ),
    check=check,
    helper="autokitteh.slack:slack_client",
    package="slack-sdk",
    api="https://slack.com/api",
    learns=(
        *("enterprise_id", "team_name", "team_id", "user_name", "user_id"),
        *("bot_name", "bot_id", "bot_updated", "app_id", "install_ids"),
        "BotToken",  # of connections that older versions made
    ),
    events=tuple(
        EventType(name=name, title=title)
        for name, title in (
            ("message", "A message was sent, changed or deleted"),
            ("app_mention", "The app was mentioned"),
            ("slash_command", "A slash command was given"),
            ("interaction", "A button, a menu or a form was used"),
            ("reaction_added", "A reaction was added"),
            ("reaction_removed", "A reaction was taken back"),
            ("member_joined_channel", "Somebody has joined a channel"),
            ("member_left_channel", "Somebody has left a channel"),
            ("channel_created", "A channel was made"),
            ("channel_archive", "A channel was archived"),
            ("channel_rename", "A channel has another name"),
            ("app_home_opened", "Somebody looks at the app's home"),
        )
    ),
)
