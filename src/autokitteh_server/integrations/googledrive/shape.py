"""What a change of a file is as data: https://developers.google.com/workspace/drive/api/reference/rest/v3/changes."""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import key_of
from autokitteh_server.integrations.matching import Match
from autokitteh_server.integrations.shapes import ByKey, Each, Maybe, Shape, shaped_snake, texts
from autokitteh_server.integrations.webhook import Found

_USER: Final[Shape] = {
    **texts("kind display_name photo_link permission_id email_address"),
    "me": False,
}
_FILE: Final[Shape] = {
    **texts("kind id name mime_type description drive_id created_time modified_time"),
    **dict.fromkeys(("starred", "trashed", "explicitly_trashed", "shared", "owned_by_me"), False),
    "parents": (),
    "spaces": (),
    "version": 0,
    "size": 0,
    **texts("web_view_link web_content_link icon_link thumbnail_link"),
    **texts("original_filename full_file_extension file_extension md_5_checksum head_revision_id"),
    "owners": Each(_USER),
    "last_modifying_user": Maybe(_USER),
    "sharing_user": Maybe(_USER),
    "capabilities": Maybe({}),
    "properties": ByKey(),
    "app_properties": ByKey(),
}
_CHANGE: Final[Shape] = {
    **texts("kind change_type time"),
    "removed": False,
    **texts("file_id drive_id"),
    "file": Maybe(_FILE),
    "drive": Maybe(texts("kind id name")),
}


def file_event(change: Mapping[str, Any], match: Match) -> Found:
    """A change, which Drive was asked for. `match`: the connection that has asked."""
    data = shaped_snake(change, _CHANGE)
    what = text_at(data, "file_id") or text_at(data, "drive_id")
    return Found(
        event_type="file_remove" if data["removed"] is True else "file_change",
        data=data,
        key=key_of(what, text_at(data, "time"), data["removed"] is True),
        match=(match,),
    )
