"""What code imports, and whose modules those are."""

import builtins
import importlib.util
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.builds.imports import Import, Origin, ProjectModules, find_imports
from autokitteh_server.builds.source import Source


def source_of(files: dict[str, str]) -> Source:
    content = {path: code.encode() for path, code in files.items()}
    return Source(name="x", files=content, manifest=None, manifest_path=None)


def imports(code: str, file: str = "program.py") -> list[Import]:
    """The imports of one file."""
    return find_imports(source_of({file: code}))


def flags(code: str) -> dict[str, str]:
    """Of each imported module whether it is late (L), guarded (G), both or neither."""
    return {each.module: "L" * each.is_late + "G" * each.is_guarded for each in imports(code)}


def test_statements() -> None:
    """Each module has its names, its file and its line; a statement may name several."""
    found = imports("import a.b as x, c\n\nfrom d.e import f as g, h\nfrom i import *\n")

    assert [(each.module, each.names, each.line) for each in found] == [
        ("a.b", (), 1),
        ("c", (), 1),
        ("d.e", ("f", "h"), 3),
        ("i", ("*",), 4),
    ]
    assert {each.file for each in found} == {"program.py"}


@pytest.mark.parametrize(
    ("file", "code", "module"),
    [
        ("a/b.py", "from . import c", "a"),
        ("a/b.py", "from .c.d import e", "a.c.d"),
        ("a/__init__.py", "from .c import e", "a.c"),
        ("a/b/c.py", "from .. import d", "a"),
        ("a/b/c.py", "from ..d import e", "a.d"),
        ("a/b.py", "from ..d import e", "..d"),
        ("a.py", "from .d import e", ".d"),
        ("a/b.py", "import importlib\nimportlib.import_module('.c', __package__)", "a.c"),
    ],
)
def test_relative_imports(file: str, code: str, module: str) -> None:
    """They are resolved by where the file is; those that lead out of the project stay what they are."""
    assert imports(code, file)[-1].module == module
    assert ProjectModules([file]).origin(module) is Origin.PROJECT


def test_late_imports() -> None:
    """What stands in a function is imported when that is called, what stands in a class is not."""
    code = """
import top
class K:
    import in_class
    def method(self): import in_method
def f(x=__import__("in_default")):
    if x:
        import in_function
    class L:
        import in_inner_class
async def g():
    from in_async import x
by_name = lambda: importlib.import_module(name="in_lambda.x")
importlib.import_module("called.at.once")
import_module(computed)
import_module("not a module")
__import__(".relative")
"""
    assert flags(code) == {
        "top": "",
        "in_class": "",
        "in_method": "L",
        "in_default": "L",
        "in_function": "L",
        "in_inner_class": "L",
        "in_async": "L",
        "in_lambda.x": "L",
        "called.at.once": "L",
    }


def test_guarded_imports() -> None:
    """An import is guarded if the code does without it, or is meant for another machine."""
    code = """
try:
    import tried
except ImportError:
    import instead
else:
    import then
finally:
    import last
try:
    import t1
except (KeyError, builtins.ModuleNotFoundError): pass
try:
    import t2
except KeyError: pass
try:
    import t3
except: pass
try:
    def f(): import t4
except Exception: pass
with contextlib.suppress(ImportError):
    import s1
with suppress(KeyError):
    import s2
if sys.version_info < (3, 11):
    import old
else:
    import new
if sys.platform == "win32" or os.name == "nt":
    import windows
if platform == "x": import named
if os.name: import by_os
if __name__ == "__main__":
    import script
if x:
    import conditional
"""
    assert flags(code) == {
        "tried": "G",
        "instead": "G",
        "then": "G",
        "last": "",
        "t1": "G",
        "t2": "",
        "t3": "G",
        "t4": "LG",
        "s1": "G",
        "s2": "",
        "old": "G",
        "new": "G",
        "windows": "G",
        "named": "G",
        "by_os": "G",
        "script": "G",
        "conditional": "",
    }


def test_imports_for_types_only() -> None:
    """What is imported for types only never is; what is imported otherwise is told."""
    code = """
if TYPE_CHECKING:
    import never
else:
    import always
if not typing.TYPE_CHECKING:
    import also
else:
    import neither
"""
    assert flags(code) == {"always": "", "also": ""}


def test_whose_modules() -> None:
    """The library's and the SDK's names cannot be taken; the project's come before those that are installed."""
    files = ["program.py", "lib/a.py", "pkg/__init__.py", "json.py", "requests/readme.txt", "slack_sdk/x.py", "yaml.py"]
    modules = ProjectModules([*files, "site-packages/other.py"])
    expected = {
        "program": Origin.PROJECT,
        "lib.a": Origin.PROJECT,
        "lib.missing": Origin.PROJECT,
        "pkg": Origin.PROJECT,
        "yaml": Origin.PROJECT,
        "json": Origin.STANDARD,
        "os.path": Origin.STANDARD,
        "__future__": Origin.STANDARD,
        "autokitteh.slack": Origin.SDK,
        "requests": Origin.THIRD_PARTY,
        "slack_sdk.x": Origin.THIRD_PARTY,
        "other": Origin.THIRD_PARTY,
    }

    assert {name: modules.origin(name) for name in expected} == expected
    assert modules.has("lib") and modules.has("lib.a") and modules.has("pkg") and not modules.has("lib.missing")
    assert modules.file_of("pkg") == "pkg/__init__.py" and modules.file_of("lib") is None


def test_files_that_are_not_python_have_none() -> None:
    """They are told by others, and do not stand in the way."""
    source = source_of({"a.py": "import (", "b.py": "import b1", "c.txt": "import c1", "d.py": "x = " + "(" * 5000})

    assert [each.module for each in find_imports(source)] == ["b1"]


def test_deep_code() -> None:
    """Code that nests deep without looking so is no problem."""
    chain = "if x == 0: import a0\n" + "".join(f"elif x == {n}: import a{n}\n" for n in range(1, 500))
    sum_ = "x = " + " + ".join(["1"] * 500) + "\n"
    attributes = "x" + ".y" * 500 + "\n"

    assert len(imports(chain + sum_ + attributes)) == 500


@given(st.text("importfm .,*()\n\t:x'_asdey", max_size=80))
def test_any_text_is_read(text: str) -> None:
    """No text makes the search fail in a way of its own."""
    imports(text)


NAMES = st.sampled_from(["a", "b", "os", "json.decoder", "a.b.c"])
STATEMENTS = st.one_of(
    st.builds("import {}".format, NAMES),
    st.builds("import {} as z, {}".format, NAMES, NAMES),
    st.builds("from {}{} import x, y as z".format, st.sampled_from(["", ".", "..", "..."]), NAMES),
    st.builds("from {} import x".format, st.sampled_from([".", "..", "..."])),
)
BLOCKS = st.sampled_from(
    [
        "{}",
        "class K:\n    {}",
        "if True:\n    {}",
        "for _ in '1':\n    {}",
        "try:\n    {}\nexcept KeyError:\n    pass",
        "try:\n    pass\nfinally:\n    {}",
        "def f():\n    {}\nf()",
    ]
)
PROGRAMS = st.lists(st.builds(lambda block, line: block.format(line), BLOCKS, STATEMENTS), max_size=6).map("\n".join)


@given(PROGRAMS, st.sampled_from(["p.py", "a/p.py", "a/b/p.py", "a/b/__init__.py"]))
def test_what_is_found_is_what_python_imports(code: str, file: str) -> None:
    """Python, running a module, asks for just the modules and names that were found in it."""
    package = ".".join(file.split("/")[:-1])
    found = {(each.module, each.names) for each in imports(code, file)}

    assert found == asked_for(compile(code, file, "exec"), package)


def asked_for(code: CodeType, package: str) -> set[tuple[str, tuple[str, ...]]]:
    """Modules and names that code asks for when it runs. It gets something that has any attribute."""
    asked: set[tuple[str, tuple[str, ...]]] = set()

    def note(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        relative = "." * level + name
        try:
            module = importlib.util.resolve_name(relative, package)
        except ImportError:  # it leads out of the project
            module = relative
        asked.add((module, tuple(fromlist or ())))
        return Anything()

    exec(code, {"__builtins__": vars(builtins) | {"__import__": note}, "__name__": "p", "__package__": package})
    return asked


class Anything:
    """An object with every attribute."""

    def __getattr__(self, name: str) -> "Anything":
        return Anything()
