"""Paths of the API with names in them."""

from urllib.parse import quote

from autokitteh_server.core.errors import InvalidArgument


def path_of(template: str, *names: str) -> str:
    """A path with names in the places of `{}`. Raises InvalidArgument for an empty name."""
    for name in names:
        if not name or name in (".", ".."):
            raise InvalidArgument(f"{name!r} is no name", "Give the name or the id of what you mean.")
    return template.format(*(quote(name, safe="") for name in names))
