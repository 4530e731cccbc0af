"""Salesforce."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.salesforce.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Integration, OAuth2


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url="https://login.salesforce.com/services/oauth2/authorize",
        token_url="https://login.salesforce.com/services/oauth2/token",
        scopes=("api", "refresh_token"),
        app=app,
        uses_pkce=True,
        revoke_url="https://login.salesforce.com/services/oauth2/revoke",
    )


SPEC = Integration(
    name="salesforce",
    title="Salesforce",
    about="Accounts, contacts and all else in Salesforce.",
    docs_url="https://help.salesforce.com/s/articleView?id=sf.connected_app_create.htm",
    auth=(
        AuthType(name="oauthDefault", title=DEFAULT_APP, oauth=_consent("SALESFORCE"), aliases=("oauth",)),
        AuthType(name="oauthPrivate", title=PRIVATE_APP, fields=private_app("Salesforce"), oauth=_consent("")),
    ),
    check=check,
    helper="autokitteh.salesforce:salesforce_client",
    package="simple-salesforce",
    api="https://login.salesforce.com",
    learns=("instance_url", "organization_id", "user_id", "replay_id"),
    events=(
        EventType(name="account", title="Accounts have changed"),
        EventType(name="case", title="Cases have changed"),
        EventType(name="contact", title="Contacts have changed"),
        EventType(name="lead", title="Leads have changed"),
        EventType(name="opportunity", title="Opportunities have changed"),
    ),
    is_extra=True,
)
