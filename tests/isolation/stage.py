"""A server whose sessions are confined as on a machine where nothing was set, and projects that mean it ill."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from autokitteh_runner.protocol import Limits
from autokitteh_server.builds.source import source_from_files
from autokitteh_server.config import IsolationSettings
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.protections import State
from autokitteh_server.operations import sessions
from autokitteh_server.operations.deploying import Deployed, deploy
from harness import ENVIRONMENTS, Result
from served import Served, serving

FINE = """
def main(event):
    return "fine"
"""


class Stage:
    """The server, and what tests do with it."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.data_dir = served.app.settings.data_dir
        self.has = {each.name: each.state for each in served.services.examine()}

    def deploy(self, program: str | Mapping[str, str], name: str = "hostile", limits: str = "") -> Deployed:
        """Deploy a project; `limits` as in a manifest."""
        files = {"program.py": program} if isinstance(program, str) else dict(program)
        manifest = f"version: v2\nproject:\n  name: {name}\n" + (f"  limits: {{{limits}}}\n" if limits else "")
        contents = {path: dedent(text).encode() for path, text in ({"autokitteh.yaml": manifest} | files).items()}
        return deploy(self.served.services, source_from_files("", contents))

    def begin(self, project: str = "hostile", data: Any = None, *, durable: bool = False) -> str:
        """Start a session of a project that is deployed; its id."""
        return sessions.start(self.served.services, project, entry="program.py:main", data=data, durable=durable).id

    def run(
        self, program: str | Mapping[str, str], data: Any = None, *, name: str = "hostile", limits: str = "",
        durable: bool = False,
    ) -> Result:  # fmt: skip
        """Deploy a program and run a session of it to its end."""
        self.deploy(program, name, limits)
        return self.served.wait(self.begin(name, data, durable=durable))

    def check_that_others_are_served(self) -> None:
        """Another project's session, and the same one's."""
        assert self.run(FINE, name="other").session.result == "fine"
        assert self.run(FINE).session.result == "fine"

    def confines(self, name: str) -> bool:
        """Whether something is in force on this machine."""
        return self.has[name] is State.ON


@contextmanager
def confining(folder: Path, clock: Clock | None = None, **settings: Any) -> Iterator[Stage]:
    """A server as it is by default, but for a folder of environments that tests share."""
    defaults: dict[str, Any] = {
        "environment": "imported",
        "environment_folder": ENVIRONMENTS,
        "isolation": IsolationSettings(),
        "limits": Limits(),
    }
    with serving(folder, clock=clock, **(defaults | settings)) as served:
        yield Stage(served)
