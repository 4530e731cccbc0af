"""Servers whose feeds do nothing by themselves: tests take the steps, at the times that they choose."""

from pathlib import Path
from typing import Any

from autokitteh_server.config import HttpSettings
from autokitteh_server.core.clock import VirtualClock
from autokitteh_server.core.entities import Event, Feed
from autokitteh_server.operations import variables
from autokitteh_server.sources.feeds import reconcile
from autokitteh_server.storage import feeds
from served import Served
from unit.integrations.google_service import START

MINUTE = 60 * 1_000_000
PUBLIC = HttpSettings(addr="127.0.0.1:0", service_url="https://ak.example.com")


class Steps:
    """A server whose feeds do nothing by themselves."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = VirtualClock(START)
        self.served = Served(folder, clock=self.clock, **settings)
        self.id = ""

    def connect(self, integration: str, **values: str) -> None:
        """Deploy code that gets the events of a connection with these variables."""
        self.id = self.served.connect(integration, values)

    def set(self, name: str, value: str) -> None:
        variables.set_value(self.served.services, self.id, name, value)

    def values(self) -> dict[str, str]:
        found = variables.list_all(self.served.services, self.id, reveal=True)
        return {each.name: each.value for each in found}

    def pass_time(self, us: int) -> None:
        self.clock.reach(self.clock.now_us() + us)

    def look(self) -> Feed | None:
        """Have a look at what there is to be done."""
        reconcile(self.served.database, self.served.app.service_events.feeding, self.clock.now_us())
        return self.served.database.read(lambda conn: feeds.of_connections(conn, [self.id]).get(self.id))

    def step(self) -> Feed:
        """Do what is to be done, which has to be due."""
        feed = self.look()
        assert feed is not None and feed.next_at is not None
        assert feed.next_at <= self.clock.now_us()
        until = self.clock.now_us() + MINUTE
        assert self.served.database.write(lambda conn: feeds.claim(conn, feed, until))
        self.served.app.service_events.feeding.step(feed, until)
        after = self.served.database.read(lambda conn: feeds.of_connections(conn, [self.id]).get(self.id))
        assert after is not None
        return after

    def events(self) -> list[Event]:
        return self.served.events()

    def types(self) -> list[str]:
        return [each.event_type for each in self.events()]
