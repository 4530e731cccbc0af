"""What code finds of its project's connections: their variables.

Variable V of the connection `conn` is `conn__V` in the environment. The modules named after services make clients
from them.
"""

import os
import re

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


def require_variable(connection: str, *names: str) -> str:
    """The first of these variables of a connection that is set. Raises ConnectionInitError if none is."""
    for name in names:
        if value := read_variable(connection, name):
            return value
    raise ConnectionInitError(connection)


def missing_package(function: str, requirement: str) -> ImportError:
    """The error for a client whose package is not installed."""
    return ImportError(f"{function} needs a package that is not installed. Say: pip install '{requirement}'")
