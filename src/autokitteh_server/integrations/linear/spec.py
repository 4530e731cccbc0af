"""Linear."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.linear.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration, OAuth2

_ACTOR = Field(
    name="actor",
    title="Actor",
    is_optional=True,
    pattern="user|application",
    help="who issues are made by: user or application",
)
_SECRET = Field(
    name="webhook_secret",
    title="Webhook Signing Secret",
    variable="private_webhook_secret",
    is_secret=True,
    is_optional=True,
    help="of the app's webhook, or your own; without one there are no events",
)
_HOOKS = ("linear/event",)


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url="https://linear.app/oauth/authorize",
        token_url="https://api.linear.app/oauth/token",
        scopes=("read", "write"),
        scope_separator=",",
        app=app,
        authorize_params={"actor": "{actor}"},
        uses_pkce=True,
        revoke_url="https://api.linear.app/oauth/revoke",
    )


SPEC = Integration(
    name="linear",
    title="Linear",
    about="Issues in Linear.",
    docs_url="https://linear.app/docs/api-and-webhooks",
    auth=(
        AuthType(
            name="oauthDefault",
            title=DEFAULT_APP,
            fields=(_ACTOR,),
            oauth=_consent("LINEAR"),
            aliases=("oauth",),
        ),
        AuthType(
            name="oauthPrivate",
            title=PRIVATE_APP,
            fields=(
                *private_app("Linear"),
                _SECRET,
                _ACTOR,
            ),
            oauth=_consent(""),
            hooks=_HOOKS,
        ),
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="api_key",
                    title="API Key",
                    is_secret=True,
                    help="made under Settings, Security & access; it begins with lin_api_",
                ),
                _SECRET,
            ),
            hooks=_HOOKS,
        ),
    ),
    check=check,
    helper="autokitteh.linear:linear_client",
    package="requests-toolbelt",
    api="https://api.linear.app",
    learns=(
        *("org_id", "org_name", "org_url_key"),
        *("viewer_id", "viewer_display_name", "viewer_email", "viewer_name"),
    ),
    events=tuple(
        EventType(name=name, title=title)
        for name, title in (
            ("issue", "An issue was made, changed or removed"),
            ("comment", "A comment was made, changed or removed"),
            ("issuelabel", "A label was made, changed or removed"),
            ("project", "A project was made, changed or removed"),
            ("projectupdate", "An update of a project"),
            ("cycle", "A cycle was made, changed or removed"),
            ("reaction", "A reaction to a comment"),
            ("attachment", "An attachment of an issue"),
            ("document", "A document was made, changed or removed"),
        )
    ),
)
