"""Events as people look at them. Sending some by hand is in `dispatching`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from autokitteh_server.core.api_types.events import EventQuery
from autokitteh_server.core.entities import Event
from autokitteh_server.core.filters import FilterError, Match, activate, compile_filter
from autokitteh_server.core.manifest_problems import Problem
from autokitteh_server.operations.lookups import find_event, find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import events
from autokitteh_server.storage.connection import Connection


class Tried(NamedTuple):
    """What a filter is worth."""

    problems: Sequence[Problem]
    match: Match | None  # None: there are problems


def list_page(services: Services, query: EventQuery, *, limit: int, after_id: str | None = None) -> Sequence[Event]:
    """Events, newest first, those of whatever the query names. Raises NotFound for a project that does not exist."""

    def read(conn: Connection) -> Sequence[Event]:
        return events.list(
            conn,
            project_id=find_project(conn, query.project).id if query.project else None,
            source_id=query.source or None,
            event_type=query.event_type or None,
            limit=limit,
            after_id=after_id,
        )

    return services.database.read(read)


def get(services: Services, which: str) -> Event:
    """An event with its verdicts: by its id, or with `last` the newest one. Raises NotFound."""
    return services.database.read(lambda conn: find_event(conn, which))


def try_filter(text: str, event_type: str, data: Any) -> Tried:
    """Check a filter, and try it on an event."""
    try:
        found = compile_filter(text)
    except FilterError as error:
        return Tried(error.problems, None)
    return Tried((), found.match(activate(event_type, data)))
