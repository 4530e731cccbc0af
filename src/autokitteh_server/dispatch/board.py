"""All that decides what becomes of a batch: the sources, their triggers and subscriptions, and what is deployed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autokitteh_server.core.entities import Deployment, Subscription, Trigger
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.dispatch.incoming import Incoming
from autokitteh_server.storage import connections, deployments, sessions, subscriptions, triggers
from autokitteh_server.storage.connection import Connection


class Source(NamedTuple):
    """Where events come from: a connection, or a trigger that is a webhook or a schedule."""

    id: str
    name: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Board:
    """As one transaction saw it."""

    sources: Mapping[str, Source]  # by id, and by the slug of webhooks
    triggers: Mapping[str, Sequence[Trigger]]  # by source
    subscriptions: Mapping[str, Sequence[Subscription]]  # by connection or trigger
    deployments: Mapping[str, Deployment]  # the active ones, by project
    at_work: frozenset[str]  # schedules of which a session is not over

    def source_of(self, incoming: Incoming) -> Source | None:
        """Where this has come from; None if there is no such source any more."""
        return self.sources.get(incoming.source_id or incoming.slug)


def load_board(conn: Connection, batch: Sequence[Incoming]) -> Board:
    """Read all that decides what becomes of a batch."""
    sources = _load_sources(conn, batch)
    ids = {source.id for source in sources.values()}
    by_source = triggers.of_sources(conn, ids)
    known = {trigger.id: trigger for found in by_source.values() for trigger in found}
    subscribed: dict[str, list[Subscription]] = {}
    for subscription in subscriptions.of_sources(conn, ids | known.keys()):
        subscribed.setdefault(subscription.source_id, []).append(subscription)
    exclusive = [
        each.id for each in known.values() if each.type is TriggerType.SCHEDULE and each.call and not each.allow_overlap
    ]
    return Board(
        sources=sources,
        triggers=by_source,
        subscriptions=subscribed,
        deployments=deployments.active_of(conn, {source.project_id for source in sources.values()}),
        at_work=sessions.triggers_at_work(conn, exclusive) if exclusive else frozenset(),
    )


def _load_sources(conn: Connection, batch: Sequence[Incoming]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for slug, trigger in triggers.by_slugs(conn, {each.slug for each in batch if each.slug}).items():
        found[slug] = Source(trigger.id, trigger.name, trigger.project_id)
    ids = {each.source_id for each in batch if each.source_id}
    if ids:
        for connection in connections.of_ids(conn, ids):
            found[connection.id] = Source(connection.id, connection.name, connection.project_id)
        for trigger in triggers.of_ids(conn, ids):
            found[trigger.id] = Source(trigger.id, trigger.name, trigger.project_id)
    return found
