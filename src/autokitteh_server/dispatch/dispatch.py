"""The life of an event, from its arrival to the sessions that it starts and reaches, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from autokitteh_server.core.entities import Event, Session, Subscription, Trigger, Verdict, VerdictKind
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.states import SessionState
from autokitteh_server.dispatch.board import Board, Source, load_board
from autokitteh_server.dispatch.incoming import Dispatched, Incoming, Start, Wake
from autokitteh_server.dispatch.matches import Matches
from autokitteh_server.dispatch.verdicts import judge, receives
from autokitteh_server.storage import events, sessions, subscriptions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.subscriptions import Queued

#: Most sources of which is remembered whether there are filters.
_REMEMBERED: Final = 10_000


class Dispatcher:
    """Dispatches batches, each in a transaction of its own. Used by one thread."""

    def __init__(self, database: Database, new_id: IdSource) -> None:
        self._database = database
        self._new_id = new_id
        #: Sources, by what events call them, and whether there were filters for their last event.
        self._has_filters: dict[str, bool] = {}

    def dispatch(self, batch: Sequence[Incoming]) -> list[Dispatched]:
        """Store a batch, with its verdicts and all that it starts and reaches; what became of each.

        All or nothing of it is durable. Whoever calls this then tells the scheduler of `starts` and `wakes`.
        """
        matches = Matches(batch)
        if any(self._has_filters.get(incoming.source, True) for incoming in batch):
            # Filters take time, in which nobody else could write: they are evaluated before the transaction, which
            # asks again. Those that are new since the last event are evaluated in it.
            self._database.read(lambda conn: _evaluate(load_board(conn, batch), batch, matches))
        board, results = self._database.write(lambda conn: _dispatch(conn, self._new_id, batch, matches))
        if len(self._has_filters) > _REMEMBERED:
            self._has_filters.clear()
        for incoming in batch:
            self._has_filters[incoming.source] = _has_filters(board, incoming)
        return results


def dispatch_in(conn: Connection, new_id: IdSource, batch: Sequence[Incoming]) -> list[Dispatched]:
    """Dispatch a batch as a part of a transaction."""
    return _dispatch(conn, new_id, batch, Matches(batch))[1]


def _dispatch(
    conn: Connection, new_id: IdSource, batch: Sequence[Incoming], matches: Matches
) -> tuple[Board, list[Dispatched]]:
    board = load_board(conn, batch)
    keyed = [
        events.Keyed(source.id, each.key, each.event_id)
        for each in batch
        if each.key is not None and (source := board.source_of(each)) is not None
    ]
    first = events.remember_keys(conn, keyed, now=max(each.received_at for each in batch)) if keyed else {}
    round_ = _Round(conn, new_id, board, matches, first)
    drafts = [round_.take(incoming) for incoming in batch]
    return board, round_.store(drafts)


def _has_filters(board: Board, incoming: Incoming) -> bool:
    source = board.source_of(incoming)
    if source is None:
        return False
    filters = [trigger.filter for trigger in board.triggers[source.id]]
    return any(filters) or any(subscription.filter for subscription in _subscriptions(board, source))


def _evaluate(board: Board, batch: Sequence[Incoming], matches: Matches) -> None:
    for incoming in batch:
        source = board.source_of(incoming)
        for trigger in board.triggers[source.id] if source else ():
            matches.match(incoming.event_id, trigger.filter)
        for subscription in _subscriptions(board, source) if source else ():
            matches.match(incoming.event_id, subscription.filter)


def _subscriptions(board: Board, source: Source) -> list[Subscription]:
    """Those to the source, and to triggers that get its events."""
    ids = dict.fromkeys((source.id, *(trigger.id for trigger in board.triggers[source.id])))
    return [each for source_id in ids for each in board.subscriptions.get(source_id, ())]


@dataclass(slots=True)
class _Draft:
    """What is to become of one of the batch."""

    incoming: Incoming
    result: Dispatched
    verdicts: list[Verdict] = field(default_factory=list)
    source: Source | None = None


class _Round:
    """One batch in one transaction."""

    def __init__(
        self,
        conn: Connection,
        new_id: IdSource,
        board: Board,
        matches: Matches,
        first: Mapping[tuple[str, str], str],
    ) -> None:
        """`first`: the events that have the keys of the batch, by source and key."""
        self._conn = conn
        self._new_id = new_id
        self._board = board
        self._matches = matches
        self._first = first
        self._at_work = set(board.at_work)
        self._sessions: list[Session] = []
        self._queued: list[tuple[_Draft, Queued]] = []

    def take(self, incoming: Incoming) -> _Draft:
        """Decide what becomes of one of the batch."""
        source = self._board.source_of(incoming)
        draft = _Draft(incoming, Dispatched(event_id=incoming.event_id), source=source)
        if source is None:
            return draft
        if incoming.key is not None:
            first = self._first[source.id, incoming.key]
            if first != incoming.event_id:
                draft.result = Dispatched(event_id=first, is_repeat=True)
                return draft
        for trigger in self._board.triggers[source.id]:
            draft.verdicts.append(self._judge(incoming, trigger))
        self._reach_subscriptions(draft, source)
        return draft

    def store(self, drafts: Sequence[_Draft]) -> list[Dispatched]:
        """Write down everything that was decided."""
        sessions.create_all(self._conn, self._sessions)
        taken = subscriptions.queue_all(self._conn, [queued for _, queued in self._queued])
        for (draft, queued), is_taken in zip(self._queued, taken, strict=True):
            if is_taken:
                draft.verdicts.append(_queued_verdict(queued))
        results = [self._result(draft) for draft in drafts]
        events.save_all(self._conn, [each.event for each in results if each.event is not None])
        return results

    def _judge(self, incoming: Incoming, trigger: Trigger) -> Verdict:
        deployment = self._board.deployments.get(trigger.project_id)
        match = self._matches.match(incoming.event_id, trigger.filter)
        verdict = judge(trigger, incoming.event_type, match, deployment, is_at_work=trigger.id in self._at_work)
        if verdict.kind is not VerdictKind.STARTED or deployment is None:
            return verdict
        session = Session(
            id=self._new_id("ses"),
            project_id=trigger.project_id,
            build_id=deployment.build_id,
            deployment_id=deployment.id,
            trigger_id=trigger.id,
            entry=trigger.call,
            durable=trigger.is_durable,
            state=SessionState.CREATED,
            event=_event_of(incoming),
            created_at=incoming.received_at,
            updated_at=incoming.received_at,
        )
        self._sessions.append(session)
        if trigger.schedule and not trigger.allow_overlap:
            self._at_work.add(trigger.id)
        return replace(verdict, session_id=session.id)

    def _reach_subscriptions(self, draft: _Draft, source: Source) -> None:
        by_id = {trigger.id: trigger for trigger in self._board.triggers[source.id]}
        for subscription in _subscriptions(self._board, source):
            if subscription.session_id in draft.incoming.unheard_by:
                continue
            trigger = by_id.get(subscription.source_id)
            if trigger is not None and not self._receives(trigger, draft.incoming):
                continue
            match = self._matches.match(draft.incoming.event_id, subscription.filter)
            if match.matched:
                queued = Queued(subscription, draft.incoming.event_id, _event_of(draft.incoming))
                self._queued.append((draft, queued))
            elif match.failure:
                draft.verdicts.append(
                    Verdict(
                        kind=VerdictKind.FILTER_FAILED,
                        subscription_id=subscription.id,
                        session_id=None,
                        detail=f"{subscription.filter}: {match.failure}",
                    )
                )

    def _receives(self, trigger: Trigger, incoming: Incoming) -> bool:
        return receives(trigger, incoming.event_type, self._matches.match(incoming.event_id, trigger.filter))

    def _result(self, draft: _Draft) -> Dispatched:
        source, incoming = draft.source, draft.incoming
        if source is None or draft.result.is_repeat:
            return draft.result
        event = Event(
            id=incoming.event_id,
            project_id=source.project_id,
            source_id=source.id,
            source_name=source.name,
            event_type=incoming.event_type,
            data=incoming.data,
            key=incoming.key,
            verdicts=tuple(draft.verdicts),
            created_at=incoming.received_at,
        )
        return Dispatched(
            event_id=event.id,
            event=event,
            is_sync=any(trigger.is_sync for trigger in self._board.triggers[source.id] if trigger.id == source.id),
            is_deployed=source.project_id in self._board.deployments,
            starts=tuple(
                Start(each.session_id, source.project_id)
                for each in draft.verdicts
                if each.session_id is not None and each.subscription_id is None
            ),
            wakes=tuple(
                Wake(each.session_id, each.subscription_id)
                for each in draft.verdicts
                if each.session_id is not None and each.subscription_id is not None
            ),
        )


def _event_of(incoming: Incoming) -> dict[str, object]:
    return {"data": incoming.data, "event_id": incoming.event_id, "event_type": incoming.event_type}


def _queued_verdict(queued: Queued) -> Verdict:
    subscription = queued.subscription
    return Verdict(kind=VerdictKind.QUEUED, subscription_id=subscription.id, session_id=subscription.session_id)
