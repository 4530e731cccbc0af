"""Events of sessions that have ended: the type, and the data."""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.core.entities import Session
from autokitteh_server.core.states import SessionState

#: Of the integration.
NAME: Final = "autokitteh"

COMPLETED: Final = "session_completed"
ERROR: Final = "session_error"

#: Types by how sessions end. Whoever stops one knows of it.
TYPES: Final[Mapping[SessionState, str]] = {SessionState.COMPLETED: COMPLETED, SessionState.ERROR: ERROR}


def data_of(session: Session, state: SessionState, error: str | None, *, trigger: str) -> dict[str, Any]:
    """What a handler gets. `error`: as it is stored, without secrets; `trigger`: the name of what started it, or ""."""
    return {
        "session_id": session.id,
        "project_id": session.project_id,
        "deployment_id": session.deployment_id or "",
        "state": state.value,
        "error": error or "",
        "entry": session.entry,
        "trigger": trigger,
        "memo": session.memo,
    }
