"""Python environments, from outside."""

from collections.abc import Sequence

from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.environments import (
    Environment,
    Environments,
    Examination,
    Protection,
    Removed,
    Warm,
    Warmed,
)


class EnvironmentsOfServer:
    """What a server does with environments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Sequence[Environment]:
        return self._transport.get("/environments", Environments).environments

    def warm(self, project: str) -> Sequence[str]:
        return self._transport.post("/environments/warm", Warmed, Warm(project=project)).lines

    def collect(self) -> Sequence[Environment]:
        return self._transport.post("/environments/collect", Removed).environments

    def examine(self) -> Sequence[Protection]:
        return self._transport.get("/doctor", Examination).protections
