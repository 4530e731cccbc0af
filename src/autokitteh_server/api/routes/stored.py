"""A project's stored values."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.stored import OneKey, SetValue, StoredKey, StoredValue
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, PageQuery, raw, value_of
from autokitteh_server.operations import stored_values


def list_(ctx: Context, *, project: str, query: PageQuery) -> Page[StoredKey]:
    """The keys under which a project has values, sorted."""
    found = stored_values.list_keys(ctx.services, project)
    return cut_page(query, found, place=str, show=lambda key: StoredKey(key=key))


def get(ctx: Context, *, project: str, query: OneKey) -> StoredValue:
    """A stored value."""
    return StoredValue(key=query.key, value=raw(stored_values.get(ctx.services, project, query.key)))


def put(ctx: Context, *, project: str, query: OneKey, body: SetValue) -> StoredValue:
    """Store a value, in place of the one that is there."""
    value = value_of(body.value, "value")
    stored_values.put(ctx.services, project, query.key, value)
    return StoredValue(key=query.key, value=raw(value))


def delete(ctx: Context, *, project: str, query: OneKey) -> None:
    """Delete a stored value."""
    stored_values.delete(ctx.services, project, query.key)


ROUTES = (
    Route("GET", "/projects/{project}/store", Scope.READ, list_, "List stored values"),
    Route("GET", "/projects/{project}/store/value", Scope.READ, get, "Get a stored value"),
    Route("PUT", "/projects/{project}/store/value", Scope.WRITE, put, "Store a value"),
    Route("DELETE", "/projects/{project}/store/value", Scope.WRITE, delete, "Delete a stored value"),
)
