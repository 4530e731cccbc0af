"""Google Calendar."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.googlecalendar.check import check
from autokitteh_server.integrations.spec import EventType, Field, Integration

_FIELD = Field(
    name="cal_id",
    title="Calendar ID",
    variable="CalendarID",
    is_optional=True,
    help="the calendar whose events are wanted, such as primary; without one there are none",
)

SPEC = Integration(
    name="googlecalendar",
    title="Google Calendar",
    about="Calendars and their events.",
    docs_url=DOCS_URL,
    auth=google_auth("calendar", "calendar.events", fields=(_FIELD,)),
    check=check,
    helper="autokitteh.google:google_calendar_client",
    package=PACKAGE,
    api=API,
    learns=(
        *USER,
        "CalendarEventsWatchID",
        "CalendarEventsWatchResID",
        "CalendarEventsWatchExp",
        "CalendarEventsWatchToken",
        "CalendarEventsSyncToken",
    ),
    learns_secrets=("OAuthData", "CalendarEventsWatchToken"),
    events=(
        EventType(name="event_created", title="A calendar has a new event"),
        EventType(name="event_updated", title="A calendar's event was changed"),
        EventType(name="event_deleted", title="A calendar's event was deleted"),
    ),
)
