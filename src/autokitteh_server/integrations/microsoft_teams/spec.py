"""Microsoft Teams."""

from dataclasses import replace

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.microsoft_teams.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Grant, Integration, OAuth2

_GRAPH = "https://graph.microsoft.com/"
_RIGHTS = (
    *("Channel.Create", "Channel.Delete.All", "Channel.ReadBasic.All", "ChannelMember.ReadWrite.All"),
    *("ChannelMessage.Read.All", "ChannelMessage.Send", "ChannelSettings.ReadWrite.All"),
    *("Chat.Create", "Chat.ManageDeletion.All", "Chat.ReadWrite.All", "ChatMember.ReadWrite", "ChatMessage.Send"),
    *("Team.Create", "Team.ReadBasic.All", "TeamMember.ReadWrite.All", "TeamSettings.ReadWrite.All", "User.Read"),
)
_LOGIN = "https://login.microsoftonline.com"
_ID, _SECRET = private_app("Microsoft Entra")
_TENANT = Field(
    name="tenant_id",
    title="Tenant ID",
    variable="private_tenant_id",
    is_optional=True,
    help="of your directory; without one that of whoever agrees",
)


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url=f"{_LOGIN}/common/oauth2/v2.0/authorize",
        token_url=f"{_LOGIN}/common/oauth2/v2.0/token",
        scopes=("offline_access", "openid", "email", "profile", *(_GRAPH + right for right in _RIGHTS)),
        app=app,
        uses_pkce=True,
        redirect="microsoft",
    )


SPEC = Integration(
    name="microsoft_teams",
    title="Microsoft Teams",
    about="Teams, channels and chats in Microsoft Teams.",
    docs_url="https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app",
    auth=(
        AuthType(name="oauthDefault", title=DEFAULT_APP, oauth=_consent("MICROSOFT"), aliases=("oauth",)),
        AuthType(
            name="oauthPrivate",
            title=PRIVATE_APP,
            fields=(_ID, _SECRET, _TENANT),
            oauth=_consent(""),
        ),
        AuthType(
            name="daemonApp",
            title="Daemon app",
            fields=(
                _ID,
                replace(_SECRET, is_optional=True),
                Field(
                    name="tenant_id",
                    title="Tenant ID",
                    variable="private_tenant_id",
                    pattern=r"[\w.-]+",
                    help="of your directory",
                ),
                Field(
                    name="certificate",
                    title="Certificate",
                    variable="private_certificate",
                    is_secret=True,
                    is_optional=True,
                    is_multiline=True,
                    help="in place of the secret, as PEM with its key",
                ),
            ),
            oauth=OAuth2(
                token_url=f"{_LOGIN}/{{private_tenant_id}}/oauth2/v2.0/token",
                grant=Grant.CLIENT_CREDENTIALS,
                scopes=(f"{_GRAPH}.default",),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.microsoft:teams_client",
    package="msgraph-sdk",
    api="https://graph.microsoft.com",
    learns=("org_id", "org_name", "user_id", "user_name", "user_email"),
    is_extra=True,
)
