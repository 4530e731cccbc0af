"""Deploys, events, stops, restarts, deletions and restarts of the server, at random, against a small model."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autokitteh_server.core.entities import Event, VerdictKind
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.states import DeploymentState, SessionState
from autokitteh_server.operations import deployments, sessions
from autokitteh_server.operations.dispatching import dispatch_event
from autokitteh_server.storage import deployments as deployment_rows
from served import PROJECT, serving

PROGRAM = """
from autokitteh import next_event, subscribe

def main(event):
    number = event.data.number
    answer = next_event(subscribe("bell", f"data.number == {number}"))
    return [VERSION, answer.text]
"""


@dataclass
class Expected:
    """What the model knows of a session."""

    number: int  # by which it is answered
    version: int  # of the code that it runs
    deployment_id: str | None  # None: restarted while there was none
    state: SessionState = SessionState.RUNNING
    result: Any = None


class ServerModel(RuleBasedStateMachine):
    """A project in a server: which deployment is active, and what becomes of its sessions."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.active: str | None = None
        self.versions: dict[str, int] = {}  # by deployment
        self.expected: dict[str, Expected] = {}
        self.numbers = 0
        self._start()

    def _start(self) -> None:
        self._context = serving(self.folder)
        self.served = self._context.__enter__()

    def teardown(self) -> None:
        if hasattr(self, "_context"):
            self._context.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)

    @rule(version=st.integers(0, 3))
    def deploy(self, version: int) -> None:
        """The same code as the active one's is nothing to do; otherwise it is a new deployment."""
        new = [] if self.versions else [self.served.webhook("webhook"), self.served.webhook("bell", call="")]
        self.served.deploy(f"VERSION = {version}\n{PROGRAM}", *new)
        now_active = deployments.get(self.served.services, PROJECT).id
        is_same = self.active is not None and self.versions[self.active] == version
        assert (now_active == self.active) == is_same
        self.active = now_active
        self.versions[now_active] = version

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def activate(self, data: Any) -> None:
        """An earlier deployment can be made live again."""
        self.active = data.draw(st.sampled_from(sorted(self.versions)))
        assert self.active is not None
        deployments.activate(self.served.services, self.active)

    @precondition(lambda self: self.active)
    @rule()
    def deactivate(self) -> None:
        """Without an active deployment events start nothing."""
        deployments.deactivate(self.served.services, PROJECT)
        self.active = None

    @precondition(lambda self: self.versions)
    @rule()
    def event(self) -> None:
        """An event starts a session of the active deployment's code, or none."""
        self.numbers += 1
        event = dispatch_event(self.served.services, f"{PROJECT}/webhook", data={"number": self.numbers})
        if self.active is None:
            assert [each.kind for each in event.verdicts] == [VerdictKind.NOT_DEPLOYED]
            return
        self._expect_session(event, self.numbers)

    def _expect_session(self, event: Event, number: int) -> None:
        assert self.active is not None
        (session_id,) = event.session_ids
        self.expected[session_id] = Expected(number, self.versions[self.active], self.active)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), text=st.text(max_size=3))
    def answer(self, data: Any, text: str) -> None:
        """A session that gets what it waits for ends on the code that it began with."""
        session_id = data.draw(st.sampled_from(self._alive()))
        expected = self.expected[session_id]
        self._wait_until_it_waits(session_id)
        reached = {"number": expected.number, "text": text}
        event = dispatch_event(self.served.services, f"{PROJECT}/bell", data=reached)
        assert session_id in event.session_ids
        for reached_id in event.session_ids:  # a restarted session waits for the same number as the one before it
            self.served.wait(reached_id)
            self.expected[reached_id].state = SessionState.COMPLETED
            self.expected[reached_id].result = [self.expected[reached_id].version, text]

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), force=st.booleans())
    def stop(self, data: Any, force: bool) -> None:
        """A session that is stopped is over, wherever it was."""
        session_id = data.draw(st.sampled_from(self._alive()))
        sessions.stop(self.served.services, session_id, force=force)
        self.served.wait(session_id)
        self.expected[session_id].state = SessionState.STOPPED

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def restart(self, data: Any) -> None:
        """A restarted session is a new one with the same event, on the active code, or else on that of the first."""
        first_id = data.draw(st.sampled_from(sorted(self.expected)))
        first = self.expected[first_id]
        new = sessions.restart(self.served.services, first_id)
        version = self.versions[self.active] if self.active else first.version
        self.expected[new.id] = Expected(first.number, version, self.active)

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        """What is over can be deleted, and nothing else."""
        session_id = data.draw(st.sampled_from(sorted(self.expected)))
        if self.expected[session_id].state.is_final:
            sessions.delete(self.served.services, session_id)
            del self.expected[session_id]
            with pytest.raises(NotFound):
                sessions.get(self.served.services, session_id)
        else:
            with pytest.raises(FailedPrecondition):
                sessions.delete(self.served.services, session_id)

    @precondition(lambda self: self.versions)
    @rule()
    def restart_server(self) -> None:
        """Another server goes on with everything."""
        self._context.__exit__(None, None, None)
        self._start()

    @invariant()
    def all_is_as_expected(self) -> None:
        """Sessions and deployments are in the states of the model."""
        if not hasattr(self, "served"):
            return
        found = {each.id: each for each in self.served.sessions()}
        assert found.keys() == self.expected.keys()
        for session_id, expected in self.expected.items():
            session = found[session_id]
            is_as_expected = session.state is expected.state or (
                session.state is SessionState.CREATED and expected.state is SessionState.RUNNING
            )
            assert is_as_expected, session.error
            assert session.deployment_id == expected.deployment_id
            assert session.result == expected.result
        busy = {each.deployment_id for each in self.expected.values() if not each.state.is_final}
        states = self.served.database.read(lambda conn: deployment_rows.list(conn, limit=1000))
        assert {each.id: each.state for each in states} == {
            deployment_id: DeploymentState.ACTIVE
            if deployment_id == self.active
            else DeploymentState.DRAINING
            if deployment_id in busy
            else DeploymentState.INACTIVE
            for deployment_id in self.versions
        }

    def _alive(self) -> list[str]:
        return sorted(each for each, expected in self.expected.items() if not expected.state.is_final)

    def _wait_until_it_waits(self, session_id: str) -> None:
        self.served.wait_until(lambda: self.served.load(session_id).session.waits is not None)


TestServerModel = pytest.mark.slow(ServerModel.TestCase)
TestServerModel.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Not shrunk: with real sessions that takes minutes, and the commands are readable as they are.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
