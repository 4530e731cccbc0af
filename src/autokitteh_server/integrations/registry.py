"""The integrations by name. Each is a folder of this package, and is loaded when it is asked for."""

from functools import cache
from importlib import import_module

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.spec import Integration


@cache
def load_integration(name: str) -> Integration:
    """The integration of this name, which is one of `INTEGRATIONS`. Raises LookupError."""
    if name not in INTEGRATIONS:
        raise LookupError(f"there is no integration {name}")
    spec = import_module(f"autokitteh_server.integrations.{name}.spec").SPEC
    assert isinstance(spec, Integration)
    return spec


def all_integrations() -> tuple[Integration, ...]:
    """All there are, by name."""
    return tuple(load_integration(name) for name in sorted(INTEGRATIONS))
