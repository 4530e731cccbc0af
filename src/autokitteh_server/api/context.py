"""What handlers of requests are given besides the request's own parts."""

from dataclasses import dataclass

from autokitteh_server.api.log_hub import LogHub
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.entities import Token
from autokitteh_server.core.errors import Forbidden
from autokitteh_server.core.instruments import Instruments
from autokitteh_server.operations.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What all requests share."""

    services: Services
    hub: LogHub
    instruments: Instruments

    @property
    def public_url(self) -> str:
        """Under which others reach the server."""
        return self.services.public_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request's."""

    surface: Surface
    caller: Token
    last_event_id: str = ""

    @property
    def services(self) -> Services:
        return self.surface.services

    def require(self, scope: Scope, what: str) -> None:
        """Raises Forbidden if the caller's token lacks a scope that `what` takes."""
        if scope.value not in self.caller.scopes:
            raise Forbidden(
                f"{what} takes a token with the scope {scope}, which {self.caller.name} lacks",
                f"Use a token with it: `ak token create NAME --scope {scope}`.",
            )
