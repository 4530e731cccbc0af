"""What the rules of `ak project lint` look for: functions of a project, which give places with what is wrong."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from packaging.utils import canonicalize_name

from autokitteh_server.builds.clients import CLIENTS, SDK, ClientNeeds, find_client, needs_of_import
from autokitteh_server.builds.code import Code, sdk_name
from autokitteh_server.builds.entries import missing_entries
from autokitteh_server.builds.imports import Import, Origin
from autokitteh_server.builds.lint_sets import unordered_loops
from autokitteh_server.builds.needs import is_test, third_party_modules
from autokitteh_server.builds.packages import package_of
from autokitteh_server.builds.requirements import Requirements, read_requirements, repeated_package
from autokitteh_server.builds.source import Source
from autokitteh_server.builds.syntax import check_syntax
from autokitteh_server.core.manifest_problems import Problem
from autokitteh_server.core.names import Entry, did_you_mean

#: What only durable sessions can do.
_DURABLE_ONLY = frozenset({"next_signal"})

#: Modules that are not called as the package that provides them.
_KNOWN_AS = {
    "PIL": "pillow",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "attr": "attrs",
    "cv2": "opencv-python",
    "fitz": "pymupdf",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


class Spot(NamedTuple):
    """A place that a rule has something to say about."""

    file: str
    line: int
    message: str
    remedy: str


class Project:
    """What the rules look at: a project, and what several of them need to know of it."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def code(self) -> Code:
        return Code(self.source)

    @cached_property
    def requirements(self) -> Requirements:
        return read_requirements(self.source.files)

    @cached_property
    def syntax(self) -> list[Problem]:
        return check_syntax(self.source)


def syntax(project: Project) -> Iterable[Spot]:
    return map(_spot, project.syntax)


def missing_entry(project: Project) -> Iterable[Spot]:
    return map(_spot, missing_entries(project.source, {problem.file for problem in project.syntax}))


def bad_requirement(project: Project) -> Iterable[Spot]:
    return map(_spot, project.requirements.problems)


def repeated_promise(project: Project) -> Iterator[Spot]:
    refused = {(problem.file, problem.line) for problem in project.requirements.problems}
    for each in project.requirements.items:
        if (each.file, each.line) not in refused and (package := repeated_package(each)):
            message = f"{package.name} is there without being asked for, as {package.requirement}"
            yield Spot(each.file, each.line, message, "Remove the line.")


def unused_connection(project: Project) -> Iterator[Spot]:
    manifest, file = project.source.manifest, project.source.manifest_path
    if manifest is None or file is None or project.syntax:  # what a broken file says, nobody knows
        return
    texts = [text for tree in project.code.trees.values() for text in _texts(tree)]
    texts += [var.value for var in manifest.vars if var.value]  # which connection is meant may be a setting
    used = {trigger.connection for trigger in manifest.triggers}
    for connection in manifest.connections:
        if connection.name not in used and not any(connection.name in text for text in texts):
            line = _line_of_connection(project.source.files[file], connection.name)
            message = f"nothing uses the connection {connection.name}: no trigger, and no text in the code names it"
            yield Spot(file, line, message, "Remove it, or use it.")


def unknown_connection(project: Project) -> Iterator[Spot]:
    manifest = project.source.manifest
    if manifest is None:
        return
    known = [connection.name for connection in manifest.connections]
    for file, call, name in _named_connections(project.code):
        if name not in known:
            near = did_you_mean(name, known)
            other = "Declare it there, unless it is made by hand."
            remedy = f"Did you mean {near}? {other}" if near else other
            yield Spot(file, call.lineno, f"the manifest declares no connection {name!r}", remedy)


def unresolved_late_import(project: Project) -> Iterator[Spot]:
    modules = project.code.modules
    for each in project.code.imports:
        if not each.is_late or each.is_guarded or is_test(each.file):
            continue
        origin = modules.origin(each.module)
        if origin is Origin.PROJECT and not modules.has(each.module):
            message = f"the project has no module {each.module}"
            yield Spot(each.file, each.line, message, "Check its name, and where the files lie.")
        elif origin is Origin.THIRD_PARTY:
            yield from _unprovided(project, each)


def order_of_set(project: Project) -> Iterator[Spot]:
    message = "what is done for each element of this set is recorded, and in a replay their order may be another"
    for file, line in unordered_loops(project.code):
        yield Spot(file, line, message, "Give them an order: `sorted(...)`.")


def durable_only(project: Project) -> Iterator[Spot]:
    manifest, code = project.source.manifest, project.code
    known: set[Entry] = set()  # each function is looked at once, for the first trigger that leads to it
    for trigger in manifest.triggers if manifest else ():
        if trigger.is_durable or trigger.call is None:
            continue
        reached = code.reachable([trigger.call], passes=lambda function: True, known=known)
        known.update(reached)
        for entry in reached:
            for call in code.calls(code.functions[entry]):
                name = sdk_name(code.meaning(entry.file, call.func))
                if name in _DURABLE_ONLY:
                    message = f"{name} works in durable sessions only, and those of the trigger {trigger.name} are not"
                    yield Spot(entry.file, call.lineno, message, "Give the trigger `is_durable: true`.")


def whole_clients(project: Project) -> Iterator[Spot]:
    for each in project.code.imports:
        for module in _imported_whole(each):
            kinds = {needs.packages for needs in needs_of_import(module, ()) if needs.packages}
            if len(kinds) > 1:
                packages = sorted({name for kind in kinds for name in kind}, key=str.lower)
                message = f"all clients of {module} are imported, so the environment gets {', '.join(packages)}"
                yield Spot(each.file, each.line, message, f"Import what is used: `from {module} import ...`.")


def _spot(problem: Problem) -> Spot:
    return Spot(problem.file, problem.line, problem.message, problem.remedy)


def _texts(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _line_of_connection(manifest: bytes, name: str) -> int:
    """The line in which a connection is likely declared: the manifest's values do not know where they stood."""
    text = manifest.decode(errors="replace")
    start = text.find("connections")
    found = re.compile(rf"\bname[\"']?\s*:\s*[\"']?{re.escape(name)}\b").search(text, max(start, 0))
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _named_connections(code: Code) -> Iterator[tuple[str, ast.Call, str]]:
    """The calls of the SDK's clients that name a connection, with its name."""
    for file, tree in code.trees.items():
        if is_test(file):
            continue
        for call in code.calls(tree):
            needs = find_client(code.meaning(file, call.func))
            given = _connection_given(call, needs) if needs else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                yield file, call, given.value


def _connection_given(call: ast.Call, needs: ClientNeeds) -> ast.expr | None:
    if needs.connection_at is None or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    by_name = [each.value for each in call.keywords if each.arg == "connection"]
    return next(iter([*call.args[needs.connection_at : needs.connection_at + 1], *by_name]), None)


def _unprovided(project: Project, each: Import) -> Iterator[Spot]:
    requirements = [requirement.name for requirement in project.requirements.items]
    for module in (found.module for found in third_party_modules(each)):
        if package_of(module) is None and not any(_may_provide(name, module) for name in requirements):
            message = f"nothing that the project requires is known to provide the module {module}"
            remedy = "Name the package that does in requirements.txt: when the import is made, it is too late."
            yield Spot(each.file, each.line, message, remedy)


def _may_provide(requirement: str, module: str) -> bool:
    """Whether a package may have a module, going by their names: python-dateutil has dateutil."""
    top = module.partition(".")[0]
    wanted, name = _squeezed(_KNOWN_AS.get(top, top)), _squeezed(requirement)
    return wanted in name or name in wanted or name in _squeezed(module)


def _squeezed(name: str) -> str:
    return canonicalize_name(name).replace("-", "")


def _imported_whole(each: Import) -> list[str]:
    """The SDK's modules for services that an import is of as a whole."""
    if each.module == SDK:
        return [f"{SDK}.{name}" for name in each.names if name in CLIENTS]
    is_whole = not each.names or "*" in each.names
    return [each.module] if is_whole and each.module.removeprefix(f"{SDK}.") in CLIENTS else []
