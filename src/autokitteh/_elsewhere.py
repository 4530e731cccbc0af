"""Sends the requests of a `requests` session to another host: a proxy, or a stand-in for a service.

For vendors' clients that know one address only, or code that names it.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Session


def send_elsewhere(session: "Session", base_url: str, *addresses: str) -> None:
    """Let what a session sends to one of these addresses go to `base_url`, the rest of the path unchanged.

    Nothing happens where `base_url` is "".
    """
    for address in addresses if base_url else ():
        session.mount(address, _adapter_class()(address, base_url.rstrip("/")))


@cache
def _adapter_class() -> Any:
    from requests.adapters import HTTPAdapter

    class Elsewhere(HTTPAdapter):
        __attrs__ = HTTPAdapter.__attrs__ + ["address", "base_url"]  # what is pickled

        def __init__(self, address: str, base_url: str) -> None:
            super().__init__()
            self.address = address
            self.base_url = base_url

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            if request.url.startswith(self.address):  # it may be sent a second time
                request.url = self.base_url + request.url.removeprefix(self.address)
            return super().send(request, *args, **kwargs)

    Elsewhere.__qualname__ = "Elsewhere"
    return Elsewhere


def __getattr__(name: str) -> Any:
    """The adapter's class, for pickle: sessions are recorded with their adapters."""
    if name == "Elsewhere":
        return _adapter_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
