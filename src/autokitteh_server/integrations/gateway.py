"""Connections to services that are held open, over which events come: how one is kept, with a service's own client.

Each such service has a `gateway.py` with one `GATEWAY`. It runs in an event loop. There is one for each token, however
many connections have it and however many servers run.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from autokitteh_server.integrations.webhook import Found


class GatewayState(StrEnum):
    """How a gateway stands, for people."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"  # it was cut off, or could not be opened, and is tried again
    FAILED = "failed"  # somebody has to mend something


class Listener(Protocol):
    """Whom a gateway tells what comes. Everything is called in its event loop."""

    @property
    def place(self) -> str:
        """What `keep` was given last, if need be by another server; "": nothing."""
        ...

    async def variables(self, *, is_refused: bool = False) -> Mapping[str, str]:
        """The variables of one of the connections as they are now. A token that can be renewed is good for a while.

        `is_refused`: the service has not taken the last one. Raises GatewayRefused if somebody has to mend that, and
        ServerError if it may be better later.
        """
        ...

    async def deliver(self, events: Sequence[Found]) -> None:
        """Take what has come in one message. Returns once it is durable, and then the service may be told so.

        Raises ServerError if that cannot be now: the service is not told, and sends it again if it can.
        """
        ...

    def keep(self, place: str) -> None:
        """Note where to go on if this server dies: all that comes before it was delivered.

        It is stored a little later, so something may come twice after a crash. Its keys are the same then.
        """
        ...

    def stands(self, state: GatewayState, message: str) -> None:
        """Note how it stands; the message is for people, without anything secret."""
        ...


class GatewayRefused(Exception):
    """A service will not have us, whatever we do: the token is wrong. The text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """How a service's gateway is kept."""

    #: What there may be only one for, such as a secret token, or an account; "": a connection like this has no gateway.
    token: Callable[[Mapping[str, str]], str]
    #: Connects, and stays connected until it is cancelled: it comes back by itself, later and later, whatever happens.
    #: Gets the variables of one of the connections with the token. Raises GatewayRefused, and nothing else.
    run: Callable[[Mapping[str, str], Listener], Awaitable[None]]
    #: It asks its listener for a token whenever it needs one: it is not opened anew only because there is another one.
    asks_for_tokens: bool = False
