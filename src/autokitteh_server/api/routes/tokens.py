"""Tokens."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.tokens import CreateToken, NewToken, Scope, Token
from autokitteh_server.core.api_types.values import Page, PageQuery
from autokitteh_server.core.timestamps import parse_time
from autokitteh_server.operations import tokens


def list_(ctx: Context, *, query: PageQuery) -> Page[Token]:
    """Tokens, oldest first, without their secrets."""
    return cut_page(query, tokens.list_all(ctx.services), place=lambda token: token.id, show=Token.of)


def create(ctx: Context, *, body: CreateToken) -> NewToken:
    """Make a token. Its secret is in this answer and nowhere else."""
    expires_at = None if body.expires_at is None else parse_time(body.expires_at)
    token, secret = tokens.create(ctx.services, body.name, body.scopes, expires_at)
    return NewToken(token=Token.of(token), secret=secret)


def revoke(ctx: Context, *, token: str) -> None:
    """Have a token be good for nothing from now on. The last one that can make others stays."""
    tokens.revoke(ctx.services, token)


ROUTES = (
    Route("GET", "/tokens", Scope.ADMIN, list_, "List tokens"),
    Route("POST", "/tokens", Scope.ADMIN, create, "Make a token", status=201),
    Route("DELETE", "/tokens/{token}", Scope.ADMIN, revoke, "Revoke a token"),
)
