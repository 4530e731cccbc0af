"""Python environments, and what is in force on this machine."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.environments import (
    Environment,
    Environments,
    Examination,
    Protection,
    Removed,
    Warm,
    Warmed,
)
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.operations import environments


def list_(ctx: Context) -> Environments:
    """All environments, those used last first."""
    found = environments.list_used(ctx.services)
    return Environments(
        environments=[
            Environment(id=each.id, packages=each.packages, size_bytes=each.size_bytes, is_used=is_used)
            for each, is_used in found
        ]
    )


def warm(ctx: Context, *, body: Warm) -> Warmed:
    """Install what the active build of a project needs, if it is not there, and start what its sessions come from."""
    return Warmed(lines=list(environments.warm(ctx.services, body.project)))


def collect(ctx: Context) -> Removed:
    """Remove the environments that no build has."""
    gone = environments.collect(ctx.services)
    return Removed(
        environments=[
            Environment(id=each.id, packages=each.packages, size_bytes=each.size_bytes, is_used=False) for each in gone
        ]
    )


def examine(ctx: Context) -> Examination:
    """What keeps sessions from the server and from one another on this machine."""
    return Examination(protections=list(map(Protection.of, ctx.services.examine())))


ROUTES = (
    Route("GET", "/environments", Scope.READ, list_, "List environments"),
    Route("POST", "/environments/warm", Scope.WRITE, warm, "Make a project's sessions ready to start"),
    Route("POST", "/environments/collect", Scope.WRITE, collect, "Remove environments that no build has"),
    Route("GET", "/doctor", Scope.READ, examine, "Say what keeps sessions apart"),
)
