"""GitHub Copilot: the seats of an organization, with the credentials of a GitHub connection."""

from typing import TYPE_CHECKING

from autokitteh.connections import check_connection_name, missing_package, read_variable
from autokitteh.github import READS as _GITHUB_READS
from autokitteh.github import github_client

if TYPE_CHECKING:
    from github.Copilot import Copilot

READS = (*_GITHUB_READS, "target_name")


def copilot_client(connection: str, org: str = "") -> "Copilot":
    """An organization's seats, `github.Copilot.Copilot` of PyGithub, for a connection of the project.

    Its methods are `get_seats()`, `add_seats([...])` and `remove_seats([...])`.

    - `org`: "": the account that the connection's GitHub app is installed for.

    Credentials, addresses and the client's lifetime are as in `autokitteh.github.github_client`; so are the errors,
    and ValueError if no organization is known.
    """
    check_connection_name(connection)
    try:
        from github.Copilot import Copilot
    except ImportError as error:
        raise missing_package("copilot_client", "PyGithub ~= 2.6") from error

    client = github_client(connection)
    name = org or read_variable(connection, "target_name")
    if not name:
        raise ValueError(f'copilot_client({connection!r}) needs to know the organization: give it org="..."')
    return Copilot(client.requester, name)
