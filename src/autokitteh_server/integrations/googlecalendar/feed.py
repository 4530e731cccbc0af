"""Changes of a calendar's events: Google Calendar says by a channel that there are some, and is asked which.

https://developers.google.com/workspace/calendar/api/guides/sync
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.timestamps import parse_time
from autokitteh_server.integrations._families.google_feeds import (
    WEEK_S,
    ask_google,
    close_channel,
    items_of,
    open_channel,
    pages,
    read_answer,
    renewal,
    send,
    text_in,
)
from autokitteh_server.integrations.asking import not_its_api, text_at
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.googlecalendar.shape import calendar_event
from autokitteh_server.integrations.matching import CONNECTION_ID, match_of

_API: Final = "https://www.googleapis.com/calendar/v3"
_TOKEN: Final = "CalendarEventsSyncToken"

#: All but the size of pages has to be the same each time. Without `showDeleted`, what was deleted is missing where
#: everything is listed.
_ASKED: Final = {"showDeleted": "true", "maxResults": "250"}
_TO_BEGIN: Final = {"showDeleted": "true", "maxResults": "2500", "fields": "nextPageToken,nextSyncToken"}

_MAX_PAGES: Final = 100  # 25,000 changes, which are held in memory at once
_MAX_PAGES_OF_ALL: Final = 400

#: Google's clock may be behind ours. What is found twice by this has the same key.
_OVERLAP_US: Final = 300 * 1_000_000


def register(line: Line) -> Registration:
    """Open a channel, and close the one before it."""
    channel = open_channel(line, f"{_events(line)}/watch", "googlecalendar/notif", {"params": {"ttl": str(WEEK_S)}})
    former, resource = (line.variables.get(f"CalendarEventsWatch{part}", "") for part in ("ID", "ResID"))
    close_channel(line, f"{_API}/channels/stop", former, resource)
    variables = {
        "CalendarEventsWatchID": channel.id,
        "CalendarEventsWatchResID": channel.resource_id,
        "CalendarEventsWatchExp": str(channel.expires_ms),
        "CalendarEventsWatchToken": channel.token,
    }
    return Registration(variables=variables, renew_at=renewal(line.now, channel.expires_ms * 1000))


def poll(line: Line, polled_at: int) -> News:
    """An event for each change. All pages at once: Google says only on the last one how to go on."""
    token = line.variables.get(_TOKEN, "")
    if not token:
        return _begin(line)
    asked = {**_ASKED, "syncToken": token}
    answer = send(line, "GET", _events(line), params=asked)
    if answer.status in (400, 410):  # of another calendar; too old
        return _begin_anew(line, polled_at)
    found = list(pages(line, _events(line), asked, read_answer(answer), _MAX_PAGES))
    changes = [each for page in found for each in items_of(page, "items")]
    return _news(line, changes, found[-1])


def why_not(variables: Mapping[str, str]) -> str:
    """There may be many calendars."""
    if variables.get("CalendarID"):
        return ""
    return "it does not say which calendar: set the field cal_id, to primary for the user's own one"


def _begin(line: Line) -> News:
    *_, last = _all(line, _TO_BEGIN)
    return _news(line, [], last)


def _begin_anew(line: Line, polled_at: int) -> News:
    """List everything; what has changed since it was asked last is new."""
    changes = []
    for page in _all(line, _ASKED):
        changes += [each for each in items_of(page, "items") if polled_at and _is_since(each, polled_at - _OVERLAP_US)]
    return _news(line, changes, page)


def _all(line: Line, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    first = ask_google(line, "GET", _events(line), params=asked)
    return pages(line, _events(line), asked, first, _MAX_PAGES_OF_ALL)


def _is_since(resource: Mapping[str, Any], since: int) -> bool:
    updated = text_at(resource, "updated")
    if not updated:
        # Of days on which a weekly meeting was cancelled Google may say no more than which. There may be years of them.
        return False
    try:
        return parse_time(updated) >= since
    except InvalidArgument:
        raise not_its_api() from None


def _news(line: Line, changes: list[Mapping[str, Any]], last: Mapping[str, Any]) -> News:
    match = match_of(**{CONNECTION_ID: line.connection_id})
    events = tuple(calendar_event(each, match) for each in changes)
    return News(events=events, variables={_TOKEN: text_in(last, "nextSyncToken")})


def _events(line: Line) -> str:
    return f"{_API}/calendars/{quote(line.variables['CalendarID'], safe='')}/events"


FEED = Feed(
    register=register,
    poll=poll,
    keeps=(_TOKEN,),
    about=("CalendarID",),
    poll_anyway_s=900.0,  # Google says that some of its calls get lost
    why_not=why_not,
)
