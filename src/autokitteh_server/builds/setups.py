"""What a project's sessions need around them: found out, made, and told where it is."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from autokitteh_server.builds.imports import Import
from autokitteh_server.builds.needs import Needs, find_needs
from autokitteh_server.builds.packages import PROMISED, constraints_text
from autokitteh_server.builds.requirements import REQUIREMENTS_FILE, Requirement, repeated_package
from autokitteh_server.builds.source import Source
from autokitteh_server.core.entities import BuildSetup
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest_problems import ManifestError, Problem
from autokitteh_server.runners.environments import Environment, Environments, Wanted
from autokitteh_server.runners.places import Place
from autokitteh_server.runners.uv import UvFailed, mentions

#: What environments hold: of the promised packages those that the code imports, all of them, or what the server has.
Packages = Literal["imported", "full", "server"]

#: Endings of files that a top-level module may be.
_SUFFIXES: Final = (".py", ".pyc", ".so", ".pyd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What came of looking at a source."""

    setup: BuildSetup
    environment: str = ""  # the id of the environment that it has, if it has one
    warnings: tuple[str, ...] = ()  # for people


class Setups:
    """Threads may share it."""

    def __init__(self, environments: Environments, packages: Packages) -> None:
        self.environments = environments
        self._packages = packages

    def prepare(self, source: Source, *, tell: Callable[[str], None] = lambda _: None) -> Prepared:
        """Find out what a source needs, and have its environment made. `tell` hears of what takes time.

        Raises ManifestError if that cannot be had, with the line that asks for it.
        """
        needs = find_needs(source)
        limits = source.manifest.limits.given() if source.manifest else {}
        if self._packages == "server":
            return Prepared(setup=BuildSetup(lock="", modules=needs.modules, limits=limits))
        try:
            lock = self.environments.resolve(self._wanted(needs))
            if lock and self.environments.find(self.environments.id_of(lock)) is None:
                tell(f"Installing {len(lock.split())} packages, once")
            environment = self.environments.make(lock) if lock else None
        except UvFailed as error:
            raise ManifestError([_problem(needs, str(error))]) from error
        found = _Found(environment)
        missing = [each for each in needs.unknown if not found.has(each.module) and not each.is_guarded]
        if problems := [_missing(each) for each in missing if not each.is_late]:
            raise ManifestError(problems)
        modules = tuple(module for module in needs.modules if found.has(module))
        return Prepared(
            setup=BuildSetup(lock=lock, modules=modules, limits=limits),
            environment=environment.id if environment is not None else "",
            warnings=(*_repeated(needs), *(str(_missing(each)) for each in missing)),
        )

    def place(self, setup: BuildSetup, user: int | None) -> Place:
        """Where sessions with this setup run. Makes the environment anew if it is gone. Raises FailedPrecondition."""
        if self._packages == "server":
            return Place(python=Path(sys.executable), has_packages=True, modules=setup.modules, user=user)
        if not setup.lock:
            return Place(python=self.environments.bare_python, has_packages=False, user=user)
        try:
            environment = self.environments.make(setup.lock)
        except UvFailed as error:
            raise FailedPrecondition(
                f"the packages of the session's build cannot be installed: {error}", "Deploy the project anew."
            ) from error
        return Place(
            python=environment.python,
            has_packages=True,
            modules=setup.modules,
            environment=environment.id,
            user=user,
        )

    def _wanted(self, needs: Needs) -> Wanted:
        promised = needs.packages if self._packages == "imported" else tuple(each.requirement for each in PROMISED)
        own = tuple(each.text for each in needs.requirements)
        return Wanted(
            requirements=(*needs.options, *own, *promised) if own or promised else (),
            constraints=tuple(constraints_text().splitlines()),
        )


class _Found:
    """The modules that an environment has, found in its folders: nothing of it is run."""

    def __init__(self, environment: Environment | None) -> None:
        self._folders = list(environment.folder.glob("lib/python3*/site-packages")) if environment else []

    def has(self, module: str) -> bool:
        """Whether there is such a module, as far as files tell."""
        parts = module.split(".")
        return any(_is_in(folder, parts) for folder in self._folders)


def _is_in(folder: Path, parts: list[str]) -> bool:
    # What an installed package makes of its own inside is its affair: names may be made at run time.
    top, *_ = parts
    if (folder / top).is_dir():
        is_namespace = len(parts) > 1 and not (folder / top / "__init__.py").exists()
        return not is_namespace or _is_in(folder / top, parts[1:])
    return any(child.name.partition(".")[0] == top and child.suffix in _SUFFIXES for child in folder.glob(f"{top}.*"))


def _missing(each: Import) -> Problem:
    return Problem(
        message=f"there is no module {each.module}",
        file=each.file,
        line=each.line,
        remedy=f"Name the package that it comes with in {REQUIREMENTS_FILE}.",
    )


def _problem(needs: Needs, reason: str) -> Problem:
    """Why there is no environment, at the line that asks for what cannot be had."""
    by_name: Mapping[str, Requirement] = {each.name: each for each in needs.requirements}
    named = mentions(reason, list(by_name))
    at = by_name[named] if named else next(iter(needs.requirements), None)
    return Problem(
        message=f"the packages cannot be installed: {reason.rstrip('.')}",
        file=at.file if at else "imports",
        line=at.line if at and named else 1,
        remedy="" if at else "They are those of the promised ones that the code imports.",
    )


def _repeated(needs: Needs) -> Iterator[str]:
    for each in needs.requirements:
        package = repeated_package(each)
        # Named for the sake of an import that cannot be seen it is where it has to be.
        if package is not None and package.requirement in needs.packages:
            yield f"{each.file}:{each.line}: {package.name} is there without being named. Remove the line."
