"""The life of a session."""

from autokitteh_server.core.states import SESSION_TRANSITIONS, SessionState

FINAL = {SessionState.COMPLETED, SessionState.ERROR, SessionState.STOPPED}


def test_every_state_has_its_transitions() -> None:
    """The table knows all states."""
    assert set(SESSION_TRANSITIONS) == set(SessionState)


def test_final_states_lead_nowhere() -> None:
    """Exactly the three ends of a session are final."""
    assert {state for state in SessionState if state.is_final} == FINAL


def test_every_end_can_be_reached() -> None:
    """A session that runs can end in each way, and one that never ran cannot complete."""
    assert SESSION_TRANSITIONS[SessionState.RUNNING] == FINAL
    assert SessionState.COMPLETED not in SESSION_TRANSITIONS[SessionState.CREATED]
    assert SessionState.STOPPED in SESSION_TRANSITIONS[SessionState.CREATED]
