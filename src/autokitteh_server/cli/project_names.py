"""What people call the things that the API names by their ids."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from autokitteh_server.core.api_types.connections import OfProject

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

#: The name for an id; the id itself for one that is gone.
NameOf = Callable[[str], str]

#: So many are asked for at most.
_MANY = 10_000


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def names_of(things: Iterable[_Named]) -> NameOf:
    """The names of these."""
    found = {each.id: each.name for each in things}
    return lambda thing_id: found.get(thing_id, thing_id)


def project_names(client: "Client") -> NameOf:
    """The names of a server's projects."""
    return names_of(client.projects.list(_MANY))


def connection_names(client: "Client") -> NameOf:
    """The names of a server's connections."""
    return names_of(client.connections.list(OfProject(), _MANY))


def with_id(name_of: NameOf, thing_id: str | None) -> str:
    """The name, with the id behind it for those who need that; "" for no id."""
    return f"{name_of(thing_id)} ({thing_id})" if thing_id else ""
