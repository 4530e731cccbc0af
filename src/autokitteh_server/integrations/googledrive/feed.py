"""Changes of files: Google Drive says by a channel that there are some, and is asked which.

https://developers.google.com/workspace/drive/api/guides/manage-changes
"""

from typing import Final

from autokitteh_server.integrations._families.google_feeds import (
    WEEK_S,
    ask_google,
    close_channel,
    items_of,
    open_channel,
    read_answer,
    renewal,
    send,
    text_in,
)
from autokitteh_server.integrations.asking import text_at, verify_answer
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.googledrive.shape import file_event
from autokitteh_server.integrations.matching import CONNECTION_ID, match_of

_API: Final = "https://www.googleapis.com/drive/v3"
_CURSOR: Final = "DriveChangesStartPageToken"

_ALL_DRIVES: Final = {
    "includeRemoved": "true",
    "includeCorpusRemovals": "true",
    "includeItemsFromAllDrives": "true",
    "supportsAllDrives": "true",
}

#: Drive tells of a file only what it is asked for: what the shape of an event has.
_FILE: Final = (
    "kind,id,name,mimeType,description,driveId,createdTime,modifiedTime,starred,trashed,explicitlyTrashed,shared,"
    "ownedByMe,parents,spaces,version,size,webViewLink,webContentLink,iconLink,thumbnailLink,originalFilename,"
    "fullFileExtension,fileExtension,md5Checksum,headRevisionId,owners,lastModifyingUser,sharingUser,capabilities,"
    "properties,appProperties"
)
_CHANGE: Final = f"kind,changeType,time,removed,fileId,driveId,file({_FILE}),drive(kind,id,name)"
_ASKED: Final = {
    **_ALL_DRIVES,
    "pageSize": "200",
    "fields": f"nextPageToken,newStartPageToken,changes({_CHANGE})",
}


def register(line: Line) -> Registration:
    """Open a channel, and close the one before it."""
    start = _start(line)  # a new one: ours may have become too old, which is a poll's to find out
    end = str(line.now // 1000 + WEEK_S * 1000)  # without it, a channel lasts an hour
    channel = open_channel(
        line, f"{_API}/changes/watch", "googledrive/notif", {"expiration": end}, {**_ALL_DRIVES, "pageToken": start}
    )
    former, resource = (line.variables.get(f"DriveEventsWatch{part}", "") for part in ("ID", "ResID"))
    close_channel(line, f"{_API}/channels/stop", former, resource)
    variables = {
        "DriveEventsWatchID": channel.id,
        "DriveEventsWatchResID": channel.resource_id,
        "DriveEventsWatchExp": str(channel.expires_ms),
        "DriveEventsWatchToken": channel.token,
    }
    if not line.variables.get(_CURSOR):
        variables[_CURSOR] = start
    return Registration(variables=variables, renew_at=renewal(line.now, channel.expires_ms * 1000))


def poll(line: Line, polled_at: int) -> News:
    """An event for each change on a page."""
    cursor = line.variables.get(_CURSOR, "")
    if not cursor:
        return News(variables={_CURSOR: _start(line)})
    answer = send(line, "GET", f"{_API}/changes", params={**_ASKED, "pageToken": cursor})
    if answer.status in (400, 404, 410):
        start = _start(line)
        if start == cursor:  # so it is not this that Drive does not like
            verify_answer(answer)
        # What has changed since it was good cannot be found out.
        return News(variables={_CURSOR: start})
    page = read_answer(answer)
    match = match_of(**{CONNECTION_ID: line.connection_id})
    following = text_at(page, "nextPageToken")
    return News(
        events=tuple(file_event(each, match) for each in items_of(page, "changes")),
        variables={_CURSOR: following or text_in(page, "newStartPageToken")},
        has_more=bool(following),
    )


def _start(line: Line) -> str:
    params = {"supportsAllDrives": "true"}
    return text_in(ask_google(line, "GET", f"{_API}/changes/startPageToken", params=params), "startPageToken")


FEED = Feed(
    register=register,
    poll=poll,
    keeps=(_CURSOR,),
    about=("user_email",),
    poll_anyway_s=900.0,  # Google says that some of its calls get lost
)
