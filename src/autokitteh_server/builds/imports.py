"""What a project's code imports, found without running it, and whose modules those are."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from autokitteh_server.builds.clients import SDK
from autokitteh_server.builds.packages import package_of
from autokitteh_server.builds.source import Source
from autokitteh_server.builds.syntax import parse

#: The SDK, and what runs it: names that nothing in a project can take.
_OURS = frozenset({SDK, "autokitteh_runner"})

_CATCHES_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})

#: What code asks to find out where it runs. Imports that depend on it may be those of another machine.
_ABOUT_THE_MACHINE = frozenset({"version_info", "hexversion", "platform", "system"})


class Origin(Enum):
    """Whose a module is."""

    PROJECT = auto()
    STANDARD = auto()  # of Python's library
    SDK = auto()
    THIRD_PARTY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One module that an import statement names, or a call of `import_module`."""

    module: str  # dotted and absolute; with dots in front if it is relative and leads out of the project
    names: tuple[str, ...] = ()  # what is taken from it, each perhaps a module itself; "*"; none: the module whole
    file: str
    line: int
    is_late: bool = False  # in a function: made when that is called
    is_guarded: bool = False  # the code does without it, or it is meant for another machine


class ProjectModules:
    """The modules that a project's files are."""

    def __init__(self, paths: Iterable[str]) -> None:
        files = [path for path in paths if path.endswith(".py") and "site-packages" not in path.split("/")]
        self._files = {_module_of(path): path for path in sorted(files)}
        self._folders = frozenset(folder for path in files for folder in _folders(path))

    def has(self, module: str) -> bool:
        """Whether there is a module of this dotted name, a file or a package; with or without an __init__.py."""
        return module in self._files or module in self._folders

    def file_of(self, module: str) -> str | None:
        """The file of a module; None for packages without an __init__.py, and for others' modules."""
        return self._files.get(module)

    def origin(self, module: str) -> Origin:
        """Whose a dotted module is, by the order in which a session's process looks for it."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            return Origin.STANDARD
        if top in _OURS:
            return Origin.SDK
        # A folder without __init__.py gives way to any package that is installed.
        is_own = not top or top in self._files or (top in self._folders and package_of(module) is None)
        return Origin.PROJECT if is_own else Origin.THIRD_PARTY


def find_imports(source: Source) -> list[Import]:
    """All imports of the project's code, by file and line. Files that are not valid Python have none."""
    return [each for path, tree in parsed(source).items() for each in imports_of(path, tree)]


def parsed(source: Source) -> Mapping[str, ast.Module]:
    """The trees of all files of Python with valid syntax, by path."""
    trees = {path: parse(source.files[path]) for path in sorted(source.files) if path.endswith(".py")}
    return {path: tree for path, tree in trees.items() if tree is not None}


def imports_of(file: str, tree: ast.Module) -> list[Import]:
    """All imports of one file, by line. Those below `if TYPE_CHECKING:` are left out: they are never made."""
    found = (each for node, where in _walk(tree) for each in _imports(file, node, where))
    return sorted(found, key=lambda each: each.line)


@dataclass(frozen=True, slots=True)
class _Where:
    is_late: bool = False
    is_guarded: bool = False


_Visit = tuple[ast.AST, _Where]


def _walk(tree: ast.Module) -> Iterator[_Visit]:
    """All nodes. No recursion: code nests deep without looking so."""
    waiting: list[_Visit] = [(tree, _Where())]
    while waiting:
        node, where = waiting.pop()
        yield node, where
        waiting.extend(_inside(node, where))


def _inside(node: ast.AST, where: _Where) -> Iterable[_Visit]:
    guarded = _Where(where.is_late, is_guarded=True)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return _with(node, "body", _Where(True, where.is_guarded), where)
    if isinstance(node, ast.Try | ast.TryStar) and any(map(_catches_import_errors, node.handlers)):
        # What stands in the handlers is another way to the same, and in `else` what goes with the module.
        return _with(node, "finalbody", where, guarded)
    if isinstance(node, ast.With) and any(_suppresses_import_errors(item.context_expr) for item in node.items):
        return _with(node, "body", guarded, where)
    if isinstance(node, ast.If):
        return _branches(node, where, guarded)
    return ((child, where) for child in ast.iter_child_nodes(node))


def _with(node: ast.AST, part: str, there: _Where, elsewhere: _Where) -> Iterable[_Visit]:
    """What is inside a node, with its own circumstances for one part of it."""
    value = getattr(node, part)
    special = set(map(id, value if isinstance(value, list) else [value]))
    return [(child, there if id(child) in special else elsewhere) for child in ast.iter_child_nodes(node)]


def _branches(node: ast.If, where: _Where, guarded: _Where) -> Iterable[_Visit]:
    is_negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
    test = node.test.operand if isinstance(node.test, ast.UnaryOp) and is_negated else node.test
    if _last_name(test) == "TYPE_CHECKING":
        return [(child, where) for child in (node.body if is_negated else node.orelse)]
    names = {_last_name(each) for each in ast.walk(test)}
    if names & _ABOUT_THE_MACHINE or _is_os_name(test):
        return _with(node, "test", where, guarded)
    if "__name__" in names:  # nobody runs the project's files as scripts
        return _with(node, "body", guarded, where)
    return ((child, where) for child in ast.iter_child_nodes(node))


def _is_os_name(test: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Attribute) and each.attr == "name" and _last_name(each.value) == "os"
        for each in ast.walk(test)
    )


def _catches_import_errors(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(_last_name(each) in _CATCHES_IMPORT_ERRORS for each in caught)


def _suppresses_import_errors(manager: ast.expr) -> bool:
    if not isinstance(manager, ast.Call) or _last_name(manager.func) != "suppress":
        return False
    return any(_last_name(each) in _CATCHES_IMPORT_ERRORS for each in manager.args)


def _last_name(node: ast.AST) -> str:
    """`TYPE_CHECKING` of `typing.TYPE_CHECKING`; "" for what is no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _imports(file: str, node: ast.AST, where: _Where) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield _import(file, node.lineno, alias.name, (), where)
    elif isinstance(node, ast.ImportFrom):
        names = tuple(alias.name for alias in node.names)
        yield _import(file, node.lineno, "." * node.level + (node.module or ""), names, where)
    elif isinstance(node, ast.Call) and (module := _imported_by_call(node)):
        # When a call is made, nobody can say.
        yield _import(file, node.lineno, module, (), _Where(True, where.is_guarded))


def _imported_by_call(call: ast.Call) -> str:
    """The module in a call such as `importlib.import_module("a.b")`; "" if it is none, or computed."""
    name = _last_name(call.func)
    if name not in ("import_module", "__import__"):
        return ""
    given = next(iter([*call.args, *(each.value for each in call.keywords if each.arg == "name")]), None)
    module = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""
    is_plain = all(part.isidentifier() for part in module.lstrip(".").split("."))
    # A relative name is seldom relative to anything but the package that the code is in.
    return module if is_plain and (name == "import_module" or not module.startswith(".")) else ""


def _import(file: str, line: int, module: str, names: tuple[str, ...], where: _Where) -> Import:
    return Import(
        module=absolute_module(file, module),
        names=names,
        file=file,
        line=line,
        is_late=where.is_late,
        is_guarded=where.is_guarded,
    )


def absolute_module(file: str, module: str) -> str:
    """`..a` in the file x/y/z.py is x.a. What leads out of the project stays as it is."""
    name = module.lstrip(".")
    level = len(module) - len(name)
    if not level:
        return module
    package = file.split("/")[:-1]
    if level > len(package):
        return module
    return ".".join([*package[: len(package) - level + 1], *([name] if name else [])])


def _module_of(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
