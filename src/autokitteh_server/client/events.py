"""Events, from outside."""

from collections.abc import Iterator

from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.events import DispatchEvent, Event, EventQuery, FilterVerdict, TryFilter
from autokitteh_server.core.api_types.values import Page


class Events:
    """What a server does with events."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: EventQuery) -> Page[Event]:
        return self._transport.get("/events", Page[Event], query)

    def list(self, query: EventQuery, limit: int) -> Iterator[Event]:
        """Newest first, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, event: str) -> Event:
        return self._transport.get(path_of("/events/{}", event), Event)

    def dispatch(self, wanted: DispatchEvent) -> Event:
        return self._transport.post("/events", Event, wanted)

    def redispatch(self, event: str) -> Event:
        return self._transport.post(path_of("/events/{}/redispatch", event), Event)

    def verify_filter(self, tried: TryFilter) -> FilterVerdict:
        return self._transport.post("/events/verify-filter", FilterVerdict, tried)
