"""What is rewritten, what is left alone, and that the author's code cannot tell."""

import ast
import inspect
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from autokitteh_runner.transform import RESOLVER, compile_module, transform


def rewritten(source: str) -> str:
    """The text of the rewritten code, with the resolver's name shortened."""
    return ast.unparse(transform(ast.parse(textwrap.dedent(source)))).replace(RESOLVER, "AK")


def run(source: str, resolver: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """The globals of a module that is executed rewritten; its calls are recorded in `called`."""
    called: list[Any] = []

    def recording(callee: Any) -> Any:
        called.append(callee)
        return callee if resolver is None else resolver(callee)

    module: dict[str, Any] = {"__name__": "m", RESOLVER: recording, "called": called}
    exec(compile_module(textwrap.dedent(source).encode(), "m.py"), module)
    return module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(1)", "f(1)"),
        ("x = [f(n) for n in g()]", "x = [f(n) for n in g()]"),
        ("x = lambda: f(1)", "x = lambda: AK(f)(1)"),
        ("x = f(lambda a=g(): h())", "x = f(lambda a=g(): AK(h)())"),
        ("def a():\n    return f(g(1), *h(2), **i(3))", "def a():\n    return AK(f)(AK(g)(1), *AK(h)(2), **AK(i)(3))"),
        ("def a():\n    return f(x)(y)", "def a():\n    return AK(AK(f)(x))(y)"),
        ("def a():\n    return b.c().d()", "def a():\n    return AK(AK(b.c)().d)()"),
        ("@d(1)\ndef a(x=e()):\n    pass", "@d(1)\ndef a(x=e()):\n    pass"),
        ("class A(f(), metaclass=g()):\n    x = h()", "class A(f(), metaclass=g()):\n    x = AK(h)()"),
        (
            "class A:\n\n    @p(q())\n    @r\n    def s(self, x=t()):\n        pass",
            "class A:\n\n    @AK(p)(AK(q)())\n    @r\n    def s(self, x=AK(t)()):\n        pass",
        ),
        (
            "def a():\n\n    @d(1)\n    def b(x: f()=e()) -> g():\n        y: h() = i()",
            "def a():\n\n    @AK(d)(1)\n    def b(x: f()=AK(e)()) -> g():\n        y: h() = AK(i)()",
        ),
        ("def a():\n    return super().b(1)", "def a():\n    return AK(super().b)(1)"),
        (
            "async def a():\n    async with f() as x:\n        await g(x)",
            "async def a():\n    async with AK(f)() as x:\n        await AK(g)(x)",
        ),
        ("def a():\n    del f(x).y", "def a():\n    del AK(f)(x).y"),
        (
            "def a():\n    match f():\n        case B(c=1) if g():\n            pass",
            "def a():\n    match AK(f)():\n        case B(c=1) if AK(g)():\n            pass",
        ),
        ("def a():\n    return f'{b()!r:>{c()}}'", "def a():\n    return f'{AK(b)()!r:>{AK(c)()}}'"),
        ("def a():\n    return [f(n) async for n in g()]", "def a():\n    return [AK(f)(n) async for n in AK(g)()]"),
        ("if x:\n    def a():\n        f()", "if x:\n\n    def a():\n        AK(f)()"),
    ],
)
def test_calls_in_functions_and_classes_are_rewritten(source: str, expected: str) -> None:
    """Every call in the body of a function, lambda or class is rewritten, and nothing else."""
    assert rewritten(source) == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of Python 3.12")
def test_type_parameters_and_aliases_are_left_alone() -> None:
    """Bounds of type parameters and values of type aliases are not rewritten."""
    source = "def a[T: f()](x: T=1):\n    type B = g()\n\n    class C[U: h()](i()):\n        pass"
    assert rewritten(source) == source.replace("(i())", "(AK(i)())")


def test_the_resolver_gets_what_is_called_and_may_replace_it() -> None:
    """The resolver sees callables of all kinds, before the arguments are evaluated, and its answer is called."""
    module = run(
        """
        class A:
            def m(self): return 1
        def f(a): return len([a.m(), print])
        """,
        lambda callee: (lambda *args: 7) if callee is len else callee,
    )
    a = module["A"]()
    assert module["f"](a) == 7
    assert module["called"] == [len, a.m]


def test_what_cannot_be_called_fails_as_always() -> None:
    """Calling a thing that is not callable gives Python's own error, from the line of the call."""
    module = run("def f(x):\n    return x(\n        1)")
    with pytest.raises(TypeError, match=r"^'int' object is not callable$") as caught:
        module["f"](3)
    assert caught.traceback[-1].lineno == 1


def test_frames_are_the_authors() -> None:
    """Functions that look at their caller's frame see the author's variables, lines and class."""
    module = run(
        """
        import sys, warnings
        def f(a):
            b = 2
            return locals(), sorted(vars()), dir(), eval('a + b'), sys._getframe().f_lineno
        def g():
            warnings.warn('here')
        class A:
            def who(self): return 'A'
            @classmethod
            def make(cls): return 'made'
        class B(A):
            def who(self): return super().who() + 'B' + super(B, self).who()
            @classmethod
            def make(cls): return super().make() + cls.__name__
            def __own(self): return __class__.__name__
            def own(self): return self.__own()
        """
    )
    names = ["a", "b"]
    assert module["f"](1) == ({"a": 1, "b": 2}, names, names, 3, 5)
    with pytest.warns(UserWarning, match="here") as caught:
        module["g"]()
    assert (caught[0].filename, caught[0].lineno) == ("m.py", 7)
    b = module["B"]()
    assert (b.who(), b.make(), b.own()) == ("ABA", "madeB", "B")


def test_tracebacks_point_to_the_same_characters() -> None:
    """Tracebacks, also from a chain of calls over several lines, have the lines and carets of the original."""
    source = textwrap.dedent(
        """
        import textwrap
        class A:
            def b(self, *args): return self
            def c(self, *args): raise ValueError(
                'x')
        def f(a):
            return (a
                .b(1,
                   2)
                .c(*a.d
                ))
        def g(a):
            return f(a)[
                0]
        def h(a):
            return (textwrap
                .dedent(a
                .b(0)
                .c()))
        A.d = ()
        """
    )
    texts = []
    for compiled in (compile(source, "m.py", "exec"), compile_module(source.encode(), "m.py")):
        module: dict[str, Any] = {"__name__": "m", RESOLVER: lambda callee: callee}
        exec(compiled, module)
        for function in ("g", "h"):
            with pytest.raises(ValueError, match="x") as caught:
                module[function](module["A"]())
            frames = [
                (frame.name, frame.lineno, frame.end_lineno, frame.colno, frame.end_colno)
                for frame in traceback.extract_tb(caught.tb)
                if frame.filename == "m.py"
            ]
            texts.append(frames)
    assert texts[2:] == texts[:2]


def test_docstrings_futures_and_encodings_are_kept() -> None:
    """The docstring, `from __future__` imports and the declared encoding mean what they mean without rewriting."""
    source = "# coding: latin-1\n'''\xe9'''\nfrom __future__ import annotations\ndef f(x: g(1)): '''doc'''\n"
    module: dict[str, Any] = {}
    exec(compile_module(source.encode("latin-1"), "m.py"), module)
    assert (module["__doc__"], module["f"].__doc__) == ("\xe9", "doc")
    assert module["f"].__annotations__ == {"x": "g(1)"}
    assert compile_module(b"\xef\xbb\xbfx = 1", "m.py").co_names == ("x",)


def test_futures_of_this_module_are_not_inherited() -> None:
    """Annotations of user code are evaluated unless it says otherwise, whatever the runner's own modules say."""
    assert run("def f(x: len('ab')): pass")["f"].__annotations__ == {"x": 2}


@pytest.mark.parametrize("source", ["def f(:\n", "def f():\n    nonlocal x\n", "return 1", "\0", "f(a=1, a=2)"])
def test_errors_in_the_source_are_pythons(source: str) -> None:
    """A syntax error is the one that Python reports."""
    with pytest.raises((SyntaxError, ValueError)) as expected:
        compile(source.encode(), "m.py", "exec")
    with pytest.raises(expected.type) as actual:
        compile_module(source.encode(), "m.py")
    assert actual.value.args == expected.value.args


def test_warnings_of_the_compiler_are_kept() -> None:
    """The compiler still warns, once, of calls that are surely mistakes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compile_module(b"def f():\n    return 'a'(1), x is 'b'\n", "m.py")
    assert [(w.category, w.lineno) for w in caught] == [(SyntaxWarning, 2)] * 2


@pytest.mark.parametrize("link", ["()", ".a()", " + f(1)"])
@pytest.mark.parametrize("length", [150, 600, 5000])
def test_deep_expressions_compile_or_say_so(link: str, length: int) -> None:
    """A long chain compiles, or fails as in Python, or is a SyntaxError with its line; never a crash."""
    source = ("def g(f):\n    pass\n    return f" + link * length).encode()
    try:
        compile(source, "m.py", "exec")
    except RecursionError:
        with pytest.raises(RecursionError):
            compile_module(source, "m.py")
        return
    try:
        compile_module(source, "m.py")
    except SyntaxError as error:
        assert length > 150
        assert (error.filename, error.lineno) == ("m.py", 3)
        assert "nested too deeply" in error.msg


def test_generators_and_coroutines_stay_what_they_are() -> None:
    """Rewriting changes no function's kind."""
    module = run("def g():\n    yield f()\nasync def c():\n    await f()\nasync def a():\n    yield f()")
    assert inspect.isgeneratorfunction(module["g"])
    assert inspect.iscoroutinefunction(module["c"])
    assert inspect.isasyncgenfunction(module["a"])
