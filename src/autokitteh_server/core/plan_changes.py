"""What differs between what is there and what is wanted, in words."""

from collections.abc import Iterator

from autokitteh_server.core.manifest import Trigger, TriggerType, Var

#: Fields whose values are short enough for a line.
_SHOWN = ("call", "event_type", "schedule", "timezone", "connection", "is_durable", "is_sync", "allow_overlap")
_LONGEST = 60


def var_changes(present: Var, wanted: Var) -> list[str]:
    """What is to be changed about a var; never its value."""
    return [
        *(["value changed"] if wanted.value is not None and wanted.value != present.value else []),
        *([f"{'is' if wanted.secret else 'is no longer'} secret"] if wanted.secret != present.secret else []),
        *(["description changed"] if wanted.description != present.description else []),
    ]


def trigger_changes(present: Trigger, wanted: Trigger) -> list[str]:
    """What is to be changed about a trigger, whose type is the same."""
    return list(_trigger_changes(present, wanted))


def _trigger_changes(present: Trigger, wanted: Trigger) -> Iterator[str]:
    for name in (*_SHOWN, "filter"):
        before, after = getattr(present, name), getattr(wanted, name)
        if before != after:
            change = f"{name} {_shown(before)} -> {_shown(after)}"
            yield f"{name} changed" if name == "filter" or len(change) > _LONGEST else change


def trigger_source(trigger: Trigger) -> str:
    """Where a trigger's events come from, and what they start."""
    what = {
        TriggerType.WEBHOOK: "webhook",
        TriggerType.SCHEDULE: f"schedule {trigger.schedule}",
        TriggerType.CONNECTION: f"connection {trigger.connection}",
    }[trigger.type]
    return what + (f", calls {trigger.call}" if trigger.call else "")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value or "none").replace("\n", " ")
