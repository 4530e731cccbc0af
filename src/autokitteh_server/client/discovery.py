"""Where the server is, and with which token to ask it: as given, or as the server of a data folder has noted."""

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, Unauthenticated
from autokitteh_server.core.server_note import SERVER_FILE, TOKEN_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server, and a way in."""

    url: str
    token: str  # "": none is known

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.url)


def find_server(data_dir: Path, url: str = "", token: str = "") -> Address:
    """The server that is meant: the one given, or the one of the data folder.

    Raises FailedPrecondition if none is given and none runs there, InvalidArgument for what is no URL, and
    Unauthenticated for what cannot be a token.
    """
    found = _checked(url) if url else noted_url(data_dir)
    if found is None:
        raise FailedPrecondition(
            f"no server is running on the data folder {data_dir}",
            "Start one with `ak up`, or name one with --server or AK_SERVER_URL.",
        )
    if not (token.isascii() and token.isprintable()):
        raise Unauthenticated("the token has characters that no token has", "Look at --token or AK_TOKEN.")
    # The folder's token is for the folder's server: nobody else shall get it.
    return Address(url=found, token=token or (_read_token(data_dir) if is_loopback(found) else ""))


def noted_url(data_dir: Path) -> str | None:
    """The URL of the server that runs on a data folder, as far as its note says."""
    try:
        note = json.loads((data_dir / SERVER_FILE).read_bytes())
        return str(note["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_token(data_dir: Path) -> str:
    try:
        return (data_dir / TOKEN_FILE).read_text().strip()
    except OSError:
        return ""


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgument(f"{url!r} is no URL of a server", "Write it like http://127.0.0.1:9980.")
    return url.rstrip("/")
