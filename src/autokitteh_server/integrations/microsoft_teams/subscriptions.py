"""What is listened to, by which addresses, as the feed tells Microsoft Graph and the webhook hears of it."""

import re
from typing import Final

#: Of a connection: by what it knows that a notification is from Graph.
CLIENT_STATE: Final = "ClientState"

#: Of a connection: what it listens to.
RESOURCE: Final = "resource"

_BETWEEN: Final = re.compile(r"\s*,\s*(?=/)")  # a filter may have commas in it

_OF_CHATS: Final = r"(?:/(?:me|users/[^/]+))?/chats"

#: The kinds of changes that there can be, by resource, where these are not all: Graph refuses to be asked for others.
_CHANGES: Final = (
    (re.compile(r"/teams/(?!getAll)[^/]+"), "updated,deleted"),
    (re.compile(_OF_CHATS + r"/(?!getAll)[^/]+"), "updated"),
    (re.compile(_OF_CHATS + r"|/appCatalogs/teamsApps/[^/]+/installedToChats"), "created,updated"),
    (re.compile(r"/(?:chats|appCatalogs)/.*[mM]embers"), "created,deleted"),
)


def resources_of(text: str) -> tuple[str, ...]:
    """The resources that are listened to, each once, as they were written."""
    return tuple(dict.fromkeys(each for each in _BETWEEN.split(text.strip().strip(",").strip()) if each))


def changes_of(resource: str) -> str:
    """The kinds of changes to ask for, with commas between them."""
    path = "/" + resource.partition("?")[0].strip("/")
    return next((kinds for each, kinds in _CHANGES if each.fullmatch(path)), "created,updated,deleted")


def paths_for(connection_id: str) -> tuple[str, str]:
    """Where Graph posts changes, and where what becomes of subscriptions, below the address of the server."""
    return f"/microsoft_teams/event/{connection_id}", f"/microsoft_teams/lifecycle/{connection_id}"
