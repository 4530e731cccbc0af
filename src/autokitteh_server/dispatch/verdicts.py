"""What becomes of an event at one trigger. Pure."""

from autokitteh_server.core.entities import Deployment, Trigger, Verdict, VerdictKind
from autokitteh_server.core.filters import Match


def judge(
    trigger: Trigger, event_type: str, match: Match, deployment: Deployment | None, *, is_at_work: bool
) -> Verdict:
    """The verdict. STARTED says that a session is to be started; the verdict still lacks its id.

    `is_at_work`: a session that the trigger started is not over, and there may be no second one.
    """
    kind = _kind(trigger, event_type, match, deployment, is_at_work)
    detail = _detail(kind, trigger, event_type, match)
    return Verdict(kind=kind, trigger_id=trigger.id, name=trigger.name, detail=detail)


def receives(trigger: Trigger, event_type: str, match: Match) -> bool:
    """Whether an event is one of those that a trigger is for, whatever becomes of it."""
    return trigger.event_type in ("", event_type) and match.matched


def _kind(
    trigger: Trigger, event_type: str, match: Match, deployment: Deployment | None, is_at_work: bool
) -> VerdictKind:
    if deployment is None:
        return VerdictKind.NOT_DEPLOYED
    if trigger.event_type not in ("", event_type):
        return VerdictKind.TYPE_DIFFERS
    if match.failure:
        return VerdictKind.FILTER_FAILED
    if not match.matched:
        return VerdictKind.FILTER_FALSE
    if not trigger.call:
        return VerdictKind.NO_CALL
    if trigger.is_paused:
        return VerdictKind.PAUSED
    return VerdictKind.OVERLAP if is_at_work else VerdictKind.STARTED


def _detail(kind: VerdictKind, trigger: Trigger, event_type: str, match: Match) -> str:
    match kind:
        case VerdictKind.TYPE_DIFFERS:
            return f"the trigger is for {trigger.event_type!r}, the event is {event_type!r}"
        case VerdictKind.FILTER_FAILED:
            return match.failure
        case VerdictKind.FILTER_FALSE:
            return trigger.filter
        case _:
            return ""
