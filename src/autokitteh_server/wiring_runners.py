"""The half of the wiring that is about processes: environments, fork servers, what keeps sessions apart."""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from autokitteh_runner.protocol import Launch, Limits
from autokitteh_server.builds.setups import Setups
from autokitteh_server.config import Settings
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import BuildSetup
from autokitteh_server.core.errors import InternalError
from autokitteh_server.core.protections import Protection
from autokitteh_server.engine.surroundings import Workplace
from autokitteh_server.runners.environments import Environments
from autokitteh_server.runners.examination import examine
from autokitteh_server.runners.isolation import must_be_entered, plan_isolation
from autokitteh_server.runners.limits import LimitsWatch
from autokitteh_server.runners.places import Place
from autokitteh_server.runners.pool import RunnerPool
from autokitteh_server.runners.process import ForkServer, Runner
from autokitteh_server.runners.sdk import lay_out_sdk
from autokitteh_server.runners.temporary import TemporaryFolders
from autokitteh_server.runners.uv import Uv
from autokitteh_server.storage.data_folder import HASH_SEED_FILE


class Runners:
    """Everything that sessions' processes come from."""

    def __init__(self, settings: Settings, *, environ: Mapping[str, str], clock: Clock, keeps_spare: bool) -> None:
        """Make it ready; no process is started."""
        self._settings = settings
        self._environ = environ
        self._hash_seed = _hash_seed(settings.data_dir)
        self.environments = Environments(
            settings.environments,
            Uv(environ),
            builds_sources=settings.environment_source_builds,
            is_shared=settings.environment_folder is not None,
        )
        self.setups = Setups(self.environments, settings.environment)  # type: ignore[arg-type]  # one of its words
        self._sdk = lay_out_sdk(settings.environments)
        self._temporary = TemporaryFolders(settings.data_dir.resolve() / "tmp")
        self._builds = settings.data_dir / "builds"
        self._builds.mkdir(exist_ok=True)
        # Whoever knows which build he wants may go there, and nobody may look which ones there are.
        self._builds.chmod(0o711)
        if settings.isolation.mode == "auto" and must_be_entered():
            # Whoever knows what he wants may go through, and see nothing else: what is secret is closed itself.
            settings.data_dir.chmod(0o711)
        self.isolation = plan_isolation(
            is_wanted=settings.isolation.mode == "auto",
            needs=self._needs(),
            readable=settings.isolation.read_paths,
            writable=settings.isolation.write_paths,
            installation=f"{self._hash_seed} {settings.data_dir}".encode()[:64],
        )
        self.pool = RunnerPool(
            self._start,
            max_warm=settings.max_warm,
            clock=clock,
            keeps_spare=keeps_spare,
            idle_us=round(settings.fork_server_idle_s * 1e6),
        )
        self._limits = LimitsWatch(self.pool.runners)

    def start(self) -> None:
        """Begin to work."""
        self._temporary.open()
        self._limits.open()
        self.pool.start()

    def close(self) -> None:
        """End every process. Returns when they, and what they have written, are gone."""
        self._limits.close()
        self.pool.close()
        self._temporary.close()

    def workplace(self, project_id: str, root: Path, setup: BuildSetup) -> Workplace:
        """Where sessions of a build run. Raises FailedPrecondition if its environment cannot be had any more."""
        place = self.setups.place(setup, self.isolation.user_of(project_id))
        limits = {name: getattr(self._settings.limits, name) for name in Limits.__slots__}
        return Workplace(
            root=root.resolve(),
            place=place,
            limits=Limits(**(limits | setup.limits)),
            confine=self.isolation.is_on,
            readable=tuple(self.isolation.readable_with(())),
            writable=tuple(self.isolation.writable_with(())),
        )

    def examine(self) -> list[Protection]:
        """What is in force on this machine. Starts a process, if need be, to find out."""
        place = self.setups.place(BuildSetup(lock=""), self.isolation.user_of(""))
        imported, _ = self.pool.warm_up(place)
        if imported is None:
            raise InternalError("no process for sessions can be started", "The server's log has its last words.")
        return examine(self.isolation, dict(imported.confinement), self._settings.limits)

    def _needs(self) -> list[Path]:
        """What every session may read: Python, and us, and the environments, in none of which is anything secret."""
        python = [Path(sys.base_prefix)] + ([Path(sys.prefix)] if self._settings.environment == "server" else [])
        return [*python, self._settings.environments]

    def _start(self, place: Place) -> ForkServer:
        isolation = self.isolation
        folders = [self._builds, self._temporary.parent]
        launch = Launch(
            packages=place.has_packages,
            modules=list(place.modules),
            user=place.user,
            covers=isolation.covers(folders) if place.user is not None else {},
            confine=isolation.is_on,
            readable=isolation.readable_with([self._builds]),
            writable=isolation.writable_with([self._temporary.parent]),
        )
        return ForkServer(
            place.python,
            launch,
            sdk=self._sdk,
            hash_seed=self._hash_seed,
            environ=self._environ,
            cwd=Path("/"),
            make_temporary=lambda: self._temporary.make(place.user),
            on_end=self._forget,
        )

    def _forget(self, runner: Runner) -> None:
        if runner.temporary is not None:
            self._temporary.remove(runner.temporary)


def _hash_seed(data_dir: Path) -> int:
    """One seed for the installation: the order of a set of strings must not change between runs."""
    path = data_dir / HASH_SEED_FILE
    try:
        return int(path.read_text())
    except FileNotFoundError:
        seed = secrets.randbelow(2**32 - 1) + 1
        path.write_text(f"{seed}\n")
        path.chmod(0o600)
        return seed
