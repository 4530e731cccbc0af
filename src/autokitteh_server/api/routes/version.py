"""What is running here."""

import platform
from importlib import metadata

from autokitteh_server.api.context import Context
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.version import Version


def get(ctx: Context) -> Version:
    """The server's version, and that of its Python."""
    return Version(version=metadata.version("autokitteh"), python=platform.python_version())


ROUTES = (Route("GET", "/version", Scope.READ, get, "Get the server's version"),)
