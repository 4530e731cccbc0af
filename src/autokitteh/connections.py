"""What code finds of its project's connections: their variables, and what the server does with their secrets.

Variable V of the connection `conn` is `conn__V` in the environment. The modules named after services make clients
from them.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from autokitteh import _runtime
from autokitteh._jsonable import check_json
from autokitteh._names import check_name
from autokitteh.errors import ConnectionInitError

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def check_connection_name(connection: str) -> str:
    """The name of a connection, if it can be one.

    Raises TypeError if it is no string, and ValueError if it does not consist of letters, digits and `_`, or begins
    with a digit.
    """
    if not _NAME.fullmatch(check_name(connection, "the name of a connection")):
        raise ValueError(f"{connection!r} is no name of a connection: letters, digits and _, and no digit first")
    return connection


def read_variable(connection: str, name: str) -> str:
    """A variable of a connection; "" if it has none of that name."""
    return os.environ.get(f"{connection}__{name}", "")


def read_first(connection: str, *names: str) -> str:
    """The first of these variables of a connection that is set; "" if none is."""
    return next((value for name in names if (value := read_variable(connection, name))), "")


def require_variable(connection: str, *names: str) -> str:
    """The first of these variables of a connection that is set. Raises ConnectionInitError if none is."""
    if value := read_first(connection, *names):
        return value
    raise ConnectionInitError(connection)


def refresh_oauth(integration: str, connection: str) -> tuple[str, datetime]:
    """A new access token of a connection, and when it expires: in UTC, without a time zone. The server fetches it.

    - `integration`: what kind of connection it is; for the reader, the server knows.

    Clients made by the helpers do this themselves. A token that never expires has `datetime.max`.

    Raises ValueError for what is no name of a connection, OAuthRefreshError if the service gives no new token, if
    the connection has no refresh token, and outside a session.
    """
    # Imported late: it reads a connection's variables by this module.
    from autokitteh._tokens import renew

    token = renew(check_connection_name(connection), force=True)
    expires_at = token.expires_at
    return token.text, datetime.max if expires_at is None else expires_at.replace(tzinfo=None)


def encode_jwt(payload: Mapping[str, Any], connection: str, algorithm: str = "RS256") -> str:
    """A JSON Web Token of a connection's app, signed by the server with a key that no session sees.

    Raises ValueError for what is no name of a connection and for an algorithm other than RS256, TypeError for a
    payload that is no JSON, and AutoKittehError if the server has no key for the connection, and outside a session.
    """
    check_connection_name(connection)
    if algorithm != "RS256":
        raise ValueError(f"the algorithm of a token can only be RS256, not {algorithm!r}")
    return _runtime.current().sign_jwt(connection, check_json(dict(payload), "payload"))


def missing_package(function: str, requirement: str) -> ImportError:
    """The error for a client whose package is not installed."""
    return ImportError(f"{function} needs a package that is not installed. Say: pip install '{requirement}'")
