"""What an event of a calendar is as data: https://developers.google.com/workspace/calendar/api/v3/reference/events."""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import key_of
from autokitteh_server.integrations.matching import Match
from autokitteh_server.integrations.shapes import ByKey, Each, Maybe, Shape, shaped_snake, texts
from autokitteh_server.integrations.webhook import Found

_TIME: Final[Shape] = texts("date date_time time_zone")
_PERSON: Final[Shape] = {**texts("id email display_name"), "self": False}
_EVENT: Final[Shape] = {
    **texts("kind etag id status html_link created updated summary description location color_id"),
    "creator": _PERSON,
    "organizer": _PERSON,
    "start": _TIME,
    "end": _TIME,
    "end_time_unspecified": False,
    "recurrence": (),
    "recurring_event_id": "",
    "original_start_time": Maybe(_TIME),
    **texts("transparency visibility i_cal_uid"),
    "sequence": 0,
    "attendees": Each(
        {
            **_PERSON,
            **dict.fromkeys(("organizer", "resource", "optional"), False),
            **texts("response_status comment"),
            "additional_guests": 0,
        }
    ),
    "attendees_omitted": False,
    "extended_properties": Maybe({"private": ByKey(), "shared": ByKey()}),
    "hangout_link": "",
    "conference_data": None,
    "gadget": None,
    "anyone_can_add_self": False,
    # Google leaves these out where they are true.
    "guests_can_invite_others": True,
    "guests_can_see_other_guests": True,
    **dict.fromkeys(("guests_can_modify", "private_copy", "locked"), False),
    "reminders": Maybe({"use_default": False, "overrides": Each({"method": "", "minutes": 0})}),
    "source": None,
    "attachments": Each(texts("file_url title mime_type icon_link file_id")),
    "event_type": "",
    **dict.fromkeys(
        ("working_location_properties", "out_of_office_properties", "focus_time_properties", "birthday_properties")
    ),
}


def calendar_event(resource: Mapping[str, Any], match: Match) -> Found:
    """A change of an event, which the calendar was asked for. `match`: the connection that has asked."""
    data = shaped_snake(resource, _EVENT)
    return Found(
        event_type=_type(data),
        data=data,
        key=key_of(text_at(data, "id"), text_at(data, "etag"), text_at(data, "updated"), text_at(data, "sequence")),
        match=(match,),
    )


def _type(data: Mapping[str, Any]) -> str:
    if data["status"] == "cancelled":
        return "event_deleted"
    return "event_created" if data["sequence"] == 0 else "event_updated"
