"""Loops over sets in which something is done that gets recorded: in a replay its order may be another.

Texts and numbers come in the same order in all processes of a session. Other objects do not: where they lie in memory
decides.
"""

import ast
from collections.abc import Iterator

from autokitteh_server.builds.code import Code, Function, assignments, is_activity
from autokitteh_server.core.names import Entry

_SETS = frozenset({"set", "frozenset"})
_SET_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})
_SET_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
_KEEP_ORDER = frozenset({"enumerate", "iter", "list", "tuple", "zip"})
_ANNOTATIONS = frozenset({"set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"})

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def unordered_loops(code: Code) -> Iterator[tuple[str, int]]:
    """File and line of each loop over a set that reaches an activity, in what durable triggers call."""
    manifest = code.source.manifest
    triggers = manifest.triggers if manifest else ()
    entries = [trigger.call for trigger in triggers if trigger.call and trigger.is_durable]
    # In an activity nothing is recorded but its result.
    reached = code.reachable(entries, passes=lambda function: not is_activity(function))
    globals_ = {file: _module_level(code.trees[file]) for file in {entry.file for entry in reached}}
    for entry in reached:
        yield from ((entry.file, line) for line in _loops_in(code, entry, globals_[entry.file]))


def _loops_in(code: Code, entry: Entry, outer: frozenset[str]) -> Iterator[int]:
    function = code.functions[entry]
    names = _set_names(function, outer)
    for node in ast.walk(function):
        for iterated, body in _iterations(node):
            if _has_order_of_set(iterated, names) and _acts(code, entry.file, body):
                yield iterated.lineno


def _iterations(node: ast.AST) -> Iterator[tuple[ast.expr, list[ast.AST]]]:
    """What a loop or a comprehension iterates over, and what is done for each element."""
    if isinstance(node, ast.For):
        yield node.iter, list(node.body)
    elif isinstance(node, _Comprehension):
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for at, each in enumerate(node.generators):
            later = node.generators[at + 1 :]
            yield each.iter, [*results, *each.ifs, *later]


def _acts(code: Code, file: str, body: list[ast.AST]) -> bool:
    return any(code.reaches_outside(file, call) for part in body for call in code.calls(part))


def _has_order_of_set(node: ast.expr, names: frozenset[str]) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KEEP_ORDER and node.args:
        node = node.args[0]
    return _is_set(node, names)


def _is_set(node: ast.expr | None, names: frozenset[str]) -> bool:
    """Whether an expression certainly is a set. No recursion but into what it consists of, two levels at most."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        match each:
            case ast.Set(elts=elements):
                if not all(isinstance(element, ast.Constant) and element.value is not None for element in elements):
                    return True
            case ast.SetComp():
                return True
            case ast.Name(id=name):
                if name in names:
                    return True
            case ast.Call(func=ast.Name(id=name)):
                return name in _SETS
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _SET_METHODS:
                waiting.append(value)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _SET_OPERATORS):
                waiting += [left, right]
    return False


def _module_level(tree: ast.Module) -> frozenset[str]:
    simple = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    pairs = [pair for node in simple for pair in assignments(node)]
    return _always_sets(pairs, frozenset())


def _set_names(function: Function, outer: frozenset[str]) -> frozenset[str]:
    """The names that are sets in a function whatever happens in it."""
    pairs = list(assignments(function))
    bound = {name for name, _ in pairs}
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    annotated = {each.arg for each in arguments if _is_set_annotation(each.annotation)}
    own = [(name, value) for name, value in pairs if value is not None or name not in annotated]
    assigned = {name for name, _ in own}
    return (outer - bound) | _always_sets(own, outer - bound) | (annotated - assigned)


def _always_sets(pairs: list[tuple[str, ast.expr | None]], known: frozenset[str]) -> frozenset[str]:
    sets = known
    for _ in range(2):  # the second time for those that are made of others
        others = {name for name, value in pairs if not _is_set(value, sets)}
        sets = known | frozenset(name for name, _ in pairs if name not in others)
    return sets


def _is_set_annotation(annotation: ast.expr | None) -> bool:
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
    return name in _ANNOTATIONS
