"""The addresses that somebody has to enter at a service, so that it sends a connection's events."""

from collections.abc import Mapping
from string import Formatter

from autokitteh_server.integrations.forms import auth_in_use
from autokitteh_server.integrations.registry import load_integration


def addresses_of(integration: str, variables: Mapping[str, str], public_url: str) -> tuple[str, ...]:
    """The addresses for a connection; none where the server tells the service itself, or an app's owner does.

    An address with a variable in it that the connection does not have yet is left out. Raises LookupError for an
    unknown integration.

    - `variables`: the connection's, and its id as `connection_id`.
    - `public_url`: under which services reach the server, without a slash at the end; "": they do not.
    """
    auth = auth_in_use(load_integration(integration), variables)
    if auth is None or not public_url:
        return ()
    known = [hook for hook in auth.hooks if all(variables.get(name) for name in names_in(hook))]
    return tuple(f"{public_url}/{hook.format_map(variables)}" for hook in known)


def names_in(hook: str) -> tuple[str, ...]:
    """The variables that are in a path: those in braces."""
    return tuple(name for _, name, _, _ in Formatter().parse(hook) if name is not None)
