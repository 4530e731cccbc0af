"""A server's API as functions, by noun."""

from typing import Self

from autokitteh_server.client.builds import Builds, Deployments
from autokitteh_server.client.discovery import Address
from autokitteh_server.client.environments import EnvironmentsOfServer
from autokitteh_server.client.events import Events
from autokitteh_server.client.parts import Connections, Triggers, Vars
from autokitteh_server.client.projects import Projects, Stored
from autokitteh_server.client.secrets import Secrets
from autokitteh_server.client.sessions import Sessions
from autokitteh_server.client.tokens import Tokens
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.version import Version


class Client:
    """A server, from outside. Use it in a `with` statement.

    All functions raise the server's errors, and FailedPrecondition if there is no server.
    """

    def __init__(self, address: Address) -> None:
        self._transport = Transport(address)
        self.projects = Projects(self._transport)
        self.connections = Connections(self._transport)
        self.triggers = Triggers(self._transport)
        self.vars = Vars(self._transport)
        self.builds = Builds(self._transport)
        self.deployments = Deployments(self._transport)
        self.environments = EnvironmentsOfServer(self._transport)
        self.events = Events(self._transport)
        self.stored = Stored(self._transport)
        self.sessions = Sessions(self._transport)
        self.tokens = Tokens(self._transport)
        self.secrets = Secrets(self._transport)

    def version(self) -> Version:
        """What the server is."""
        return self._transport.get("/version", Version)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
