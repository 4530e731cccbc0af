"""HubSpot."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP
from autokitteh_server.integrations.hubspot.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration, OAuth2

_KINDS = ("companies", "contacts", "deals")
_SCOPES = tuple(f"crm.objects.{kind}.{right}" for kind in _KINDS for right in ("read", "write"))

SPEC = Integration(
    name="hubspot",
    title="HubSpot",
    about="Contacts, companies and deals in HubSpot.",
    docs_url="https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
    auth=(
        AuthType(
            name="oauth",
            title=DEFAULT_APP,
            oauth=OAuth2(
                authorize_url="https://app.hubspot.com/oauth/authorize",
                token_url="https://api.hubapi.com/oauth/v1/token",
                scopes=(*_SCOPES, "crm.objects.owners.read"),
                app="HUBSPOT",
            ),
            aliases=("oauthDefault",),
        ),
        AuthType(
            name="pat",
            title="Private app",
            fields=(
                Field(
                    name="private_app_token",
                    title="Access Token",
                    is_secret=True,
                    help="of a private app, under Settings, Integrations, Private Apps; it begins with pat-",
                ),
                Field(
                    name="client_secret",
                    title="Client Secret",
                    variable="private_client_secret",
                    is_secret=True,
                    is_optional=True,
                    help="of the private app, which signs its events; without one there are none",
                ),
            ),
            hooks=("hubspot/webhook",),
        ),
    ),
    check=check,
    helper="autokitteh.hubspot:hubspot_client",
    package="hubspot-api-client",
    api="https://api.hubapi.com",
    learns=("portal_id",),
    events=tuple(
        EventType(name=f"{kind}.{what}", title=f"A {kind}: {title}")
        for kind in ("contact", "company", "deal", "ticket")
        for what, title in (("creation", "made"), ("deletion", "deleted"), ("propertyChange", "changed"))
    ),
)
