"""All that decides what becomes of a batch: the sources, their triggers and subscriptions, and what is deployed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
        return self.sources.get(incoming.source)


def load_board(conn: Connection, batch: Sequence[Incoming]) -> Board:
    """Read all that decides what becomes of a batch."""
    slugs = {each.slug for each in batch if each.slug}
    webhooks = triggers.by_slugs(conn, slugs) if slugs else {}
    sources = {slug: Source(each.id, each.name, each.project_id) for slug, each in webhooks.items()}
    # A webhook's events are its own; others may have several triggers.
    by_source: dict[str, Sequence[Trigger]] = {each.id: [each] for each in webhooks.values()}
    if named := {each.source_id for each in batch if each.source_id}:
        sources |= {source.id: source for source in _load_named(conn, named)}
        by_source |= triggers.of_sources(conn, named & sources.keys())
    ids = by_source.keys()
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


def _load_named(conn: Connection, ids: Collection[str]) -> Iterator[Source]:
    for connection in connections.of_ids(conn, ids):
        yield Source(connection.id, connection.name, connection.project_id)
    for trigger in triggers.of_ids(conn, ids):
        yield Source(trigger.id, trigger.name, trigger.project_id)
