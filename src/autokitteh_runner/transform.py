"""Rewrites project code so that each of its calls passes the interceptor, and is otherwise exactly what it was.

`f(args)` becomes `__ak_call__(f)(args)`: only the callee is touched. `__ak_call__`, the *resolver*, gets whatever
stands before the parentheses, callable or not, and returns what to call instead, most often the very same object.
Arguments are evaluated as Python evaluates them, and the call is made from the author's own frame, so `super()`,
`locals()`, `sys._getframe()`, the stack level of a warning, and a traceback's lines and carets stay what they are.

The one difference known is a word: what a built-in method says of wrong arguments, "str.count() takes no keyword
arguments", lacks the type's name, as it does in plain Python when the method was looked up before it is called.
"""

import ast
import sys
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any

#: The resolver's name in the globals of rewritten code. It ends in underscores, so that no class mangles it.
RESOLVER = "__ak_call__"

#: Part of the key of cached code. To be raised whenever the same source would be rewritten differently.
VERSION = 1

#: What annotations, type parameters and type aliases say is for type checkers, and may be turned back into text.
_UNTOUCHED_FIELDS = {"annotation", "returns", "type_params"}
_UNTOUCHED_NODES = {"TypeAlias"}

#: For each kind of node, the fields that hold expressions and statements that are run.
_RUN_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: ()
    if kind.__name__ in _UNTOUCHED_NODES
    else tuple(field for field in kind._fields if field not in _UNTOUCHED_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)

#: Calling one of these is a TypeError, and the compiler warns of it. A resolver in between would hide the warning.
_NEVER_CALLABLE = (
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.ListComp,
    ast.Dict,
    ast.DictComp,
    ast.Set,
    ast.SetComp,
    ast.GeneratorExp,
    ast.JoinedStr,
)

#: The compiler gives up the method call's special form from this number of arguments on (its STACK_USE_GUIDELINE).
_TOO_MANY_ARGUMENTS = 30

#: Python 3.11 counts how deep it is in a tree for all threads together, and fails with a SystemError, now and then,
#: where two of them import at once (CPython's issue 106905).
_ONE_AT_A_TIME = threading.Lock()


def compile_module(source: bytes, filename: str) -> CodeType:
    """Compile a module's source with its calls rewritten.

    Raises what `compile` raises for the source as it is. Rewritten, each link of a chain of calls nests twice as deep:
    an expression for which only that is too much (hundreds of links) is a SyntaxError that names its line.
    """
    with _ONE_AT_A_TIME:
        return _compile(source, filename)


def _compile(source: bytes, filename: str) -> CodeType:
    tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    try:
        return compile(transform(tree), filename, "exec", dont_inherit=True)
    except RecursionError:
        compile(source, filename, "exec", dont_inherit=True)
        line = _deepest_line(tree)
        message = "expression nested too deeply for a durable session; split it into several statements"
        raise SyntaxError(message, (filename, line, None, None)) from None


def transform(tree: ast.Module) -> ast.Module:
    """Rewrite the calls in the bodies of functions, lambdas and classes, in place, and return the tree.

    Module-level statements are left alone, and so are the decorators, default values and base classes of what is
    defined there: they run while the module is loaded. Annotations are left alone everywhere, as is `super(...)`,
    whose form the compiler knows.
    """
    imported = _imported_names(tree)
    bodies: list[ast.AST] = []
    # Stacks, not recursion: the depth of what can be compiled is the compiler's affair. A node is rewritten before
    # its children, so that a new node gets its location from nodes that are still where they were.
    loaded: list[ast.AST] = [tree]
    while loaded:
        node = loaded.pop()
        if isinstance(node, _SCOPES):
            body = set(map(id, _children(node, ("body",))))
            for child in _children(node):
                (bodies if id(child) in body else loaded).append(child)
        else:
            loaded.extend(_children(node))
    while bodies:
        node = bodies.pop()
        bodies.extend(_children(node))
        if type(node) is ast.Call:
            _rewrite(node, imported)
    return tree


def _children(node: ast.AST, fields: tuple[str, ...] | None = None) -> Iterator[ast.AST]:
    for field in _RUN_FIELDS[type(node)] if fields is None else fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item
        elif isinstance(value, ast.AST):
            yield value


def _rewrite(call: ast.Call, imported: set[str]) -> None:
    callee = call.func
    if isinstance(callee, _NEVER_CALLABLE) or (isinstance(callee, ast.Name) and callee.id == "super"):
        return
    location = _location(callee)
    if isinstance(callee, ast.Attribute) and callee.lineno != callee.end_lineno:
        # In a chain over several lines an attribute is looked up, and a method called, in the line of its own name.
        # The compiler sees to the first, but to the second only as long as it sees the method.
        assert callee.end_lineno is not None and callee.end_col_offset is not None
        name_width = len(callee.attr)
        if name_width <= callee.end_col_offset:
            location |= {"lineno": callee.end_lineno, "col_offset": callee.end_col_offset - name_width}
            if _is_method_call(call, callee, imported):
                call.lineno, call.col_offset = location["lineno"], location["col_offset"]
    resolver = ast.Name(RESOLVER, ast.Load(), **_location(callee))
    call.func = ast.Call(resolver, [callee], [], **location)


def _location(node: ast.expr) -> dict[str, Any]:
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def _is_method_call(call: ast.Call, callee: ast.Attribute, imported: set[str]) -> bool:
    """Whether the compiler would have used its special form for methods (its `maybe_optimize_method_call`)."""
    if sys.version_info >= (3, 12) and isinstance(callee.value, ast.Name) and callee.value.id in imported:
        return False
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    if any(keyword.arg is None for keyword in call.keywords):
        return False
    return len(call.args) + len(call.keywords) + bool(call.keywords) < _TOO_MANY_ARGUMENTS


def _imported_names(tree: ast.Module) -> set[str]:
    """The names that import statements bind at module level."""
    names = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif not isinstance(node, _SCOPES) and not isinstance(node, ast.expr):
            todo.extend(_children(node))
    return names


def _deepest_line(tree: ast.Module) -> int:
    deepest, line = 0, 1
    todo: list[tuple[ast.AST, int]] = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > deepest:
            deepest, line = depth, getattr(node, "lineno", line)
        todo.extend((child, depth + 1) for child in _children(node))
    return line
