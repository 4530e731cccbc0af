"""Paths of the API with names in them."""

from urllib.parse import quote

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import is_plain_text


def path_of(template: str, *names: str) -> str:
    """A path with names in the places of `{}`. Raises InvalidArgument for what nothing can be called."""
    for name in names:
        if not name or name in (".", "..") or not is_plain_text(name):
            raise InvalidArgument(f"{name!r} is no name", "Give the name or the id of what you mean.")
    return template.format(*(quote(name, safe="") for name in names))
