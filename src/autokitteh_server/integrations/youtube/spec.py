"""YouTube."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.spec import Integration
from autokitteh_server.integrations.youtube.check import check

SPEC = Integration(
    name="youtube",
    title="YouTube",
    about="Channels and videos on YouTube.",
    docs_url=DOCS_URL,
    auth=google_auth("youtube", "youtube.readonly", "youtube.upload"),
    check=check,
    helper="autokitteh.google:youtube_client",
    package=PACKAGE,
    api=API,
    learns=USER,
    learns_secrets=("OAuthData",),
)
