"""What operations work with, in tests: a real store and box, a clock that stands still, and no sessions that run."""

import os
from dataclasses import replace

from autokitteh_server.accounts.accounts import mark_nothing, no_integrations, open_accounts
from autokitteh_server.builds.setups import Setups
from autokitteh_server.builds.source import source_from_files
from autokitteh_server.core.clock import SystemIds, VirtualClock, system_slug
from autokitteh_server.core.entities import Session, Trigger
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.states import SessionState
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.operations import projects, triggers
from autokitteh_server.operations.deploying import Deployed, deploy
from autokitteh_server.operations.manifests import Applied, apply_manifest
from autokitteh_server.operations.services import Services
from autokitteh_server.runners.environments import Environments
from autokitteh_server.runners.uv import Uv
from autokitteh_server.secretbox.keyring import Keyring
from autokitteh_server.storage import sessions
from autokitteh_server.storage.database import Database
from harness import ENVIRONMENTS

#: 2025-06-01 00:00 UTC.
START = 1_748_736_000_000_000
MINUTE = 60_000_000
DAY = 86_400_000_000

PROGRAM = b"def on_event(event):\n    pass\n\n\ndef on_tick(event):\n    pass\n"


class Stage:
    """Services, with shorthands."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = VirtualClock(START)
        self.told_of_schedules = 0
        ids = SystemIds(self.clock)
        scheduler = LocalScheduler(self.clock, max_runners=1)
        keyring = Keyring([b"k" * 32], where="the tests")
        self.services = Services(
            database=database,
            clock=self.clock,
            new_id=ids,
            new_slug=system_slug,
            scheduler=scheduler,
            keyring=keyring,
            accounts=open_accounts(
                database=database,
                box=keyring.box,
                clock=self.clock,
                new_slug=system_slug,
                environ={},
                public_url="http://localhost:9980",
                find_integration=no_integrations,
                mark=mark_nothing,
            ),
            intake=Intake(database, ids, scheduler),
            setups=Setups(Environments(ENVIRONMENTS, Uv(os.environ), is_shared=True), "imported"),
            warm_up=lambda project_id, build: (),
            examine=list,
            schedules_changed=self._tell,
            feeds_changed=lambda: None,
            http_for=lambda api, base_url: ServiceHttp(now_s=lambda: START // 1_000_000, api=api, base_url=base_url),
            public_url="http://localhost:9980",
            service_url="",
        )

    def _tell(self) -> None:
        self.told_of_schedules += 1

    def go_to(self, moment: int) -> None:
        """Let time pass."""
        self.clock.reach(moment)

    def with_other_key(self) -> Services:
        """The same with a key that opens nothing."""
        return replace(self.services, keyring=Keyring([b"x" * 32], where="the tests"))

    def apply(self, parts: str = "", name: str = "p") -> Applied:
        """Apply a manifest of which the parts below the project's name are given."""
        return apply_manifest(self.services, parse_manifest(manifest(parts, name)))

    def deploy(self, parts: str = "", **files: bytes) -> Deployed:
        """Deploy a project p: a manifest and a program. Files are given by name, with `_py` for `.py`."""
        named = {path.replace("_py", ".py"): content for path, content in files.items()}
        self.go_to(self.clock.now_us() + 1000)  # ids are in order of time only from one millisecond to the next
        contents = {"autokitteh.yaml": manifest(parts).encode(), "program.py": PROGRAM} | named
        return deploy(self.services, source_from_files("", contents))

    def trigger(self, name: str) -> Trigger:
        """A trigger of the project p."""
        return triggers.get(self.services, f"p/{name}")

    def exported(self, which: str = "p") -> dict[str, bytes]:
        """A project's files."""
        return projects.export_project(self.services, which)

    def session(self, deployed: Deployed) -> Session:
        """A session of a deployment that is not over."""
        session = Session(
            id=self.services.new_id("ses"),
            project_id=deployed.project.id,
            build_id=deployed.build.id,
            deployment_id=deployed.deployment.id,
            entry="program.py:on_event",
            durable=True,
            state=SessionState.CREATED,
            created_at=self.clock.now_us(),
            updated_at=self.clock.now_us(),
        )
        self.database.write(lambda conn: sessions.create(conn, session))
        return session


def manifest(parts: str = "", name: str = "p") -> str:
    """A manifest of which the parts below the project's name are given."""
    return f"version: v2\nproject:\n  name: {name}\n{parts}"
