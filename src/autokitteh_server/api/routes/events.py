"""Events."""

from msgspec import UNSET

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import make_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.events import (
    DispatchEvent,
    Event,
    EventQuery,
    FilterProblem,
    FilterVerdict,
    TryFilter,
)
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, value_of
from autokitteh_server.operations import dispatching, events


def list_(ctx: Context, *, query: EventQuery) -> Page[Event]:
    """Events, newest first: those of whatever the query names."""
    return make_page(
        query,
        lambda limit, after: events.list_page(ctx.services, query, limit=limit, after_id=after),
        place=lambda event: event.id,
        show=Event.of,
    )


def get(ctx: Context, *, event: str) -> Event:
    """An event by its id, or `last`: the newest one. It says why each trigger did or did not start a session."""
    return Event.of(events.get(ctx.services, event))


def dispatch(ctx: Context, *, body: DispatchEvent) -> Event:
    """Have an event come from a trigger or a connection, as if its service had sent it."""
    data = None if body.data is UNSET else value_of(body.data, "data")
    return Event.of(dispatching.dispatch_event(ctx.services, body.source, event_type=body.event_type, data=data))


def redispatch(ctx: Context, *, event: str) -> Event:
    """Have an event happen once more. The new one meets the triggers of now."""
    return Event.of(dispatching.redispatch_event(ctx.services, event))


def verify_filter(ctx: Context, *, body: TryFilter) -> FilterVerdict:
    """Check a filter, and try it on an event."""
    data = {} if body.data is UNSET else value_of(body.data, "data")
    problems, match = events.try_filter(body.filter, body.event_type, data)
    return FilterVerdict(
        problems=[
            FilterProblem(line=each.line, column=each.column, message=each.message, remedy=each.remedy)
            for each in problems
        ],
        matched=match.matched if match else None,
        failure=match.failure if match else "",
    )


ROUTES = (
    Route("GET", "/events", Scope.READ, list_, "List events"),
    Route("POST", "/events", Scope.WRITE, dispatch, "Dispatch an event", status=201),
    Route("POST", "/events/verify-filter", Scope.READ, verify_filter, "Check a filter"),
    Route("GET", "/events/{event}", Scope.READ, get, "Get an event"),
    Route("POST", "/events/{event}/redispatch", Scope.WRITE, redispatch, "Dispatch an event again", status=201),
)
