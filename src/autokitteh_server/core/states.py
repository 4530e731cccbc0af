"""The lives of sessions and deployments as tables."""

from enum import StrEnum


class SessionState(StrEnum):
    CREATED = "CREATED"  # exists; no turn has begun
    RUNNING = "RUNNING"  # has had a turn; between turns it waits for something, see `Session.waits`
    COMPLETED = "COMPLETED"  # its handler returned
    ERROR = "ERROR"  # its handler raised, or it could not be run
    STOPPED = "STOPPED"  # a person stopped it

    @property
    def is_final(self) -> bool:
        return not SESSION_TRANSITIONS[self]


SESSION_TRANSITIONS: dict[SessionState, frozenset[SessionState]] = {
    SessionState.CREATED: frozenset({SessionState.RUNNING, SessionState.ERROR, SessionState.STOPPED}),
    SessionState.RUNNING: frozenset({SessionState.COMPLETED, SessionState.ERROR, SessionState.STOPPED}),
    SessionState.COMPLETED: frozenset(),
    SessionState.ERROR: frozenset(),
    SessionState.STOPPED: frozenset(),
}


class DeploymentState(StrEnum):
    ACTIVE = "ACTIVE"  # its project's events start sessions of its build; at most one a project
    DRAINING = "DRAINING"  # has sessions that are not over, and gets no more
    INACTIVE = "INACTIVE"


DEPLOYMENT_TRANSITIONS: dict[DeploymentState, frozenset[DeploymentState]] = {
    DeploymentState.ACTIVE: frozenset({DeploymentState.DRAINING, DeploymentState.INACTIVE}),
    DeploymentState.DRAINING: frozenset({DeploymentState.INACTIVE, DeploymentState.ACTIVE}),
    DeploymentState.INACTIVE: frozenset({DeploymentState.ACTIVE}),
}
