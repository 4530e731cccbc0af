"""Microsoft Teams."""

from dataclasses import replace

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.microsoft_teams.check import check
from autokitteh_server.integrations.microsoft_teams.subscriptions import CLIENT_STATE, RESOURCE
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Grant, Integration, OAuth2

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
_RESOURCE = Field(
    name=RESOURCE,
    title="Resource",
    is_optional=True,
    pattern=r"/.+",
    help="what is listened to, such as /teams/TEAM/channels/CHANNEL/messages, or several with commas between them; "
    "without one there are no events",
)
_EVENTS = (
    ("chatmessage_created", "A message was written, in a channel or a chat"),
    ("chatmessage_updated", "A message was changed, or has a new reaction"),
    ("chatmessage_deleted", "A message was deleted"),
    ("channel_created", "A team has a new channel"),
    ("channel_updated", "A channel was changed"),
    ("channel_deleted", "A channel was deleted"),
    ("team_created", "There is a new team"),
    ("team_updated", "A team was changed"),
    ("team_deleted", "A team was deleted"),
    ("chat_created", "There is a new chat"),
    ("chat_updated", "A chat was changed"),
    ("conversationmember_created", "Somebody joined a team, a channel or a chat"),
    ("conversationmember_updated", "A member has another role"),
    ("conversationmember_deleted", "Somebody left"),
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
        AuthType(
            name="oauthDefault",
            title=DEFAULT_APP,
            fields=(_RESOURCE,),
            oauth=_consent("MICROSOFT"),
            aliases=("oauth",),
        ),
        AuthType(
            name="oauthPrivate",
            title=PRIVATE_APP,
            fields=(_ID, _SECRET, _TENANT, _RESOURCE),
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
                _RESOURCE,
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
    learns=(
        *("org_id", "org_name", "user_id", "user_name", "user_email"),
        *("SubscriptionIDs", "SubscriptionURL", "SubscriptionExpiration", CLIENT_STATE),
    ),
    learns_secrets=(CLIENT_STATE,),
    events=tuple(EventType(name=name, title=title) for name, title in _EVENTS),
    is_extra=True,
)
