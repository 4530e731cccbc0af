"""One line of the table of routes. From it come the route itself, and its part of the OpenAPI document.

A handler is a plain function of a `Context` and, by keyword, of what its parameters are called: `body` and `query`
are decoded into their types, all others are parts of the path. Its result is encoded; None gives 204.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from msgspec import Struct

from autokitteh_server.core.api_types.tokens import Scope

#: Where the API is. Another version of it would have another path.
PREFIX = "/api/v1"

#: Bytes of an ordinary body, and of one with a project's files.
SMALL = 1 << 20
LARGE = 64 << 20

Handler = Callable[..., Any]


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a handler takes and gives."""

    path: tuple[str, ...]
    query: type[Struct]
    body: Any  # a type; None: there is none
    response: Any  # a type; None: no content


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path, and what it does."""

    method: str
    path: str  # below PREFIX; parameters in braces
    scope: Scope  # that the caller's token must have
    handler: Handler
    summary: str
    status: int = 200
    body_bytes: int = SMALL  # at most

    @property
    def shape(self) -> Shape:
        return _shape(self.handler)

    @property
    def operation_id(self) -> str:
        """The route's name for programs that make clients: `sessions_start`."""
        module = self.handler.__module__.rpartition(".")[2]
        return f"{module}_{self.handler.__name__.rstrip('_')}"


@cache
def _shape(handler: Handler) -> Shape:
    hints = get_type_hints(handler)
    names = [name for name in inspect.signature(handler).parameters if name not in ("ctx", "body", "query")]
    response = hints.get("return")
    return Shape(
        path=tuple(names),
        query=hints.get("query", NoQuery),
        body=hints.get("body"),
        response=None if response is type(None) else response,
    )
