"""Checking code without running it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.builds.source import Source
from autokitteh_server.builds.syntax import check_syntax, definitions, syntax_problem


def source_of(**files: bytes) -> Source:
    """A source of Python files, given without their suffix."""
    return Source(name="x", files={f"{k}.py": v for k, v in files.items()}, manifest=None, manifest_path=None)


def test_valid_code() -> None:
    """Valid code has no problems, nor has what is not Python; a declared encoding counts, and warnings do not."""
    source = source_of(a=b"async def f(): pass\n", b=b"# coding: latin-1\nx = '\xfc'\n", c=b"x = '\\d'\n", d=b"")
    assert check_syntax(source) == []
    assert check_syntax(Source(name="x", files={"a.txt": b"def"}, manifest=None, manifest_path=None)) == []


def test_every_broken_file_is_told() -> None:
    """Each broken file has a problem with file, line, column, message and the line itself, sorted by path."""
    problems = check_syntax(source_of(b=b"x = 1\ny = (\n", a=b"def f():\n    retrun 1\n", ok=b"x = 1\n"))
    assert [(each.file, each.line, each.excerpt) for each in problems] == [
        ("a.py", 2, "    retrun 1"),
        ("b.py", 2, "y = ("),
    ]
    assert problems[0].column == 12
    assert str(problems[1]) == "b.py:2:5: '(' was never closed\n    y = ("


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        (b"x = 1\nreturn x\n", 2, "'return' outside function"),
        (b"def f():\n  x = 1\n  global x\n", 3, "before global"),
        (b"x = '\xfc'\n", 1, "utf-8"),
        (b"# coding: nonsense\n", 1, "nonsense"),
        (b"x = 1\0\n", 1, "null bytes"),
        (b"x = " + b"(" * 500 + b")" * 500, 1, "nested"),
        (b"if x:\npass", 2, "indented block"),
    ],
)
def test_kinds_of_broken_code(code: bytes, line: int, said: str) -> None:
    """Also told: what only the compiler sees, bytes of another encoding, NUL, and too much nesting."""
    problem = syntax_problem("a.py", code)
    assert problem is not None
    assert problem.line == line
    assert said in problem.message


@given(st.binary(max_size=60))
def test_any_bytes_are_checked(content: bytes) -> None:
    """No content makes the check fail in a way of its own, and what passes has definitions."""
    if syntax_problem("a.py", content) is None:
        definitions(content)


def test_definitions() -> None:
    """Names bound at the top level are known, those in blocks included, and no others."""
    found = definitions(
        b"""
import os.path, json as j
from a import b, c as d
def f(x=lambda y: y): inner = 1
async def g(): pass
@f
def h(): pass
class K:
    def method(self): pass
v, (w, *rest) = 1, (2, 3)
annotated: int
annotated_too: int = 1
obj.attr = box[0] = 1
if v:
    def in_if(): pass
elif w:
    in_elif = 1
try:
    in_try = 1
except ValueError:
    def in_except(): pass
finally:
    in_finally = 1
for loop in []:
    pass
with open() as (one, two):
    in_with = 1
del gone
def f(): pass
"""
    )
    assert found.functions == ("f", "g", "h", "in_if", "in_except")
    assert found.others == {
        *("os", "j", "b", "d", "K", "v", "w", "rest", "annotated_too", "in_elif", "in_try", "in_finally"),
        *("loop", "one", "two", "in_with"),
    }
    assert not found.is_open
    assert found.has("f") and found.has("d") and not found.has("method")


def test_star_imports_leave_it_open() -> None:
    """After a star import, any name may be there."""
    found = definitions(b"from x import *\n")
    assert found.is_open
    assert found.has("anything")
    assert found.others == frozenset()


def test_long_chains() -> None:
    """Code that nests deep without looking so is no problem."""
    chain = b"if x == 0: pass\n" + b"".join(b"elif x == %d: pass\n" % number for number in range(500))
    assert definitions(chain + b"def f(): pass\n").functions == ("f",)
