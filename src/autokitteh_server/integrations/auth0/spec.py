"""Auth0."""

from autokitteh_server.integrations.auth0.check import check, host_of
from autokitteh_server.integrations.spec import AuthType, Field, Grant, Integration, OAuth2

SPEC = Integration(
    name="auth0",
    title="Auth0",
    about="Users and roles in Auth0.",
    docs_url="https://auth0.com/docs/get-started/auth0-overview/create-applications/machine-to-machine-apps",
    auth=(
        AuthType(
            name="oauth",
            title="Machine-to-machine app",
            fields=(
                Field(name="client_id", title="Client ID", help="of a machine-to-machine application"),
                Field(name="client_secret", title="Client Secret", is_secret=True, help="of the same application"),
                Field(
                    name="auth0_domain",
                    title="Auth0 Domain",
                    pattern=r"[A-Za-z0-9.-]+(:\d+)?",
                    clean=host_of,
                    help="a host, such as acme.eu.auth0.com",
                ),
            ),
            oauth=OAuth2(
                token_url="https://{auth0_domain}/oauth/token",
                grant=Grant.CLIENT_CREDENTIALS,
                token_params={"audience": "https://{auth0_domain}/api/v2/"},
            ),
            aliases=("oauthDefault", "oauthPrivate"),
        ),
    ),
    check=check,
    helper="autokitteh.auth0:auth0_client",
    package="auth0-python",
    api="https://{auth0_domain}",
)
