"""Real code: the standard library compiles to the same structure, and parts of it, run rewritten, do the same."""

import ast
import dis
import importlib.util
import re
import sys
import sysconfig
import types
import unittest
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autokitteh_runner.transform import RESOLVER, compile_module, transform

LIBRARY = Path(sysconfig.get_path("stdlib"))

#: Every so many-th file is looked at in the fast suite.
SAMPLE = 25

#: No file has so many lines.
NOWHERE = 10**6


def sources() -> list[Path]:
    """The standard library's files, without its own tests: those are twice as many, and found nothing more."""
    left_out = {"site-packages", "lib2to3", "test", "tests"}
    return sorted(path for path in LIBRARY.rglob("*.py") if not left_out & set(path.relative_to(LIBRARY).parts))


def code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def structure(code: types.CodeType) -> dict[str, object]:
    """What rewriting must not change in a code object."""
    return {
        "names": (code.co_name, code.co_qualname, code.co_filename, code.co_firstlineno),
        "flags": code.co_flags,
        "arguments": (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        # Python 3.12 and later count the globals of comprehensions in class bodies as variables.
        "variables": [name for name in code.co_varnames if name != RESOLVER],
        "closure": (code.co_freevars, code.co_cellvars),
        "lines": {line for *_, line in code.co_lines()},
    }


def calls(code: types.CodeType) -> set[tuple[str, object]]:
    """The calls in a code object and where they point to, but for the resolver's.

    A set, for the compiler may or may not copy a short block that ends a function.
    """
    return {
        (instruction.opname, instruction.positions)
        for instruction in dis.get_instructions(code)
        if instruction.opname.startswith("CALL")
        and "INTRINSIC" not in instruction.opname
        and instruction.positions is not None
        and instruction.positions.lineno != NOWHERE
    }


def check_structure(path: Path) -> None:
    """Compare a file's code with its rewritten code, if it compiles at all."""
    source = path.read_bytes()
    try:
        original = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return
    rewritten = compile_module(source, str(path))
    for before, after in zip(code_objects(original), code_objects(rewritten), strict=True):
        assert structure(after) == structure(before), path
    tree = transform(ast.parse(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == RESOLVER:
            node.lineno = node.end_lineno = NOWHERE
            node.col_offset = node.end_col_offset = 0
    marked = compile(tree, str(path), "exec", dont_inherit=True)
    for before, after in zip(code_objects(original), code_objects(marked), strict=True):
        assert calls(after) == calls(before), f"{path}: {before.co_qualname}"


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_some_of_the_standard_library_keeps_its_structure() -> None:
    """Names, closures, flags, lines and the positions of calls are the original's in a sample of real files."""
    for path in sources()[::SAMPLE]:
        check_structure(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_all_of_the_standard_library_keeps_its_structure() -> None:
    """Names, closures, flags, lines and the positions of calls are the original's in every real file."""
    for path in sources():
        check_structure(path)


def load(name: str, resolver: Callable[[Any], Any] | None, **others: types.ModuleType) -> types.ModuleType:
    """A fresh copy of a standard library module, rewritten if there is a resolver.

    While it loads, `others` stand in for the modules of these names.
    """
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    module = importlib.util.module_from_spec(spec)
    source = Path(spec.origin).read_bytes()
    if resolver is None:
        code = compile(source, spec.origin, "exec", dont_inherit=True)
    else:
        code = compile_module(source, spec.origin)
        setattr(module, RESOLVER, resolver)
    with standing_in(**others, **{name: module}):
        exec(code, module.__dict__)
    return module


class standing_in:
    """While entered, modules are found in `sys.modules` under names that are not theirs."""

    def __init__(self, **modules: types.ModuleType) -> None:
        self.modules = modules

    def __enter__(self) -> None:
        self.before = {name: sys.modules.get(name) for name in self.modules}
        sys.modules.update(self.modules)

    def __exit__(self, *error: object) -> None:
        for name, module in self.before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class Counting:
    """A resolver that makes every call direct, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, callee: Any) -> Any:
        self.calls += 1
        return callee


def wrapping(callee: Any) -> Any:
    """A resolver that puts a function of its own around each function and method."""
    if isinstance(callee, types.FunctionType | types.MethodType):
        return lambda *args, **kwargs: callee(*args, **kwargs)
    return callee


def attempt(function: Callable[[], object]) -> str:
    """The outcome of a call, as text without addresses."""
    try:
        result = repr(function())
    except Exception as error:
        lines = []
        tb = error.__traceback__
        while tb is not None:
            if tb.tb_frame.f_code.co_filename.startswith(str(LIBRARY)):
                lines.append((tb.tb_frame.f_code.co_qualname, tb.tb_lineno))
            tb = tb.tb_next
        result = f"{type(error).__qualname__} {error} {lines}"
    return re.sub(r"0x[0-9a-f]+", "0x", result)


def classes(module: Any) -> object:
    """What a class statement with this module's tools comes to."""

    @module.dataclass(order=True, frozen=True)
    class Point:
        x: int
        y: list[int] = module.field(default_factory=list, compare=False)

    one = Point(1)
    return one, one < Point(2), module.asdict(one), module.replace(one, x=3), hash(one), module.fields(Point)


def colours(module: Any) -> object:
    """What enumerations with this module's tools come to."""
    Colour = module.Enum("Colour", "RED GREEN")
    Flag = module.IntFlag("Flag", {"A": 1, "B": 2})
    return list(Colour), Colour(1), Colour["GREEN"], Flag.A | Flag.B, ~Flag.A, Flag(3), repr(Flag(0))


def parsed(module: Any, *words: str) -> object:
    """What a command line comes to. An error would end the process, so it is raised instead."""
    parser = module.ArgumentParser(prog="p", exit_on_error=False, description="A program. " * 9)
    parser.add_argument("--number", "-n", type=int, default=3, choices=[1, 2, 3])
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("go", help="go").add_argument("where", nargs="*")
    return parser.parse_args(words), parser.format_help()


def tags(module: Any, text: str) -> object:
    """What an HTML parser sees in a text."""
    seen: list[object] = []
    parser = module.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: seen.append((tag, attributes))
    parser.handle_data = seen.append
    parser.feed(text)
    parser.close()
    return seen


#: Calls of a module's functions, some of which raise.
USES: dict[str, list[Callable[[Any], object]]] = {
    "textwrap": [
        lambda m: m.fill("some words to fill a paragraph with " * 5, width=20, initial_indent="* "),
        lambda m: m.dedent("  a\n    b\n"),
        lambda m: m.shorten("Hello there world", width=12),
        lambda m: m.wrap("x", width=0),
        lambda m: m.indent("a\n\nb", "> ", lambda line: True),
    ],
    "json.decoder": [
        lambda m: m.JSONDecoder().decode('{"a": [1, 2.5, null, "\\u00e9"], "b": {"c": true}}'),
        lambda m: m.JSONDecoder(object_pairs_hook=list).decode('{"a": 1, "a": 2}'),
        lambda m: m.JSONDecoder().decode('{"a": [1, }'),
        lambda m: m.py_scanstring('"a\\nb" rest', 1),
        lambda m: m.py_scanstring('"a\\qb"', 1),
    ],
    "json.encoder": [
        lambda m: m.JSONEncoder(indent=2, sort_keys=True).encode({"b": [1, {"c": None}], "a": 1.5}),
        lambda m: m.JSONEncoder().encode({"a": object()}),
        lambda m: list(m.JSONEncoder(indent=1).iterencode([[], {}, (1, float("inf"))])),
    ],
    "argparse": [
        lambda m: parsed(m, "--number", "2", "go", "a", "b"),
        lambda m: parsed(m, "-n", "7"),
        lambda m: parsed(m, "-n", "x"),
    ],
    "dataclasses": [classes, lambda m: m.fields(3), lambda m: m.make_dataclass("D", ["a", ("b", int, 2)])(1)],
    "enum": [colours, lambda m: m.Enum("E", "A A"), lambda m: m.Enum("E", "A B")(9)],
    "fractions": [
        lambda m: m.Fraction("3/7") + m.Fraction(1.5) ** 2,
        lambda m: m.Fraction("x"),
        lambda m: m.Fraction(1, 0),
        lambda m: m.Fraction("3.14159").limit_denominator(100),
    ],
    "statistics": [
        lambda m: (m.mean([1, 2, 4]), m.median([3, 1, 2]), m.stdev([1, 2, 4]), m.quantiles(range(20))),
        lambda m: m.NormalDist(1, 2) + m.NormalDist.from_samples([1, 2, 3]),
        lambda m: m.mode([]),
        lambda m: m.linear_regression([1, 2, 3], [2, 4, 7]),
    ],
    "_pydecimal": [
        lambda m: m.Decimal("1.1") / m.Decimal(3) + m.Decimal(2).sqrt(),
        lambda m: m.Decimal(1) / 0,
        lambda m: m.Decimal("12345.678").quantize(m.Decimal("0.01")).to_eng_string(),
        lambda m: f"{m.Decimal('1234567.891'):>20,.2f}",
        lambda m: m.Decimal("nonsense"),
    ],
    "difflib": [
        lambda m: list(m.unified_diff(["a", "b", "c"], ["a", "x", "c"], lineterm="")),
        lambda m: list(m.ndiff(["one\n", "two\n"], ["ore\n", "tree\n"])),
        lambda m: m.get_close_matches("appel", ["ape", "apple", "peach"]),
        lambda m: m.HtmlDiff().make_table(["a"], ["b"]),
    ],
    "string": [
        lambda m: m.Template("$a ${b} $$").substitute(a=1, b=2),
        lambda m: m.Template("$a $").substitute(a=1),
        lambda m: m.Formatter().format("{0} {x!r:>5} {1[0]}", 1, [2], x="y"),
        lambda m: m.capwords("some more words"),
    ],
    "tomllib._parser": [
        lambda m: m.loads('a = 1\n[b.c]\nd = [1.5, "x", 1979-05-27T07:32:00Z]\n[[e]]\nf = true'),
        lambda m: m.loads("a = \n"),
        lambda m: m.loads("a = 1\na = 2"),
    ],
    "csv": [
        lambda m: list(m.DictReader(["a,b", '1,"x, y"', "2"])),
        lambda m: m.Sniffer().sniff("a;b;c\n1;2;3\n4;5;6\n").delimiter,
        lambda m: m.DictWriter([], ["a"]).writerow({"b": 1}),
    ],
    "html.parser": [lambda m: tags(m, "<p class=x>a<br/>&amp;<!-- c --><b>d</p>"), lambda m: tags(m, "<a href='")],
    "heapq": [
        lambda m: list(m.merge([1, 4], [2, 3], key=lambda n: n, reverse=False)),
        lambda m: (m.nsmallest(2, [3, 1, 2]), m.nlargest(2, "hello", key=ord)),
        lambda m: m.nsmallest(2, [1, "a"]),
    ],
    "ast": [
        lambda m: m.dump(m.parse("x = f(1, *a)[2:3]"), indent=1),
        lambda m: m.unparse(m.parse("async def f(a, /, b=1, *, c):\n  return [x async for x in (yield)]")),
        lambda m: m.literal_eval("{'a': [1, -2, None]}"),
        lambda m: m.literal_eval("f(1)"),
    ],
    "asyncio.queues": [lambda m: m.Queue(2), lambda m: m.Queue().get_nowait()],
    "contextlib": [
        lambda m: m.ExitStack().__enter__().enter_context(m.nullcontext(3)),
        lambda m: m.ExitStack().enter_context(3),
        lambda m: m.contextmanager(lambda: iter([1]))().__enter__(),
    ],
    "shlex": [lambda m: m.split('a \'b c\' "d\\"e" # f', comments=True), lambda m: m.split("a 'b")],
    "configparser": [
        lambda m: [(c.read_string("[a]\nb = 1\nc = %(b)s2\n"), dict(c["a"])) for c in [m.ConfigParser()]],
        lambda m: m.ConfigParser().read_string("b = 1"),
        lambda m: m.ConfigParser().get("a", "b"),
    ],
    "functools": [
        lambda m: m.reduce(lambda a, b: a + b, [1, 2, 3]),
        lambda m: m.singledispatch(lambda x: type(x))(3),
        lambda m: m.partialmethod(print, 1),
        lambda m: m.total_ordering(object),
    ],
}


@pytest.mark.parametrize("name", USES)
def test_modules_of_the_standard_library_do_the_same_rewritten(name: str) -> None:
    """A module's functions return and raise the same, from the same lines, whether calls are direct or wrapped."""
    counting = Counting()
    original, direct = load(name, None), load(name, counting)
    wrapped = load(name, wrapping)
    for use in USES[name]:
        expected = attempt(lambda use=use: use(original))
        assert attempt(lambda use=use: use(direct)) == expected
        # Functions that look at their caller's module or warn with a stack level see the wrapper.
        if name not in {"enum", "dataclasses"}:
            assert attempt(lambda use=use: use(wrapped)) == expected
    assert counting.calls > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["textwrap", "heapq", "fractions", "string", "difflib", "shlex", "csv"])
def test_pythons_own_tests_pass_on_rewritten_modules(name: str) -> None:
    """CPython's test suite for a module passes when the module, and the tests themselves, are rewritten."""
    if importlib.util.find_spec(f"test.test_{name}") is None:
        pytest.skip("this Python comes without its tests")
    counting = Counting()
    module = load(name, counting)
    with warnings.catch_warnings(), standing_in(**{name: module}):
        warnings.simplefilter("ignore")
        tests = load(f"test.test_{name}", counting)
        with standing_in(**{f"test.test_{name}": tests}):
            result = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromModule(tests).run(result)
    assert result.testsRun > 5
    assert [text for _, text in result.errors + result.failures] == []
