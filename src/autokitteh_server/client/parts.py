"""The parts of projects, from outside: connections, triggers and vars.

Those that have names are named by id, or as PROJECT/NAME.
"""

from collections.abc import Iterator

from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.connections import (
    BeginOAuth,
    Connection,
    CreateConnection,
    EventSample,
    InitConnection,
    Initialized,
    InProject,
    Integration,
    IntegrationDetails,
    OAuthLink,
    OfProject,
)
from autokitteh_server.core.api_types.triggers import ChangeTrigger, CreateTrigger, Trigger
from autokitteh_server.core.api_types.values import Page, PageQuery
from autokitteh_server.core.api_types.variables import OneVar, OwnedBy, SetVar, Var, VarQuery


class Connections:
    """What a server does with connections."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: OfProject) -> Page[Connection]:
        return self._transport.get("/connections", Page[Connection], query)

    def list(self, query: OfProject, limit: int) -> Iterator[Connection]:
        """By project and name, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, connection: str) -> Connection:
        where, name = _split(connection)
        return self._transport.get(path_of("/connections/{}", name), Connection, where)

    def create(self, wanted: CreateConnection) -> Connection:
        return self._transport.post("/connections", Connection, wanted)

    def delete(self, connection: str) -> None:
        where, name = _split(connection)
        self._transport.delete(path_of("/connections/{}", name), where)

    def init(self, connection: str, wanted: InitConnection) -> Initialized:
        """Give it its credentials, and try them."""
        where, name = _split(connection)
        return self._transport.post(path_of("/connections/{}/init", name), Initialized, wanted, where)

    def test(self, connection: str) -> Connection:
        """Try it with one live call."""
        where, name = _split(connection)
        return self._transport.post(path_of("/connections/{}/test", name), Connection, query=where)

    def integration(self, name: str) -> IntegrationDetails:
        return self._transport.get(path_of("/integrations/{}", name), IntegrationDetails)

    def sample(self, integration: str, event_type: str) -> EventSample:
        return self._transport.get(path_of("/integrations/{}/samples/{}", integration, event_type), EventSample)

    def begin_oauth(self, connection: str, auth_type: str = "") -> OAuthLink:
        """Where a browser is to go, once and within ten minutes."""
        where, name = _split(connection)
        path = path_of("/connections/{}/oauth", name)
        return self._transport.post(path, OAuthLink, BeginOAuth(auth_type=auth_type), where)

    def integrations(self, limit: int) -> Iterator[Integration]:
        """What connections can be made to."""
        return read_pages(
            lambda query: self._transport.get("/integrations", Page[Integration], query), PageQuery(), limit
        )


class Triggers:
    """What a server does with triggers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: OfProject) -> Page[Trigger]:
        return self._transport.get("/triggers", Page[Trigger], query)

    def list(self, query: OfProject, limit: int) -> Iterator[Trigger]:
        """By project and name, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, trigger: str) -> Trigger:
        where, name = _split(trigger)
        return self._transport.get(path_of("/triggers/{}", name), Trigger, where)

    def create(self, wanted: CreateTrigger) -> Trigger:
        return self._transport.post("/triggers", Trigger, wanted)

    def update(self, trigger: str, changes: ChangeTrigger) -> Trigger:
        where, name = _split(trigger)
        return self._transport.patch(path_of("/triggers/{}", name), Trigger, changes, where)

    def delete(self, trigger: str) -> None:
        where, name = _split(trigger)
        self._transport.delete(path_of("/triggers/{}", name), where)

    def pause(self, trigger: str) -> Trigger:
        where, name = _split(trigger)
        return self._transport.post(path_of("/triggers/{}/pause", name), Trigger, query=where)

    def resume(self, trigger: str) -> Trigger:
        where, name = _split(trigger)
        return self._transport.post(path_of("/triggers/{}/resume", name), Trigger, query=where)


class Vars:
    """What a server does with vars."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: VarQuery) -> Page[Var]:
        return self._transport.get("/vars", Page[Var], query)

    def list(self, query: VarQuery, limit: int) -> Iterator[Var]:
        """By name, page after page."""
        return read_pages(self.page, query, limit)

    def get(self, name: str, query: OneVar) -> Var:
        return self._transport.get(path_of("/vars/{}", name), Var, query)

    def put(self, name: str, owner: str, wanted: SetVar) -> Var:
        return self._transport.put(path_of("/vars/{}", name), Var, wanted, OwnedBy(owner=owner))

    def delete(self, name: str, owner: str) -> None:
        self._transport.delete(path_of("/vars/{}", name), OwnedBy(owner=owner))


def _split(which: str) -> tuple[InProject, str]:
    project, slash, name = which.partition("/")
    return (InProject(project=project), name) if slash else (InProject(), which)
