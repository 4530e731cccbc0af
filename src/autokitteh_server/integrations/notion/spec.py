"""Notion."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP
from autokitteh_server.integrations.notion.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration, OAuth2, TokenAuth

SPEC = Integration(
    name="notion",
    title="Notion",
    about="Pages and databases in Notion.",
    docs_url="https://developers.notion.com/docs/create-a-notion-integration",
    auth=(
        AuthType(
            name="oauthDefault",
            title=DEFAULT_APP,
            oauth=OAuth2(
                authorize_url="https://api.notion.com/v1/oauth/authorize",
                token_url="https://api.notion.com/v1/oauth/token",
                app="NOTION",
                token_auth=TokenAuth.BASIC,
                authorize_params={"owner": "user"},
            ),
            aliases=("oauth",),
        ),
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="api_key",
                    title="Internal Integration Secret",
                    is_secret=True,
                    help="of an internal integration, at https://www.notion.so/my-integrations",
                ),
            ),
            hooks=("notion/webhook/{connection_id}",),
        ),
    ),
    check=check,
    helper="autokitteh.notion:notion_client",
    package="notion-client",
    api="https://api.notion.com",
    learns=("verification_token",),
    learns_secrets=("verification_token",),
    events=(
        EventType(name="page.created", title="A page was made"),
        EventType(name="page.content_updated", title="What is on a page was changed"),
        EventType(name="comment.created", title="A comment was made"),
    ),
)
