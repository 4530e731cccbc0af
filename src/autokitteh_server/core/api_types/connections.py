"""Connections and integrations as the HTTP API shows them."""

from typing import Self

from msgspec import Struct

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.sessions import Which
from autokitteh_server.core.api_types.values import Moment, PageQuery
from autokitteh_server.core.timestamps import format_time


class Connection(Struct, frozen=True, kw_only=True):
    """Named credentials for one integration, in a project."""

    id: str
    project_id: str
    name: str
    integration: str
    is_declared: bool  # by a manifest, which may remove it
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, connection: entities.Connection) -> Self:
        return cls(
            id=connection.id,
            project_id=connection.project_id,
            name=connection.name,
            integration=connection.integration,
            is_declared=connection.is_declared,
            created_at=format_time(connection.created_at),
            updated_at=format_time(connection.updated_at),
        )


class CreateConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection that is wanted."""

    project: Which
    name: str
    integration: str


class OfProject(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which project things are wanted; of all, if none is given."""

    project: Which = ""


class InProject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The project in which something has its name. An id needs none."""

    project: Which = ""


class Integration(Struct, frozen=True, kw_only=True):
    """A service that connections can be made to."""

    name: str
