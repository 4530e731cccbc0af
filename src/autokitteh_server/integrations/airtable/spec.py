"""Airtable."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP
from autokitteh_server.integrations.airtable.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration, OAuth2, TokenAuth

SPEC = Integration(
    name="airtable",
    title="Airtable",
    about="Bases and records in Airtable.",
    docs_url="https://airtable.com/developers/web/guides/personal-access-tokens",
    auth=(
        AuthType(
            name="oauthDefault",
            title=DEFAULT_APP,
            oauth=OAuth2(
                authorize_url="https://airtable.com/oauth2/v1/authorize",
                token_url="https://airtable.com/oauth2/v1/token",
                scopes=(
                    *("data.records:read", "data.records:write"),
                    *("data.recordComments:read", "data.recordComments:write"),
                    *("schema.bases:read", "schema.bases:write", "user.email:read", "webhook:manage"),
                ),
                app="AIRTABLE",
                token_auth=TokenAuth.BASIC,
                uses_pkce=True,
            ),
            aliases=("oauth",),
        ),
        AuthType(
            name="pat",
            title="PAT",
            fields=(
                Field(
                    name="pat",
                    title="Personal Access Token",
                    is_secret=True,
                    help="made at https://airtable.com/create/tokens, with schema.bases:read",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.airtable:airtable_client",
    package="pyairtable",
    api="https://api.airtable.com",
    is_extra=True,
)
