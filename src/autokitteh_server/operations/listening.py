"""How events of connections come in, for people."""

from collections.abc import Mapping
from dataclasses import dataclass

from autokitteh_server.core.entities import Connection, Feed, FeedState
from autokitteh_server.integrations.addresses import addresses_of
from autokitteh_server.integrations.forms import find_problem
from autokitteh_server.integrations.incoming import find_webhook, load_feed, load_gateway
from autokitteh_server.integrations.matching import CONNECTION_ID
from autokitteh_server.integrations.registry import load_integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """How a connection gets its events."""

    state: FeedState
    message: str  # why, and what to do about it
    since: int | None = None
    addresses: tuple[str, ...] = ()  # that somebody has to enter at the service


def events_of(connection: Connection, feed: Feed | None, variables: Mapping[str, str], url: str) -> Events | None:
    """How a connection gets its events; None if its service sends none.

    - `variables`: the connection's.
    - `url`: under which services reach the server; "": nobody has said that they do.
    """
    name = connection.integration
    addresses = addresses_of(name, {**variables, CONNECTION_ID: connection.id}, url)
    if feed is not None:
        return Events(state=feed.state, message=feed.message, since=feed.changed_at, addresses=addresses)
    if load_integration(name).makes_events_here:
        return Events(state=FeedState.PUSHED, message="this server makes them, of what happens in the project")
    if find_webhook(name) is None and load_feed(name) is None and load_gateway(name) is None:
        return None
    if problem := find_problem(load_integration(name), variables):
        return Events(state=FeedState.OFF, message=f"{problem.message}. {problem.remedy}")
    if load_feed(name) is not None or load_gateway(name) is not None:
        return Events(
            state=FeedState.OFF, message="nobody waits for any: no trigger has it, or its project is not deployed"
        )
    if not url:
        message = "the server does not know under which address services reach it (`ak up --tunnel-url`)"
        return Events(state=FeedState.OFF, message=message)
    message = "enter the address at the service" if addresses else "its app sends them"
    return Events(state=FeedState.PUSHED, message=message, addresses=addresses)
