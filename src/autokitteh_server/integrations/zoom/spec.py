"""Zoom."""

from autokitteh_server.integrations._families.oauth import DEFAULT_APP, PRIVATE_APP, private_app
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Grant, Integration, OAuth2, TokenAuth
from autokitteh_server.integrations.zoom.check import check

_SECRET = Field(
    name="secret_token",
    title="Secret Token",
    variable="private_secret_token",
    is_secret=True,
    is_optional=True,
    help="of the app's event subscriptions; without one there are no events",
)
_HOOKS = ("zoom/event",)


def _consent(app: str) -> OAuth2:
    return OAuth2(
        authorize_url="https://zoom.us/oauth/authorize",
        token_url="https://zoom.us/oauth/token",
        app=app,
        token_auth=TokenAuth.BASIC,
        uses_pkce=True,
        revoke_url="https://zoom.us/oauth/revoke",
    )


SPEC = Integration(
    name="zoom",
    title="Zoom",
    about="Meetings in Zoom.",
    docs_url="https://developers.zoom.us/docs/internal-apps/s2s-oauth/",
    auth=(
        AuthType(name="oauthDefault", title=DEFAULT_APP, oauth=_consent("ZOOM"), aliases=("oauth",)),
        AuthType(
            name="oauthPrivate",
            title=PRIVATE_APP,
            fields=(*private_app("Zoom"), _SECRET),
            oauth=_consent(""),
            hooks=_HOOKS,
        ),
        AuthType(
            name="serverToServer",
            title="Private Server-to-Server",
            fields=(
                Field(
                    name="account_id",
                    title="Account ID",
                    variable="private_account_id",
                    also=("account_id",),
                    help="of a server-to-server app",
                ),
                *private_app("Zoom"),
                _SECRET,
            ),
            oauth=OAuth2(
                token_url="https://zoom.us/oauth/token",
                grant=Grant.ZOOM_ACCOUNT,
                token_auth=TokenAuth.BASIC,
                token_params={"account_id": "{private_account_id}"},
            ),
            hooks=_HOOKS,
        ),
    ),
    check=check,
    helper="autokitteh.zoom:zoom_client",
    package="requests-toolbelt",
    api="https://api.zoom.us",
    learns=("account_id",),
    events=tuple(
        EventType(name=name, title=title)
        for name, title in (
            ("meeting.started", "A meeting has begun"),
            ("meeting.ended", "A meeting is over"),
            ("meeting.created", "A meeting was planned"),
            ("meeting.participant_joined", "Somebody has joined a meeting"),
            ("meeting.participant_left", "Somebody has left a meeting"),
            ("recording.completed", "A recording is ready"),
        )
    ),
)
