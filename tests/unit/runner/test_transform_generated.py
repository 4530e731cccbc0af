"""Random programs behave the same rewritten as they are: output, result, exception, and positions in its traceback."""

import contextlib
import functools
import gc
import io
import random
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh_runner.transform import RESOLVER, compile_module

FILE = "<generated>"

#: What every generated program begins with. `tick` bounds how long it runs and how large values get, `log` shows
#: where an exception was.
PRELUDE = '''\
"""The docstring."""
from __future__ import annotations
import asyncio, contextlib, functools, re, reprlib, sys

class OutOfFuel(Exception):
    pass

fuel = 100

def tick(*values):
    global fuel
    fuel -= 1
    if fuel < 0 or len(str(values)) > 500:
        raise OutOfFuel(fuel)

def text(value):
    # Without addresses, for a program may sort or count the letters.
    return re.sub("0x[0-9a-f]+", "0x", repr(value))

def where(tb):
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == __file__:
            yield tb.tb_frame.f_code.co_name, tb.tb_lineno
        tb = tb.tb_next

def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value

def log(error):
    print("caught", type(error).__name__, error, list(where(error.__traceback__)))
    return 0

def passed(*args, **kwargs):
    def decorate(fn):
        @functools.wraps(fn)
        def wrapper(*a, **k):
            print("to", fn.__name__, len(args), sorted(kwargs))
            return fn(*a, **k)
        return wrapper
    return decorate

class Managed:
    def __init__(self, swallow): self.swallow = swallow
    def __enter__(self): return self.swallow
    def __exit__(self, kind, error, tb):
        print("exit", kind and kind.__name__)
        return bool(self.swallow)

@contextlib.contextmanager
def managed(value):
    try:
        yield value
    finally:
        print("left", value)

class Base:
    total = sum(abs(n) for n in (1, -2))
    __secret = max(3, 4)
    def __init__(self, x=1): self.x = x
    def __hidden(self, y): return (self.x, y, self.__secret)
    @property
    def double(self): return self.__hidden(2)
    @classmethod
    def make(cls, *args): return cls(*args)
    @staticmethod
    def same(value): return value
    def chain(self, value=None):
        self.x = value
        return self
    def __call__(self, *args): return self if args else len(args)
    def __iter__(self): return iter([self.x, 1])
    def __add__(self, other): return self.chain(other)
    __radd__ = __sub__ = __rsub__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __add__
    def __lt__(self, other): return bool(self.chain(other))
    def upper(self, *args, x=None): return repr(self)
    count = join = get = append = upper
    @reprlib.recursive_repr()
    def __repr__(self): return f"{type(self).__name__}({text(self.x)})"

class Derived(Base):
    __secret = min(5, 6)
    def __init__(self, x=2):
        super().__init__(x)
        self.frame = sorted(locals())
    @property
    def double(self): return (super().double, self.__secret, super(Derived, self).same(1))
    def chain(self, value=None): return super().chain(value=value)

'''

NAMES = ("a", "b", "c")
FUNCTIONS = ("f0", "f1", "f2", "f3")
ATOMS = (
    *NAMES,
    *FUNCTIONS,
    "(0)",
    "(1)",
    "(7)",
    "'xy'",
    "'%d'",
    "None",
    "[1, 2]",
    "('p', 3)",
    "{'k': 1}",
    "Base",
    "Derived()",
    "Derived(a)",
    "Base('s')",
    "a",
)
CALLEES = (
    *FUNCTIONS,
    *FUNCTIONS,
    "print",
    "len",
    "text",
    "list",
    "sorted",
    "sum",
    "text",
    "Base",
    "Derived",
    "Base.make",
    "Derived(3)",
    "(lambda *v: v)",
    "a",
)
METHODS = ("upper", "chain", "count", "join", "get", "same", "missing", "append", "make")


class Writer:
    """Writes one program. Each byte is a choice, and when they are used up the first choice, so programs shrink."""

    def __init__(self, choices: bytes) -> None:
        self.choices = iter(choices)
        self.lines: list[str] = []
        self.comprehensions = 0

    def pick(self, options: tuple[str, ...]) -> str:
        return options[self.number(len(options) - 1)]

    def number(self, most: int) -> int:
        return next(self.choices, 0) % (most + 1)

    def write(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def arguments(self, depth: int) -> str:
        kinds = ("{0}", "{0}", "{0}, {1}", "", "*{0}", "x={0}", "*[{0}], **{{'x': {1}}}", "{0}, *{1}")
        return self.pick(kinds).format(self.expression(depth), self.expression(depth))

    def expression(self, depth: int) -> str:
        kind = self.number(17)
        if depth <= 0 or kind == 0:
            return self.pick(ATOMS)

        def inner() -> str:
            return self.expression(depth - 1)

        if kind <= 4:
            return f"{self.pick(CALLEES)}({self.arguments(depth - 1)})"
        if kind == 5:
            return f"{inner()}.{self.pick(METHODS)}({self.arguments(depth - 1)})"
        if kind == 6:
            first = inner() if self.number(1) else "Derived(a)"
            return f"({first}\n .{self.pick(METHODS)}({self.arguments(depth - 1)})\n .{self.pick(METHODS)}())"
        if kind == 7:
            return f"({inner()} {self.pick(('-', '%', '//', 'and', 'or', '==', 'in', '<'))} {inner()})"
        if kind == 8:
            return f"f'<{{text({self.pick(CALLEES)}({self.pick(NAMES)})):>{{len(text(a))}}}}>'"
        if kind == 9 or kind == 13 or kind == 16:
            # A walrus is a syntax error in some places of a comprehension.
            self.comprehensions += 1
            text = {
                9: f"[{inner()} for n in range({self.number(3)}) if {inner()}]",
                13: f"{{text(n): f1(n) for n in ({inner()},)}}",
                16: f"list(f2(n) for n in {inner()})",
            }[kind]
            self.comprehensions -= 1
            return text
        if kind == 10:
            return inner() if self.comprehensions else f"({self.pick(NAMES)} := {inner()})"
        if kind == 11:
            return f"(lambda x=1, *v, **k: {inner()})({self.arguments(depth - 1)})"
        if kind == 12:
            return f"({inner()} if {inner()} else {inner()})"
        if kind == 14:
            return f"{self.pick(FUNCTIONS)}({self.arguments(depth - 1)})({self.arguments(depth - 1)})"
        if kind == 15:
            return self.pick(("sorted(locals())", "sys._getframe().f_lineno", "Derived(f0).double", "eval('a')"))
        return f"drive(wait({inner()}, {inner()}))"

    def block(self, indent: int, depth: int, generator: bool = False) -> None:
        for _ in range(1 + self.number(2)):
            self.statement(indent, depth, generator)

    def statement(self, indent: int, depth: int, generator: bool) -> None:
        kind = self.number(15)
        if depth <= 0 or kind == 0:
            self.write(indent, f"{self.pick(NAMES)} = {self.expression(2)}")
        elif kind == 13:
            self.write(indent, f"if {self.expression(1)}:")
            self.block(indent + 1, depth - 1, generator)
            self.write(indent, "else:")
            self.block(indent + 1, depth - 1, generator)
        elif kind == 1:
            self.write(indent, f"for {self.pick(NAMES)} in ({self.expression(1)}, {self.expression(1)}):")
            self.block(indent + 1, depth - 1, generator)
            self.write(indent + 1, self.pick(("pass", "continue", "break")))
        elif kind == 2:
            self.write(indent, "try:")
            self.block(indent + 1, depth - 1, generator)
            self.write(indent, f"except {self.pick(('TypeError', '(AttributeError, ValueError)', 'Exception'))} as e:")
            self.write(indent + 1, "log(e)")
            self.block(indent + 1, depth - 1, generator)
            self.write(indent, "finally:")
            self.write(indent + 1, f"print('finally', {self.expression(1)})")
        elif kind == 3:
            self.write(indent, f"with {self.pick(('Managed', 'managed'))}({self.expression(1)}) as {self.pick(NAMES)}:")
            self.block(indent + 1, depth - 1, generator)
        elif kind == 4:
            self.write(indent, f"return {self.expression(2)}")
        elif kind == 5:
            self.write(indent, f"raise ValueError({self.expression(1)})")
        elif kind == 6:
            self.write(indent, f"@passed({self.arguments(1)})")
            self.write(indent, f"def inner(a={self.expression(1)}, *v, x: f0() = {self.expression(1)}):")
            self.write(indent + 1, "nonlocal b")
            self.write(indent + 1, "tick(a, v, x)")
            self.block(indent + 1, depth - 1)
            self.write(indent, f"{self.pick(NAMES)} = inner({self.expression(1)})")
        elif kind == 7:
            self.write(indent, f"match {self.expression(1)}:")
            self.write(indent + 1, f"case Base(x=c) if {self.expression(1)}:")
            self.block(indent + 2, depth - 1, generator)
            self.write(indent + 1, "case [c, *_] | {'k': c}:")
            self.block(indent + 2, depth - 1, generator)
            self.write(indent + 1, "case _:")
            self.block(indent + 2, depth - 1, generator)
        elif kind == 8:
            self.write(indent, f"class Local({self.pick(('Base', 'Derived', 'Base.same(Base)'))}):")
            self.write(indent + 1, f"attribute = {self.expression(1)}")
            self.write(indent + 1, "__own: f1(1) = text(attribute)")
            self.write(indent + 1, "def chain(self, value=None):")
            self.write(indent + 2, f"return super().chain((value, self.__own, {self.expression(1)}))")
            self.write(indent, f"{self.pick(NAMES)} = Local().chain({self.expression(1)})")
        elif kind == 9:
            self.write(indent, f"assert {self.expression(1)}, text({self.expression(1)})")
        elif kind == 10 and generator:
            self.write(indent, f"{self.pick(NAMES)} = yield {self.expression(1)}")
        elif kind == 11:
            self.write(indent, f"{self.pick(NAMES)} -= {self.expression(2)}")
        elif kind == 12:
            self.comprehensions += 1
            self.write(indent, f"{self.pick(NAMES)} = [{self.expression(1)} for _ in f3(1, {self.expression(1)})]")
            self.comprehensions -= 1
        else:
            self.write(indent, f"{self.pick(('print', 'f0', 'f1', 'b = text'))}({self.expression(2)})")

    def program(self) -> str:
        for name in FUNCTIONS:
            self.write(0, f"def {name}(a=1, b=2, *c, x=0):")
            self.write(1, "tick(a, b, c, x)")
            self.block(1, 2, generator=name == "f3")
            if name == "f3":
                self.write(1, f"yield {self.expression(1)}")
        self.write(0, "async def wait(a, b, c=None):")
        self.write(1, "tick(a, b)")
        self.write(1, "await asyncio.sleep(0)")
        self.block(1, 1)
        self.write(1, "return [v async for v in numbers(a)]")
        self.write(0, "async def numbers(a, b=1):")
        self.write(1, "c = await asyncio.sleep(0, text(a))")
        self.write(1, f"yield {self.expression(1)}")
        self.write(0, "def main(a=1, b='s', c=()):")
        for name in (*FUNCTIONS, "drive", "print", "list"):
            # Each on its own, or the first error would hide all that follows.
            self.write(1, "try:")
            self.block(2, 2)
            self.write(2, f"print({name}({'wait' if name == 'drive' else ''}({self.expression(1)}, a)))")
            self.write(1, "except Exception as e:")
            self.write(2, "log(e)")
        self.write(1, f"return {self.expression(3)}")
        return PRELUDE + "\n".join(self.lines) + "\n"


#: Whole programs with a function `main`, in which anything may go wrong at run time. Bytes of Hypothesis's own choice
#: find the small and odd programs, and shrink; those of a seed vary more.
programs = st.one_of(
    st.binary(min_size=300, max_size=2000),
    st.integers(0, 2**64).map(lambda seed: random.Random(seed).randbytes(1500)),
).map(lambda choices: Writer(choices).program())


@dataclass(frozen=True)
class Behaviour:
    """All that can be seen of a program from outside."""

    printed: str
    result: str
    # For each frame of the generated code in the exception's traceback: its function, and where in the text it was.
    frames: list[tuple[object, ...]]


def behaviour(code: types.CodeType, resolver: Callable[[Any], Any] | None) -> Behaviour:
    """Run a program's `main`."""
    module: dict[str, Any] = {"__name__": "generated", "__file__": FILE}
    if resolver is not None:
        module[RESOLVER] = resolver
    frames: list[tuple[object, ...]] = []
    # A generator that is given up prints when it is collected, which must not depend on earlier programs' garbage.
    gc.disable()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(code, module)
            result = repr(module["main"]())
        except Exception as error:
            result = f"{type(error)} {error.args!r}"
            tb = error.__traceback__
            while tb is not None:
                if tb.tb_frame.f_code.co_filename == FILE:
                    positions = list(tb.tb_frame.f_code.co_positions())[tb.tb_lasti // 2]
                    frames.append((tb.tb_frame.f_code.co_qualname, tb.tb_lineno, *positions))
                tb = tb.tb_next
    module["print"] = lambda *args: None
    gc.enable()
    return Behaviour(comparable(printed.getvalue()), comparable(result), frames)


def comparable(text: str) -> str:
    """Text in which objects have no addresses, and built-in methods are named without their type.

    What a built-in method says of wrong arguments depends on whether it was bound before the call. Nothing else does.
    """
    text = re.sub(r"0x[0-9a-f]+", "0x", text, flags=re.IGNORECASE)
    return re.sub(r"\b(str|list|dict|tuple)\.(\w+\(\))", r"\2", text)


def identity(callee: Any) -> Any:
    """The resolver that makes every call a direct one."""
    return callee


def wrapping(callee: Any) -> Any:
    """A resolver that puts a function of its own around each function and method."""
    if isinstance(callee, types.FunctionType | types.MethodType):
        return functools.wraps(callee)(lambda *args, **kwargs: callee(*args, **kwargs))
    return callee


quietly = pytest.mark.filterwarnings(
    "ignore::SyntaxWarning", "ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def check(source: str) -> None:
    original = behaviour(compile(source, FILE, "exec", dont_inherit=True), None)
    rewritten = compile_module(source.encode(), FILE)
    assert behaviour(rewritten, identity) == original
    assert behaviour(rewritten, wrapping) == original


@quietly
@settings(max_examples=150, deadline=None)
@given(programs)
def test_rewritten_programs_behave_as_the_original(source: str) -> None:
    """A program prints, returns, raises and points to the same things, whether calls are direct or wrapped."""
    check(source)


@pytest.mark.slow
@quietly
@settings(max_examples=500, deadline=None)
@given(programs)
def test_many_rewritten_programs_behave_as_the_original(source: str) -> None:
    """The same of many more programs."""
    check(source)
