"""The HTTP application: the table of all routes, and what stands in front of it."""

from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import Lifespan

from autokitteh_server.api.context import Surface
from autokitteh_server.api.endpoint import Endpoint
from autokitteh_server.api.guard import AllowedHosts, Guard
from autokitteh_server.api.log_hub import LogHub
from autokitteh_server.api.openapi import make_document
from autokitteh_server.api.refusals import JSON, NotReady, Unexpected, error_response, refuse_unknown, unavailable
from autokitteh_server.api.route import PREFIX, Route
from autokitteh_server.api.routes import (
    builds,
    connections,
    deploying,
    deployments,
    environments,
    events,
    integrations,
    projects,
    secrets,
    sessions,
    stored,
    tokens,
    triggers,
    variables,
    version,
)
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.instruments import Instruments, NoInstruments
from autokitteh_server.operations.health import check_database
from autokitteh_server.operations.services import Services

#: Everything below PREFIX.
ROUTES: tuple[Route, ...] = (
    *deploying.ROUTES,
    *projects.ROUTES,
    *connections.ROUTES,
    *integrations.ROUTES,
    *triggers.ROUTES,
    *variables.ROUTES,
    *builds.ROUTES,
    *deployments.ROUTES,
    *environments.ROUTES,
    *events.ROUTES,
    *sessions.ROUTES,
    *stored.ROUTES,
    *tokens.ROUTES,
    *secrets.ROUTES,
    *version.ROUTES,
)

#: Requests of which handlers are at work at once; others wait.
_THREADS = 32

#: Paths for callers from anywhere: what they may do there is up to the routes.
OPEN_PATHS = ("/webhooks/", "/store/", "/health", "/ready")


def make_app(
    services: Services,
    *,
    hub: LogHub,
    hosts: AllowedHosts,
    extra_routes: Sequence[BaseRoute] = (),
    open_paths: Iterable[str] = OPEN_PATHS,
    is_ready: Callable[[], bool] = lambda: True,
    instruments: Instruments | None = None,
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """The application.

    `hub` is to be the engine's listener. `extra_routes` are mounted as they are, outside of the API. Requests to
    `open_paths`, which begin so, are let in whatever host and origin they name. `is_ready`: whether the engine runs.
    """
    surface = Surface(services=services, hub=hub, instruments=instruments or NoInstruments())
    unexpected = Unexpected(services.new_slug)
    limiter = CapacityLimiter(_THREADS)
    prefixes = tuple(open_paths)
    app = Starlette(
        routes=[
            *_api_routes(surface, limiter, unexpected),
            StarletteRoute(f"{PREFIX}/openapi.json", _document_endpoint(), methods=["GET"]),
            StarletteRoute("/health", _alive, methods=["GET"]),
            StarletteRoute("/ready", _readiness(services, is_ready, limiter), methods=["GET"]),
            *extra_routes,
        ],
        exception_handlers={HTTPException: refuse_unknown, Exception: unexpected},
        middleware=[Middleware(Guard, hosts=hosts, is_open=lambda path: path.startswith(prefixes))],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a POST would become two requests, and each name two paths
    return app


def _api_routes(surface: Surface, limiter: CapacityLimiter, unexpected: Unexpected) -> list[BaseRoute]:
    by_path: dict[str, list[Route]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, []).append(route)
    endpoints = {path: Endpoint(surface, routes, limiter, unexpected) for path, routes in by_path.items()}
    return [
        StarletteRoute(PREFIX + path, endpoint.respond, methods=endpoint.methods)
        for path, endpoint in endpoints.items()
    ]


def make_openapi() -> dict[str, Any]:
    """The API's description."""
    return make_document(ROUTES, PREFIX, metadata.version("autokitteh"))


def _document_endpoint() -> Callable[[Request], Any]:
    document: list[bytes] = []

    async def describe(request: Request) -> Response:
        if not document:  # at the first request: a start need not wait for it
            document.append(msgspec.json.encode(make_openapi()))
        return Response(document[0], media_type=JSON)

    return describe


async def _alive(request: Request) -> Response:
    return Response(b'{"status":"ok"}', media_type=JSON)


def _readiness(services: Services, is_ready: Callable[[], bool], limiter: CapacityLimiter) -> Callable[[Request], Any]:
    async def readiness(request: Request) -> Response:
        try:
            await to_thread.run_sync(check_database, services, limiter=limiter)
        except ServerError as error:
            return error_response(unavailable(error))
        if not is_ready():
            return error_response(NotReady("the engine does not run", "Wait: it is starting or stopping."))
        return Response(b'{"status":"ready"}', media_type=JSON)

    return readiness
