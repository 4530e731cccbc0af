"""Who the server is to a service: the app that was registered there, the server's own or the connection's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from autokitteh_server.accounts.errors import NotConnected
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.spec import AuthType, OAuth2

#: Variables of private apps, the newer spelling first.
CLIENT_ID: Final = ("private_client_id", "client_id")
CLIENT_SECRET: Final = ("private_client_secret", "client_secret")

#: `{variable}`, or `{variable|what to take if there is none}`.
_VARIABLE: Final = re.compile(r"\{(\w+)(?:\|([^{}|]+))?\}")

#: What must not be in a value that becomes a part of a URL: it would make another URL of it.
_UNFIT: Final = re.compile(r"[\s@?#\\{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a service knows the server by."""

    client_id: str
    client_secret: str = ""  # "": it has none, and shows by PKCE that it is who began

    def __repr__(self) -> str:
        return f"App(client_id={self.client_id!r})"


class Apps:
    """Finds apps: those of the server in its environment, private ones in connections' variables."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def find(self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str]) -> App:
        """The app of a connection. Raises NotConnected if there is none."""
        if is_private(auth) or not oauth.app:
            client_id = first(variables, CLIENT_ID)
            if not client_id:
                raise NotConnected("the connection has no client id of its app", "Say `ak connection init`.")
            return App(client_id=client_id, client_secret=first(variables, CLIENT_SECRET))
        client_id = self.value(oauth, "client_id")
        if not client_id:
            name = f"{oauth.app}_CLIENT_ID"
            raise NotConnected(
                f"this server has no app of its own at the service: {name} is not set",
                f"Start the server with {name} and {oauth.app}_CLIENT_SECRET, or use a private app.",
            )
        secret = self.value(oauth, "client_secret")
        masker.add(secret)
        return App(client_id=client_id, client_secret=secret)

    def value(self, oauth: OAuth2, name: str, variables: Mapping[str, str] | None = None) -> str:
        """What the environment says of the server's app, APP_NAME, else a variable of the connection; else ""."""
        # The connection may have variables of another app yet, with which it was connected before.
        ours = self.environ.get(f"{oauth.app}_{name.upper()}", "") if oauth.app else ""
        return ours or (variables or {}).get(name, "")

    def fill(self, text: str, oauth: OAuth2, variables: Mapping[str, str]) -> str:
        """A text with the connection's variables in it. Raises NotConnected if one is missing or makes no sense."""

        def value_of(found: re.Match[str]) -> str:
            value = self.value(oauth, found[1], variables).rstrip("/") or found[2]
            if not value:
                raise NotConnected(f"the connection has no {found[1]}", "Say `ak connection init`.")
            if _UNFIT.search(value):
                raise NotConnected(f"the connection's {found[1]} cannot be part of a URL", "Set it again.")
            # People copy hosts with what stands before them.
            return value.partition("://")[2] or value if text[: found.start()].endswith("://") else value

        return _VARIABLE.sub(value_of, text)

    def fill_url(self, text: str, oauth: OAuth2, variables: Mapping[str, str]) -> str:
        """The same for a URL. Raises NotConnected also if it is none."""
        url = self.fill(text, oauth, variables)
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotConnected("the connection's variables make no URL of the service", "Say `ak connection init`.")
        return url


def is_private(auth: AuthType) -> bool:
    """Whether whoever makes a connection brings an app."""
    return any(each.kept_in in CLIENT_ID for each in auth.fields)


def first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of these variables that is set; "" if none is."""
    return next((variables[name] for name in names if variables.get(name)), "")
