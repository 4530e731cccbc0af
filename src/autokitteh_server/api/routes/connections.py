"""Connections, and what they can be made to."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.api.routes.naming import qualified
from autokitteh_server.core.api_types.connections import (
    Connection,
    CreateConnection,
    InProject,
    Integration,
    OfProject,
)
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, PageQuery
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.operations import connections


def list_(ctx: Context, *, query: OfProject) -> Page[Connection]:
    """Connections, by project and name."""
    found = connections.list_all(ctx.services, query.project)
    return cut_page(query, found, place=lambda each: f"{each.project_id} {each.name}", show=Connection.of)


def create(ctx: Context, *, body: CreateConnection) -> Connection:
    """Make a connection, without credentials."""
    return Connection.of(connections.create(ctx.services, body.project, body.name, body.integration))


def get(ctx: Context, *, connection: str, query: InProject) -> Connection:
    """A connection by its id, or by its name in a project."""
    return Connection.of(connections.get(ctx.services, qualified(query.project, connection)))


def delete(ctx: Context, *, connection: str, query: InProject) -> None:
    """Delete a connection with its vars. No trigger may use it."""
    connections.delete(ctx.services, qualified(query.project, connection))


def list_integrations(ctx: Context, *, query: PageQuery) -> Page[Integration]:
    """What connections can be made to, by name."""
    return cut_page(query, sorted(INTEGRATIONS), place=str, show=lambda name: Integration(name=name))


ROUTES = (
    Route("GET", "/connections", Scope.READ, list_, "List connections"),
    Route("POST", "/connections", Scope.WRITE, create, "Make a connection", status=201),
    Route("GET", "/connections/{connection}", Scope.READ, get, "Get a connection"),
    Route("DELETE", "/connections/{connection}", Scope.WRITE, delete, "Delete a connection"),
    Route("GET", "/integrations", Scope.READ, list_integrations, "List integrations"),
)
