"""Reddit."""

from autokitteh_server.integrations.reddit.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="reddit",
    title="Reddit",
    about="Posts and comments on Reddit.",
    docs_url="https://github.com/reddit-archive/reddit/wiki/OAuth2-Quick-Start-Example",
    auth=(
        AuthType(
            name="oauthPrivate",
            title="Script app",
            fields=(
                Field(
                    name="client_id",
                    title="Client ID",
                    is_secret=True,
                    help="of a script app, at https://www.reddit.com/prefs/apps",
                ),
                Field(name="client_secret", title="Client Secret", is_secret=True, help="of the same app"),
                Field(
                    name="user_agent",
                    title="User Agent",
                    is_secret=True,
                    help="how your app calls itself, such as linux:acme.bot:1.0 (by u/acme)",
                ),
                Field(
                    name="username",
                    title="User Name",
                    is_secret=True,
                    is_optional=True,
                    help="of the app's developer, with the password; without both it only reads",
                ),
                Field(name="password", title="Password", is_secret=True, is_optional=True, help="of that user"),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.reddit:reddit_client",
    package="praw",
    api="https://www.reddit.com",
    is_extra=True,
)
