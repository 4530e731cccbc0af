"""Tokens, from outside."""

from autokitteh_server.client.paths import path_of
from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.tokens import CreateToken, NewToken, Token
from autokitteh_server.core.api_types.values import Page


class Tokens:
    """What a server does with tokens."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Page[Token]:
        return self._transport.get("/tokens", Page[Token])

    def create(self, wanted: CreateToken) -> NewToken:
        return self._transport.post("/tokens", NewToken, wanted)

    def revoke(self, token: str) -> None:
        self._transport.delete(path_of("/tokens/{}", token))
