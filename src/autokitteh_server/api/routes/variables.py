"""Vars of projects and connections."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page
from autokitteh_server.core.api_types.variables import OneVar, OwnedBy, SetVar, Var, VarQuery
from autokitteh_server.core.timestamps import format_time
from autokitteh_server.operations import variables
from autokitteh_server.operations.variables import ShownVar


def list_(ctx: Context, *, query: VarQuery) -> Page[Var]:
    """The vars of a project or a connection, by name."""
    _check_reveal(ctx, query.reveal)
    found = variables.list_all(ctx.services, query.owner, reveal=query.reveal)
    return cut_page(query, found, place=lambda var: var.name, show=_shown)


def get(ctx: Context, *, var: str, query: OneVar) -> Var:
    """A var. The value of a secret one is shown to who may see secrets, and asks for it."""
    _check_reveal(ctx, query.reveal)
    return _shown(variables.get(ctx.services, query.owner, var, reveal=query.reveal))


def put(ctx: Context, *, var: str, query: OwnedBy, body: SetVar) -> Var:
    """Set a var. A secret one stays secret unless it is said not to be."""
    is_secret, description = body.is_secret, body.description
    return _shown(
        variables.set_value(ctx.services, query.owner, var, body.value, is_secret=is_secret, description=description)
    )


def delete(ctx: Context, *, var: str, query: OwnedBy) -> None:
    """Delete a var."""
    variables.delete(ctx.services, query.owner, var)


def _check_reveal(ctx: Context, reveal: bool) -> None:
    if reveal:
        ctx.require(Scope.SECRETS, "seeing secret values")


def _shown(var: ShownVar) -> Var:
    return Var(
        owner_id=var.owner_id,
        name=var.name,
        value=var.value,
        is_secret=var.is_secret,
        is_declared=var.is_declared,
        description=var.description,
        updated_at=format_time(var.updated_at),
    )


ROUTES = (
    Route("GET", "/vars", Scope.READ, list_, "List vars"),
    Route("GET", "/vars/{var}", Scope.READ, get, "Get a var"),
    Route("PUT", "/vars/{var}", Scope.WRITE, put, "Set a var"),
    Route("DELETE", "/vars/{var}", Scope.WRITE, delete, "Delete a var"),
)
