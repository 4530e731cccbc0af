"""A project's code as functions that call each other, as far as that can be seen without running it.

What a name means is taken from the imports and the functions of its file, wherever in it they are. What is passed
around in variables, and methods, are not followed: what is found here is so, but it is not all there is.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property

from autokitteh_server.builds.clients import SDK
from autokitteh_server.builds.imports import Origin, ProjectModules, absolute_module, imports_of, parsed
from autokitteh_server.builds.source import Source
from autokitteh_server.core.names import Entry

Function = ast.FunctionDef | ast.AsyncFunctionDef

#: Of the SDK's functions those that do something outside of the session.
_EFFECTS = frozenset(
    {
        *("start", "signal", "next_signal", "next_event", "subscribe", "unsubscribe", "outcome", "http_outcome"),
        *("get_value", "set_value", "del_value", "add_values", "list_values_keys", "check_and_set_value"),
        *("mutate_value", "publish_value", "unpublish_value"),
    }
)

#: Of the standard library what is most used to reach outside, modules and functions.
_OUTSIDE = frozenset(
    {
        *("ftplib", "http.client", "imaplib", "poplib", "shutil", "smtplib", "socket", "sqlite3", "ssl"),
        *("subprocess", "time.sleep", "urllib.request"),
    }
)
_OUTSIDE_BUILTINS = frozenset({"open", "input"})


class Code:
    """The code of one project."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.modules = ProjectModules(source.files)
        self.trees = parsed(source)
        self.imports = [each for file, tree in self.trees.items() for each in imports_of(file, tree)]
        self._names = {file: _imported_names(file, tree) for file, tree in self.trees.items()}
        self._outside_names: dict[str, frozenset[str]] = {}

    @cached_property
    def functions(self) -> dict[Entry, Function]:
        """The functions at the top level of modules. Of several with one name the last one."""
        return {
            Entry(file, node.name): node
            for file, tree in self.trees.items()
            for node in tree.body
            if isinstance(node, Function)
        }

    def meaning(self, file: str, expression: ast.expr) -> str:
        """What an expression such as `slack.slack_client` is by its imports: "autokitteh.slack.slack_client", or ""."""
        rest: list[str] = []
        while isinstance(expression, ast.Attribute):
            rest.append(expression.attr)
            expression = expression.value
        root = self._names[file].get(expression.id, "") if isinstance(expression, ast.Name) else ""
        return ".".join([root, *reversed(rest)]) if root else ""

    def called(self, file: str, call: ast.Call) -> Entry | None:
        """The function of the project that a call is of, if that can be seen."""
        if isinstance(call.func, ast.Name) and (entry := Entry(file, call.func.id)) in self.functions:
            return entry
        module, _, name = self.meaning(file, call.func).rpartition(".")
        entry = Entry(self.modules.file_of(module) or "", name)
        return entry if entry in self.functions else None

    def calls(self, within: ast.AST) -> Iterator[ast.Call]:
        """All calls in a part of the code."""
        return (node for node in ast.walk(within) if isinstance(node, ast.Call))

    def reachable(
        self, start: Iterable[Entry], *, passes: Callable[[Function], bool], known: Collection[Entry] = ()
    ) -> list[Entry]:
        """The functions that these call, and those that they call, and so on, these included. Sorted.

        Into those that do not pass nobody looks, nor into those that are known.
        """
        waiting = [entry for entry in start if entry in self.functions]
        seen: set[Entry] = set()
        while waiting:
            entry = waiting.pop()
            if entry not in seen and entry not in known and passes(self.functions[entry]):
                seen.add(entry)
                waiting.extend(self._callees[entry])
        return sorted(seen)

    def reaches_outside(self, file: str, call: ast.Call) -> bool:
        """Whether a call certainly does what is recorded: it is of others' code, or of what calls such."""
        entry = self.called(file, call)
        return entry in self._reaching if entry else self._is_outside(file, call)

    @cached_property
    def _callees(self) -> dict[Entry, frozenset[Entry]]:
        return {
            entry: frozenset(
                callee for call in self.calls(node) if (callee := self.called(entry.file, call)) is not None
            )
            for entry, node in self.functions.items()
        }

    @cached_property
    def _reaching(self) -> frozenset[Entry]:
        """The functions that are activities or make calls which are, themselves or through others."""
        callers = defaultdict(list)
        for entry, callees in self._callees.items():
            for callee in callees:
                callers[callee].append(entry)
        waiting = [entry for entry, node in self.functions.items() if is_activity(node) or self._acts(entry, node)]
        found: set[Entry] = set()
        while waiting:
            entry = waiting.pop()
            if entry not in found:
                found.add(entry)
                waiting.extend(callers[entry])
        return frozenset(found)

    def _acts(self, entry: Entry, node: Function) -> bool:
        return any(
            self.called(entry.file, call) is None and self._is_outside(entry.file, call) for call in self.calls(node)
        )

    def _is_outside(self, file: str, call: ast.Call) -> bool:
        if file not in self._outside_names:
            self._outside_names[file] = frozenset(self._names_of_others_objects(file))
        root = call.func
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self._outside_names[file]:
            return True
        if isinstance(call.func, ast.Name) and call.func.id in _OUTSIDE_BUILTINS:
            return call.func.id not in self._names[file]
        return self._is_outside_name(self.meaning(file, call.func))

    def _is_outside_name(self, name: str) -> bool:
        if not name:
            return False
        origin = self.modules.origin(name)
        if origin is Origin.SDK:
            return name.rpartition(".")[2] in _EFFECTS
        return origin is Origin.THIRD_PARTY or (origin is Origin.STANDARD and _is_in(name, _OUTSIDE))

    def _names_of_others_objects(self, file: str) -> set[str]:
        """The names that are only ever given to what others' code has made, clients of services for example."""
        theirs: set[str] = set()
        other: set[str] = set()
        for name, value in assignments(self.trees[file]):
            called = value.value if isinstance(value, ast.Await) else value
            is_theirs = isinstance(called, ast.Call) and self._makes_others_object(file, called)
            (theirs if is_theirs else other).add(name)
        return theirs - other

    def _makes_others_object(self, file: str, call: ast.Call) -> bool:
        name = self.meaning(file, call.func)
        if not name:
            return False
        is_client = self.modules.origin(name) is Origin.SDK and name.endswith("_client")
        return is_client or self.modules.origin(name) is Origin.THIRD_PARTY


def is_activity(function: Function) -> bool:
    """Whether a function is marked `@activity`: what happens in it is nobody's to repeat."""
    return any(_decorator_name(each) == "activity" for each in function.decorator_list)


def assignments(within: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that are bound in a part of the code, and what to; None where that is not one expression."""
    for node in ast.walk(within):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _bound(target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from _bound(target, value)
            case ast.NamedExpr(target=target, value=value):
                yield from _bound(target, value)
            case ast.withitem(optional_vars=target, context_expr=value) if target is not None:
                yield from _bound(target, value)
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                yield from _bound(target, None)
            case ast.arg(arg=name):
                yield name, None


def sdk_name(name: str) -> str:
    """The name of a function of the SDK's root, whichever of its modules it was imported from; "" for any other."""
    return name.rpartition(".")[2] if name.startswith(f"{SDK}.") else ""


def _bound(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
        return
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, None


def _imported_names(file: str, tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                names.setdefault(alias.asname or name, name)
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(file, "." * node.level + (node.module or ""))
            for alias in node.names:
                names.setdefault(alias.asname or alias.name, f"{module}.{alias.name}")
    return names


def _is_in(name: str, names: frozenset[str]) -> bool:
    while name:
        if name in names:
            return True
        name = name.rpartition(".")[0]
    return False


def _decorator_name(decorator: ast.expr) -> str:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
