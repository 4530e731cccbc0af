"""What people call the things that the API names by their ids."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol

from autokitteh_server.core.errors import NotFound

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

#: The name for an id; the id itself for one that is gone.
NameOf = Callable[[str], str]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def names_by(get: Callable[[str], _Named]) -> NameOf:
    """The names of what `get` finds by its id. Each is asked for once."""

    @cache
    def name_of(thing_id: str) -> str:
        try:
            return get(thing_id).name
        except NotFound:
            return thing_id

    return name_of


def project_names(client: "Client") -> NameOf:
    """The names of a server's projects."""
    return names_by(client.projects.get)


def connection_names(client: "Client") -> NameOf:
    """The names of a server's connections."""
    return names_by(client.connections.get)


def with_id(name_of: NameOf, thing_id: str | None) -> str:
    """The name, with the id behind it for those who need that; "" for no id."""
    return f"{name_of(thing_id)} ({thing_id})" if thing_id else ""
