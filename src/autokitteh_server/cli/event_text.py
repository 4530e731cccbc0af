"""Events for people, and in words why they did or did not start sessions."""

import json

import msgspec

from autokitteh_server.cli.moments import local_time, local_time_ms
from autokitteh_server.cli.names import NameOf, with_id
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.core.api_types.events import Event, FilterVerdict, Verdict
from autokitteh_server.core.entities import VerdictKind

_WORDS = {
    VerdictKind.STARTED: "started session {session}",
    VerdictKind.QUEUED: "queued for session {session}, which has subscribed",
    VerdictKind.TYPE_DIFFERS: "did not start a session: it is for events of another type",
    VerdictKind.FILTER_FALSE: "did not start a session: its filter is false",
    VerdictKind.FILTER_FAILED: "did not match: its filter failed",
    VerdictKind.NOT_DEPLOYED: "did not start a session: its project is not deployed",
    VerdictKind.NO_CALL: "started no session: it calls nothing, and only receives for subscriptions",
    VerdictKind.PAUSED: "did not start a session: it is paused",
    VerdictKind.OVERLAP: "did not start a session: the one of an earlier tick is not over",
}


def render_events(events: list[Event], project_of: NameOf) -> list[str]:
    """A line for each event, below a line of titles."""
    rows = [
        (
            each.id,
            local_time(each.created_at),
            each.source_name,
            each.event_type,
            _summary(each),
            project_of(each.project_id),
        )
        for each in events
    ]
    return render_table(("ID", "CREATED", "SOURCE", "TYPE", "OUTCOME", "PROJECT"), rows)


def render_event(event: Event, project_of: NameOf) -> list[str]:
    """All about an event, what came of it, and its data."""
    fields = {
        "id": event.id,
        "created": local_time_ms(event.created_at),
        "source": f"{event.source_name} ({event.source_id})",
        "type": event.event_type,
        "key": event.key or "",
        "project": with_id(project_of, event.project_id),
    }
    data = json.dumps(msgspec.json.decode(event.data), indent=2, ensure_ascii=False)
    return [*render_fields(fields), "", *render_verdicts(event), "", *data.splitlines()]


def render_outcome(event: Event) -> list[str]:
    """Which event it is, and what came of it."""
    return [event.id, *(f"  {line}" for line in render_verdicts(event))]


def render_verdicts(event: Event) -> list[str]:
    """What came of an event, a line for each trigger and subscription."""
    return [explain(verdict) for verdict in event.verdicts] or ["No trigger gets events of this source."]


def explain(verdict: Verdict) -> str:
    """A verdict in words."""
    who = f"Trigger {verdict.name}" if verdict.trigger_id else f"Subscription {verdict.subscription_id}"
    what = _WORDS[verdict.kind].format(session=verdict.session_id)
    return f"{who}: {what}" + (f" ({verdict.detail})" if verdict.detail else "")


def render_verdict_of_filter(verdict: FilterVerdict) -> list[str]:
    """What a filter is worth."""
    if verdict.problems:
        return [f"{each.line}:{each.column}: {each.message}. {each.remedy}".rstrip() for each in verdict.problems]
    if verdict.matched:
        return ["The event matches."]
    return [f"The event does not match: {verdict.failure or 'the filter is false'}"]


def _summary(event: Event) -> str:
    started = [each for each in event.verdicts if each.session_id]
    if started:
        return f"{len(started)} session{'s' * (len(started) > 1)}"
    return ", ".join(dict.fromkeys(each.kind.value for each in event.verdicts))
