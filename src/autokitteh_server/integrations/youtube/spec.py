"""YouTube."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.spec import EventType, Field, Integration
from autokitteh_server.integrations.youtube.check import check
from autokitteh_server.integrations.youtube.webhook import DELETED, PUBLISHED, SECRET

_FIELD = Field(
    name="channel_ids",
    title="Channel IDs",
    variable="ChannelIDs",
    is_optional=True,
    pattern=r"[\w-]+(\s*,\s*[\w-]+){0,19}",
    help="the channels whose new videos are wanted, up to 20 with commas between them, such as "
    "UC_x5XG1OV2P6uZZ5FSM9Ttw; without one there are no events",
)

SPEC = Integration(
    name="youtube",
    title="YouTube",
    about="Channels and videos on YouTube.",
    docs_url=DOCS_URL,
    auth=google_auth("youtube", "youtube.readonly", "youtube.upload", fields=(_FIELD,)),
    check=check,
    helper="autokitteh.google:youtube_client",
    package=PACKAGE,
    api=API,
    learns=(*USER, SECRET, "PublishedUntil"),
    learns_secrets=("OAuthData", SECRET),
    events=(
        EventType(name=PUBLISHED, title="A channel has a new video, or a title or description was changed"),
        EventType(name=DELETED, title="A video was deleted"),
    ),
)
