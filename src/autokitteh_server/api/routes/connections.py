"""Connections, their credentials, and how they stand."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.api.routes.naming import qualified
from autokitteh_server.core.api_types.connections import (
    BeginOAuth,
    Connection,
    ConnectionEvents,
    ConnectionStatus,
    CreateConnection,
    InitConnection,
    Initialized,
    InProject,
    OAuthLink,
    OfProject,
)
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page
from autokitteh_server.core.timestamps import format_time
from autokitteh_server.operations import connecting, connections, oauth
from autokitteh_server.operations.connecting import Standing


def list_(ctx: Context, *, query: OfProject) -> Page[Connection]:
    """Connections, by project and name, and how each stands."""
    found = connections.list_all(ctx.services, query.project)
    page = cut_page(query, found, place=lambda each: f"{each.project_id} {each.name}", show=lambda each: each)
    return Page(items=[_shown(each) for each in connecting.look(ctx.services, page.items)], next=page.next)


def create(ctx: Context, *, body: CreateConnection) -> Connection:
    """Make a connection, without credentials."""
    made = connections.create(ctx.services, body.project, body.name, body.integration)
    return _shown(connecting.get(ctx.services, made.id))


def get(ctx: Context, *, connection: str, query: InProject) -> Connection:
    """A connection by its id, or by its name in a project."""
    return _shown(connecting.get(ctx.services, qualified(query.project, connection)))


def delete(ctx: Context, *, connection: str, query: InProject) -> None:
    """Delete a connection with its vars. No trigger may use it."""
    connections.delete(ctx.services, qualified(query.project, connection))


def init(ctx: Context, *, connection: str, query: InProject, body: InitConnection) -> Initialized:
    """Give a connection its credentials, and try them with one live call."""
    which = qualified(query.project, connection)
    made = connecting.initialize(ctx.services, which, body.auth_type, body.values)
    return Initialized(connection=_shown(made.standing), authorize_url=made.authorize_url)


def test(ctx: Context, *, connection: str, query: InProject) -> Connection:
    """Try a connection with one live call. Whatever comes of it is its status, and no error of this request."""
    return _shown(connecting.test(ctx.services, qualified(query.project, connection)))


def _shown(standing: Standing) -> Connection:
    checked_at = standing.checked_at
    status = ConnectionStatus(
        code=standing.status.code,
        message=standing.status.message,
        remedy=standing.status.remedy,
        checked_at=None if checked_at is None else format_time(checked_at),
    )
    return Connection.of(standing.connection, standing.auth_type, status, _events(standing))


def _events(standing: Standing) -> ConnectionEvents | None:
    found = standing.events
    if found is None:
        return None
    return ConnectionEvents(
        state=found.state,
        message=found.message,
        since=None if found.since is None else format_time(found.since),
        addresses=list(found.addresses),
    )


def begin_oauth(ctx: Context, *, connection: str, query: InProject, body: BeginOAuth) -> OAuthLink:
    """Make a link with which a browser can let a connection use an account, once and within ten minutes."""
    begun = oauth.begin(ctx.services, qualified(query.project, connection), body.auth_type)
    return OAuthLink(url=begun.url, expires_at=format_time(begun.expires_at))


ROUTES = (
    Route("GET", "/connections", Scope.READ, list_, "List connections"),
    Route("POST", "/connections", Scope.WRITE, create, "Make a connection", status=201),
    Route("GET", "/connections/{connection}", Scope.READ, get, "Get a connection"),
    Route("DELETE", "/connections/{connection}", Scope.WRITE, delete, "Delete a connection"),
    Route("POST", "/connections/{connection}/init", Scope.WRITE, init, "Give a connection its credentials"),
    Route("POST", "/connections/{connection}/test", Scope.WRITE, test, "Try a connection"),
    Route("POST", "/connections/{connection}/oauth", Scope.WRITE, begin_oauth, "Begin to connect with OAuth"),
)
