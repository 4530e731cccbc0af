"""Tokens, from outside."""

from collections.abc import Iterator

from autokitteh_server.client.pages import read_pages
from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.tokens import CreateToken, NewToken, Token
from autokitteh_server.core.api_types.values import Page, PageQuery


class Tokens:
    """What a server does with tokens."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: PageQuery | None = None) -> Page[Token]:
        return self._transport.get("/tokens", Page[Token], query)

    def list(self, limit: int) -> Iterator[Token]:
        """Oldest first, page after page."""
        return read_pages(self.page, PageQuery(), limit)

    def create(self, wanted: CreateToken) -> NewToken:
        return self._transport.post("/tokens", NewToken, wanted)

    def revoke(self, token: str) -> None:
        self._transport.delete(path_of("/tokens/{}", token))
