"""Pipedrive."""

from autokitteh_server.integrations.pipedrive.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="pipedrive",
    title="Pipedrive",
    about="Deals and contacts in Pipedrive.",
    docs_url="https://pipedrive.readme.io/docs/how-to-find-the-api-token",
    auth=(
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="api_key",
                    title="API Token",
                    is_secret=True,
                    help="in Pipedrive, under Personal preferences, API",
                ),
                Field(
                    name="company_domain",
                    title="Company Domain",
                    pattern=r"https?://[^/?#\s]+/?",
                    help="a whole address, such as https://acme.pipedrive.com",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.pipedrive:pipedrive_client",
    package="pipedrive-python-lib",
    api="",
)
