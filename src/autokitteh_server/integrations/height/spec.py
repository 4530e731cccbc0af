"""Height, which is closed."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.spec import AuthType, Integration, OAuth2


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url="https://height.app/oauth/authorization",
        token_url="https://api.height.app/oauth/tokens",
        scopes=("api",),
        token_params={"scope": "api"},
        app=app,
    )


SPEC = Integration(
    name="height",
    title="Height",
    about="Tasks in Height. The service was closed in September 2025.",
    docs_url="https://height.app",
    auth=(
        AuthType(name="oauthDefault", title=DEFAULT_APP, oauth=_consent("HEIGHT"), aliases=("oauth",)),
        AuthType(name="oauthPrivate", title=PRIVATE_APP, fields=private_app("Height"), oauth=_consent("")),
    ),
    check=None,
    helper="autokitteh.height:height_client",
    package="requests-toolbelt",
    unchecked="Height was closed in September 2025",
)
