"""What is running."""

from msgspec import Struct


class Version(Struct, frozen=True, kw_only=True):
    """Versions of a server."""

    version: str
    python: str
