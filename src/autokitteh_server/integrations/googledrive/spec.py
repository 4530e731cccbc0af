"""Google Drive."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.googledrive.check import check
from autokitteh_server.integrations.spec import EventType, Integration

SPEC = Integration(
    name="googledrive",
    title="Google Drive",
    about="Files in Google Drive.",
    docs_url=DOCS_URL,
    auth=google_auth("drive.file"),
    check=check,
    helper="autokitteh.google:google_drive_client",
    package=PACKAGE,
    api=API,
    learns=(
        *USER,
        "DriveChangesStartPageToken",
        "DriveEventsWatchID",
        "DriveEventsWatchResID",
        "DriveEventsWatchExp",
        "DriveEventsWatchToken",
    ),
    learns_secrets=("OAuthData", "DriveEventsWatchToken"),
    events=(
        EventType(name="file_change", title="A file was made or changed"),
        EventType(name="file_remove", title="A file was removed"),
    ),
)
