"""What a project's code needs to be installed: from its imports, and its requirements.txt."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from autokitteh_server.builds.clients import ClientNeeds, needs_of_import
from autokitteh_server.builds.imports import Import, Origin, ProjectModules, find_imports
from autokitteh_server.builds.packages import find_promised, package_of
from autokitteh_server.builds.requirements import Requirement, read_requirements
from autokitteh_server.builds.source import Source
from autokitteh_server.core.manifest_problems import ManifestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What an environment has to hold."""

    packages: tuple[
        str, ...
    ]  # promised ones that the code imports, itself or through the SDK: "slack-sdk~=3.33"; sorted
    requirements: tuple[Requirement, ...]  # those of requirements.txt, with file and line
    options: tuple[str, ...]  # lines of options for uv
    modules: tuple[str, ...]  # third-party ones, dotted, that are imported when the code is loaded; sorted
    unknown: tuple[Import, ...]  # of modules that no promised package provides; only installing shows whether any does


def find_needs(source: Source) -> Needs:
    """What the code of a project needs.

    Tests that lie beside the code (`test_*.py`, `conftest.py`) do not count, unless a trigger calls them: no session
    loads them. Nor do files that are not valid Python. Raises ManifestError with all problems of requirements.txt.
    """
    required = read_requirements(source.files)
    if required.problems:
        raise ManifestError(required.problems)
    triggers = source.manifest.triggers if source.manifest else ()
    called = {trigger.call.file for trigger in triggers if trigger.call}
    imports = [each for each in find_imports(source) if each.file in called or not is_test(each.file)]
    third_party, clients = _apart(imports, ProjectModules(source.files))
    packages = {package.requirement for each in third_party if (package := package_of(each.module))}
    packages |= {requirement for _, needs in clients for requirement in _requirements(needs)}
    modules = {each.module for each in third_party if _is_loaded(each)}
    modules |= {module for each, needs in clients if _is_loaded(each) for module in needs.modules}
    implied = [replace(each, module=module, names=()) for each, needs in clients for module in needs.unpromised]
    return Needs(
        packages=tuple(sorted(packages)),
        requirements=required.items,
        options=required.options,
        modules=tuple(sorted(modules)),
        unknown=tuple(each for each in [*third_party, *implied] if package_of(each.module) is None),
    )


def is_test(path: str) -> bool:
    """Whether a file is one of tests by its name, as pytest has it."""
    name = path.rpartition("/")[2]
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def third_party_modules(each: Import) -> Iterator[Import]:
    """The modules that an import of others' code is of: `from google import generativeai` names one by its name."""
    if package_of(each.module) is not None:
        yield each
        return
    inner = {name: f"{each.module}.{name}" for name in each.names}
    modules = {name: module for name, module in inner.items() if package_of(module)}
    yield from (replace(each, module=module, names=()) for module in modules.values())
    if not modules or len(modules) < len(inner):
        yield replace(each, names=tuple(name for name in each.names if name not in modules))


def _apart(imports: Iterable[Import], project: ProjectModules) -> tuple[list[Import], list[tuple[Import, ClientNeeds]]]:
    """The imports of others' code, and those of the SDK with what each needs."""
    third_party: list[Import] = []
    clients: list[tuple[Import, ClientNeeds]] = []
    for each in imports:
        origin = project.origin(each.module)
        if origin is Origin.THIRD_PARTY:
            third_party.extend(third_party_modules(each))
        elif origin is Origin.SDK:
            clients.extend((each, needs) for needs in needs_of_import(each.module, each.names))
    return third_party, clients


def _requirements(needs: ClientNeeds) -> Iterator[str]:
    return (package.requirement for name in needs.packages if (package := find_promised(name)))


def _is_loaded(each: Import) -> bool:
    return not each.is_late and not each.is_guarded
