"""GitHub: the client library PyGithub, with the credentials of a connection."""

import os
import time
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from autokitteh.connections import (
    check_connection_name,
    encode_jwt,
    missing_package,
    read_variable,
    require_variable,
)

if TYPE_CHECKING:
    from github import Auth, Github

    class AppAuth(Auth.AppAuth):
        """See `_auth_classes`."""

        def __init__(self, app_id: int | str, connection: str) -> None: ...


READS = ("pat", "app_id", "install_id", "private_key", "enterprise_url", "base_url")

_REQUIREMENT = "PyGithub ~= 2.6"

#: Seconds around now for which an app's token is good. GitHub's clock may be behind, and allows ten minutes.
_BEFORE_S, _AFTER_S = 60, 300


def github_client(connection: str, **kwargs: Any) -> "Github":
    """PyGithub's client, `github.Github`, for a connection of the project.

    - `kwargs`: arguments for `Github`.

    With a personal access token it acts as that user; else as the installation of a GitHub app, whose tokens it gets
    by itself, each when the last one expires, so the client can be made at module level.

    The API is that of the connection's variable `enterprise_url`, or of the project's GITHUB_ENTERPRISE_URL, if they
    are set. `base_url`, if there is one, is where the API is instead: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, and if the app's ids are no numbers; ConnectionInitError if
    it has neither a token nor an installation; ImportError if `PyGithub` is not installed.
    """
    check_connection_name(connection)
    try:
        from github import Github
    except ImportError as error:
        raise missing_package("github_client", _REQUIREMENT) from error

    if api := _api(connection):
        kwargs.setdefault("base_url", api)
    return Github(auth=_auth(connection), **kwargs)


def _api(connection: str) -> str:
    """Where the API is, "" for GitHub's own."""
    if base_url := read_variable(connection, "base_url"):
        return base_url.rstrip("/")
    enterprise = read_variable(connection, "enterprise_url") or os.environ.get("GITHUB_ENTERPRISE_URL", "")
    return f"{enterprise.rstrip('/')}/api/v3" if enterprise else ""


def _auth(connection: str) -> "Auth.Auth":
    """What PyGithub's objects have in them, and what is left of it when they are recorded: no token."""
    classes = _auth_classes()
    auth: Any
    if token := read_variable(connection, "pat"):
        auth = classes.Token(token)
    else:
        app = _app(connection)
        auth = classes.AppInstallationAuth(app, _number(connection, "install_id"))
    auth.connection = connection
    return cast("Auth.Auth", auth)


def _app(connection: str) -> "Auth.AppAuth":
    app_id = str(_number(connection, "app_id"))  # what it is in a token's "iss"
    require_variable(connection, "install_id")
    private_key = read_variable(connection, "private_key")
    app: Any
    if not private_key:
        app = _auth_classes().AppAuth(app_id, connection)
    else:
        # A key that was put on one line has its ends of lines written out.
        app = _auth_classes().KeyAppAuth(app_id, private_key.replace("\\n", "\n"))
        app.connection = connection
    return cast("Auth.AppAuth", app)


def _number(connection: str, name: str) -> int:
    value = require_variable(connection, name)
    try:
        return int(value)
    except ValueError as error:
        raise ValueError(f"{connection}__{name} is no number: {value!r}") from error


@cache
def _auth_classes() -> Any:
    try:
        from github import Auth
    except ImportError as error:
        raise missing_package("AppAuth", _REQUIREMENT) from error

    class Token(Auth.Token):
        connection = ""

        def __reduce__(self) -> Any:
            return _auth, (self.connection,)

    class AppInstallationAuth(Auth.AppInstallationAuth):
        connection = ""

        def __reduce__(self) -> Any:
            secrets = ("_app_auth", "_AppInstallationAuth__installation_authorization")
            return _auth, (self.connection,), {name: vars(self)[name] for name in vars(self) if name not in secrets}

    class KeyAppAuth(Auth.AppAuth):
        connection = ""

        def __reduce__(self) -> Any:
            return _app, (self.connection,)

    class AppAuth(Auth.AppAuth):
        """A GitHub app whose key only the server has: the server signs."""

        def __init__(self, app_id: int | str, connection: str) -> None:
            super().__init__(app_id, "the server's")
            self.connection = connection

        def create_jwt(self, expiration: int | None = None) -> str:
            now = int(time.time())
            times = {"iat": now - _BEFORE_S, "exp": now + (expiration or _AFTER_S)}
            return encode_jwt({**times, "iss": self.app_id}, self.connection, "RS256")

        def __reduce__(self) -> Any:
            return AppAuth, (self.app_id, self.connection)

    AppAuth.__qualname__ = "AppAuth"
    return SimpleNamespace(Token=Token, AppInstallationAuth=AppInstallationAuth, KeyAppAuth=KeyAppAuth, AppAuth=AppAuth)


def __getattr__(name: str) -> Any:
    """`AppAuth`, which is made when it is first asked for: its base is PyGithub's."""
    if name == "AppAuth":
        return _auth_classes().AppAuth
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
