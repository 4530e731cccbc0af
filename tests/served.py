"""A server as `ak up` makes it, inside the test: projects deployed to it, its public doors open on a real port."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from autokitteh_runner.protocol import Limits
from autokitteh_server.accounts.lines import HttpFor
from autokitteh_server.application import Application
from autokitteh_server.config import HttpSettings, Settings
from autokitteh_server.core.clock import Clock, system_slug
from autokitteh_server.core.entities import Event, Session, Trigger
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.schedules import parse_schedule
from autokitteh_server.operations import connections, variables
from autokitteh_server.operations.deploying import deploy
from autokitteh_server.storage import events, sessions, triggers
from autokitteh_server.storage.connection import Connection
from harness import PATIENCE_S, UNCONFINED, Growth, Result, load_result, source_of

PROJECT = "program"

#: Gives back what it gets.
ECHO = """
def main(event):
    return {"data": event.data, "type": event.event_type}
"""


class Served:
    """An application that runs, and what tests do with it."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        http_for: HttpFor | None = None,
        **settings: Any,
    ) -> None:
        """`environ`: what is in the server's environment beside the test's own."""
        settings.setdefault("limits", Limits(memory_bytes=1024**3))
        settings.setdefault("http", HttpSettings(addr="127.0.0.1:0"))
        defaults: dict[str, Any] = {"data_dir": folder / "data", "durable": False, "stop_grace_s": 0.0}
        self.growth = Growth()
        self.app = Application(
            Settings(**(defaults | UNCONFINED | settings)),
            environ={**os.environ, **(environ or {})},
            clock=clock,
            listener=self.growth,
            http_for=http_for,
        )
        self.services = self.app.services
        self.database = self.services.database

    def deploy(self, program: str | Mapping[str, str], *new: Trigger, name: str = PROJECT) -> dict[str, Trigger]:
        """Deploy code, and make these triggers by hand; all triggers of the project by name."""
        project = deploy(self.services, source_of(program, name)).project

        def add(conn: Connection) -> dict[str, Trigger]:
            for trigger in new:
                triggers.create(conn, replace(trigger, project_id=project.id))
            return {trigger.name: trigger for trigger in triggers.list(conn, project.id)}

        found = self.database.write(add)
        self.services.schedules_changed()
        self.services.feeds_changed()
        return found

    def connect(
        self,
        integration: str,
        values: Mapping[str, str],
        program: str = ECHO,
        *,
        name: str = "conn",
        project: str = PROJECT,
        **fields: Any,
    ) -> str:
        """Deploy code that gets the events of a connection with these variables; the connection's id."""
        self.deploy(program, name=project)
        made = connections.create(self.services, project, name, integration)
        for variable, value in values.items():
            variables.set_value(self.services, made.id, variable, value)
        self.deploy(program, self.trigger_of(name, made.id, **fields), name=project)
        return made.id

    def trigger_of(self, name: str, connection_id: str, **fields: Any) -> Trigger:
        """A trigger that gets a connection's events, for `deploy`."""
        return self._trigger(f"on_{name}", type=TriggerType.CONNECTION, connection_id=connection_id, **fields)

    def webhook(self, name: str = "webhook", **fields: Any) -> Trigger:
        """A webhook for `deploy`."""
        values: dict[str, Any] = {"type": TriggerType.WEBHOOK, "webhook_slug": system_slug()}
        return self._trigger(name, **(values | fields))

    def schedule(self, schedule: str, name: str = "schedule", **fields: Any) -> Trigger:
        """A schedule for `deploy`."""
        now = self.services.clock.now_us()
        next_at = parse_schedule(schedule).next_after(now, anchor_us=now)
        values: dict[str, Any] = {"type": TriggerType.SCHEDULE, "schedule": schedule, "next_tick_at": next_at}
        return self._trigger(name, **(values | {"anchor_at": now} | fields))

    def _trigger(self, name: str, **fields: Any) -> Trigger:
        now = self.services.clock.now_us()
        defaults: dict[str, Any] = {"call": "program.py:main", "is_durable": True}
        values = defaults | fields
        return Trigger(
            id=self.services.new_id("trg"), project_id="", name=name, created_at=now, updated_at=now, **values
        )

    def load(self, session_id: str) -> Result:
        """A session as it is now."""
        return load_result(self.database, session_id)

    def sessions(self, limit: int = 10_000) -> list[Session]:
        """All sessions, oldest first."""
        return list(reversed(self.database.read(lambda conn: sessions.list(conn, limit=limit))))

    def events(self, limit: int = 10_000) -> list[Event]:
        """All events, oldest first."""
        return list(reversed(self.database.read(lambda conn: events.list(conn, limit=limit))))

    def event(self, event_id: str) -> Event:
        """One event."""
        return self.database.read(lambda conn: events.get(conn, event_id))

    def wait_until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until something has come of what sessions did."""
        with self.growth.changed:
            assert self.growth.changed.wait_for(condition, patience_s), [
                (each.id, each.state.value, each.error) for each in self.sessions()[-100:]
            ]

    def wait(self, session_id: str) -> Result:
        """Wait until a session is over."""
        self.wait_until(lambda: self.load(session_id).session.state.is_final)
        return self.load(session_id)

    def wait_all(self, count: int) -> list[Result]:
        """Wait until so many sessions are over, and there are no others; oldest first."""
        self.wait_until(lambda: sum(each.state.is_final for each in self.sessions()) >= count)
        found = self.sessions()
        assert len(found) == count
        return [self.load(each.id) for each in found]


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Served]:
    """An application that runs, without a network. `options`: those of `Served`."""
    served = Served(folder, **options)
    with served.app:
        served.app.start()
        yield served


@contextmanager
def listening(served: Served) -> Iterator[httpx.Client]:
    """Open the public doors; a client whose paths begin at the server's."""
    app = served.app
    routes = [*app.ingress.routes(), *app.service_events.doors.routes(), *app.oauth_pages.routes()]
    config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()  # from here on, and not only when the server is ready: what comes early waits in its queue
    thread = threading.Thread(target=lambda: server.run(sockets=[socket]), daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{socket.getsockname()[1]}", timeout=PATIENCE_S) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
