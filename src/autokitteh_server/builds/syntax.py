"""What can be known of Python code without running it: whether it is valid, and what it defines."""

import ast
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from autokitteh_server.builds.source import Source
from autokitteh_server.core.manifest_problems import Problem

T = TypeVar("T")

#: Python 3.11 counts how deep it is in a tree for all threads together, and fails with a SystemError where two parse at
#: once (CPython's issue 106905); and what is done to warnings is done to those of all threads.
_ONE_AT_A_TIME = threading.Lock()

# ValueError: NUL characters. The last two: nested too deep for the compiler.
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Definitions:
    """The names at a module's top level."""

    functions: tuple[str, ...]  # made by `def` or `async def`, in order
    activities: frozenset[str]  # those of them that are marked `@activity`, however it is imported
    others: frozenset[str]  # classes, assigned names, imported names
    is_open: bool  # `from x import *`: there are more, unknown ones

    def has(self, name: str) -> bool:
        """Whether code that imports the module may expect the name."""
        return self.is_open or name in self.functions or name in self.others


def check_syntax(source: Source) -> list[Problem]:
    """What is wrong with the syntax of the .py files, one problem a file, sorted by path.

    The syntax is that of the Python which runs this. Files need not be UTF-8 if they declare their encoding (PEP 263).
    """
    checked = (syntax_problem(path, source.files[path]) for path in sorted(source.files) if path.endswith(".py"))
    return [problem for problem in checked if problem]


def syntax_problem(path: str, content: bytes) -> Problem | None:
    """What is wrong with the syntax of one file; None if nothing is."""
    try:
        # Compiling finds more than parsing does: `return` outside of a function, `global` after use.
        _quietly(lambda: compile(content, path, "exec", dont_inherit=True))
        return None
    except _FAILURES as error:
        return _problem(path, content, error)


def parse(content: bytes) -> ast.Module | None:
    """The tree of one file; None if its syntax is not valid."""
    try:
        return _quietly(lambda: ast.parse(content))
    except _FAILURES:
        return None


def definitions(content: bytes) -> Definitions:
    """The top-level names of a file with valid syntax, those inside `if`, `try`, `with` and loops included."""
    module = _quietly(lambda: ast.parse(content))
    statements = list(_statements(module.body))
    functions = [each for each in statements if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = [name for each in statements for name in _bound(each)]
    return Definitions(
        functions=tuple(dict.fromkeys(each.name for each in functions)),
        activities=frozenset(each.name for each in functions if any(map(_is_activity, each.decorator_list))),
        others=frozenset(names) - {"*"},
        is_open="*" in names,
    )


def _is_activity(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
    return name == "activity"


def _problem(path: str, content: bytes, error: BaseException) -> Problem:
    if not isinstance(error, SyntaxError):
        message = str(error) if isinstance(error, ValueError) else "the code is nested too deep"
        return Problem(message=message, file=path)
    line = max(error.lineno or 1, 1)
    lines = content.splitlines()
    shown = error.text or (lines[line - 1].decode(errors="replace") if line <= len(lines) else "")
    return Problem(
        message=error.msg, file=path, line=line, column=max(error.offset or 1, 1), excerpt=shown.strip("\r\n")
    )


def _quietly(read: Callable[[], T]) -> T:
    """Warnings, of an invalid escape for example, are told when the code runs; here they would come twice."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that are run when the module is loaded, in order. No recursion: a chain of `elif` nests deep."""
    waiting = body[::-1]
    while waiting:
        statement = waiting.pop()
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting.extend(reversed(list(_inside(statement))))


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    parts = (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
    for part in parts:
        for block in ("body", "orelse", "finalbody"):
            yield from getattr(part, block, ())


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names other than functions' that a statement binds, without those that statements inside of it do."""
    if isinstance(statement, ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    elif not (isinstance(statement, ast.AnnAssign) and statement.value is None):  # an annotation alone binds nothing
        for target in _targets(statement):
            yield from (
                each.id for each in ast.walk(target) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            )


def _targets(statement: ast.stmt) -> Iterator[ast.AST]:
    if not isinstance(statement, ast.Delete):
        yield from getattr(statement, "targets", ())
    for owner, name in ((statement, "target"), *((item, "optional_vars") for item in getattr(statement, "items", ()))):
        if target := getattr(owner, name, None):
            yield target
