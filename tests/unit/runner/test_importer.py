"""Importing project code: what is found, what is rewritten, and what the author sees of it."""

import importlib
import importlib.resources
import inspect
import linecache
import pickle
import pkgutil
import runpy
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from autokitteh_runner.importer import ProjectImporter


class Project:
    """A project's folder, its importer, and what the resolver was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.called: list[str] = []
        self.importer: ProjectImporter | None = None

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def resolve(self, callee: Any) -> Any:
        self.called.append(getattr(callee, "__qualname__", repr(callee)))
        return callee

    def install(self, durable: bool = True, **options: Any) -> ProjectImporter:
        self.importer = ProjectImporter(self.root, self.resolve if durable else None, **options)
        self.importer.install()
        return self.importer


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project; the process is afterwards as it was before."""
    path, modules = list(sys.path), set(sys.modules)
    project = Project(tmp_path / "project")
    project.root.mkdir()
    yield project
    if project.importer is not None:
        project.importer.uninstall()
    assert sys.path == path
    assert not [name for name in set(sys.modules) - modules if name.startswith("own")]


def test_imports_of_every_kind_are_rewritten(project: Project) -> None:
    """Packages, namespace packages, relative, late and dynamic imports all give rewritten modules."""
    project.write(
        {
            "own_package/__init__.py": "from own_package import inner\nfrom .inner import one\ndef f(): return one()",
            "own_package/inner.py": "def one(): return int('1')",
            "own_space/deep/module.py": "from ..beside import two\ndef f(): return two()",
            "own_space/beside.py": "def two(): return int('2')",
            "own_late.py": "def f():\n    from own_package import f as g\n    return g() + len('ab')",
        }
    )
    importer = project.install()
    late = importlib.import_module("own_late")
    assert late.f() == 3
    assert project.called == ["f", "len", "one", "int"] or project.called == ["f", "one", "int", "len"]
    project.called.clear()
    assert importlib.import_module("own_space.deep.module").f() == 2
    assert project.called == ["two", "int"]
    assert importer.local_files == {
        str(project.root / name)
        for name in (
            "own_package/__init__.py",
            "own_package/inner.py",
            "own_space/deep/module.py",
            "own_space/beside.py",
            "own_late.py",
        )
    }
    assert importer.is_project_code(late.f.__code__)
    assert not importer.is_project_code(textwrap_code())


def textwrap_code() -> types.CodeType:
    """Code that is not a project's."""
    import textwrap

    return textwrap.dedent.__code__


def test_other_modules_are_left_alone(project: Project) -> None:
    """Modules outside the project, and in a virtual environment inside it, are loaded by Python's own loader."""
    site = project.root / ".venv/lib/python3/site-packages"
    project.write({".venv/lib/python3/site-packages/own_vendored.py": "def f(): return int('1')"})
    project.install()
    sys.path.append(str(site))
    try:
        module = importlib.import_module("own_vendored")
        assert module.f() == 1
        assert project.called == []
    finally:
        sys.path.remove(str(site))
        del sys.modules["own_vendored"], sys.path_importer_cache[str(site)]


def test_folders_of_the_project_that_code_puts_on_the_path_are_rewritten(project: Project) -> None:
    """`sys.path.insert(0, "../lib")`, as scripts like to do, makes the modules there project code."""
    project.write(
        {
            "lib/own_helper.py": "def f(): return int('1')",
            "sub/own_main.py": (
                "import os, sys\n"
                "sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))\n"
                "import own_helper\n"
                "sys.path.pop(0)\n"
            ),
        }
    )
    module = project.install().load_file("sub/own_main.py")
    assert module.own_helper.f() == 1
    assert project.called == ["int"]
    assert module.own_helper.__file__ == str(project.root / "lib/own_helper.py")


def test_links_to_code_elsewhere_are_project_code(project: Project, tmp_path: Path) -> None:
    """A package that is linked into the project belongs to it."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/__init__.py").write_text("def f(): return int('1')")
    (project.root / "own_link").symlink_to(tmp_path / "shared")
    project.install()
    assert importlib.import_module("own_link").f() == 1
    assert project.called == ["int"]


def test_non_durable_code_is_not_rewritten(project: Project) -> None:
    """Without a resolver modules run as they are written, and are still known as the project's."""
    project.write({"own.py": "def f(): return int('1')"})
    importer = project.install(durable=False)
    module = importlib.import_module("own")
    assert module.f() == 1
    assert "__ak_call__" not in module.f.__code__.co_names
    assert importer.is_project_code(module.f.__code__)


def test_modules_run_inside_loading(project: Project) -> None:
    """Each module's body, not its functions' later calls, runs inside the context given, also when it fails."""
    events: list[str] = []

    @contextmanager
    def loading() -> Iterator[None]:
        events.append("enter")
        try:
            yield
        finally:
            events.append("exit")

    project.write({"own.py": "import own_two\ndef f(): return 1", "own_two.py": "", "own_bad.py": "1/0"})
    options: dict[str, Callable[[], AbstractContextManager[None]]] = {"loading": loading}
    project.install(**options)
    module = importlib.import_module("own")
    assert events == ["enter", "enter", "exit", "exit"]
    module.f()
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("own_bad")
    assert events[4:] == ["enter", "exit"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("own.py", "own"),
        ("own_sub/handlers.py", "own_sub.handlers"),
        ("own_sub/__init__.py", "own_sub"),
        ("own-handler.py", "own-handler"),
        ("own sub/1 handler.py", "own sub.1 handler"),
        ("own-v1.2/my-handler.py", "own-v1_2_my-handler"),
        ("own.handler.py", "own_handler"),
        ("json/own.py", "json_own"),
        ("__main__.py", "__main_file__"),
        ("own_sub/__main__.py", "own_sub.__main__"),
    ],
)
def test_entry_files_are_loaded_by_path(project: Project, path: str, name: str) -> None:
    """A file becomes the module that imports would give, whatever its name; its classes can be pickled."""
    project.write({path: "class A:\n    def f(self): return int('1')"})
    module = project.install().load_file(path)
    assert module.__name__ == name
    assert module.__file__ == str(project.root / path)
    assert sys.modules[name] is module
    assert pickle.loads(pickle.dumps(module.A())).f() == 1
    assert project.called == ["int"]
    assert importlib.reload(module) is module
    del sys.modules[name]


@pytest.mark.parametrize("path", ["missing.py", "own", "own.txt", "../own.py", "/own.py", "own_folder.py", ""])
def test_entry_files_that_are_none_are_refused(project: Project, path: str) -> None:
    """A path that leads out of the project or to no Python file is an error with that path."""
    project.write({"own": "", "own.txt": "", "../own.py": "", "own_folder.py/x": ""})
    with pytest.raises(ImportError, match="the project has no Python file") as caught:
        project.install().load_file(path)
    assert caught.value.path == path


def test_names_of_the_standard_library_are_refused(project: Project) -> None:
    """A file named like a standard module is reported and cannot be an entry; imports get Python's own."""
    project.write({"random.py": "x = 1", "json/data.txt": "", "own_sub/random.py": "y = 2", "autokitteh.py": ""})
    with pytest.warns(RuntimeWarning) as caught:
        importer = project.install()
    assert [str(warning.message) for warning in caught] == [
        "autokitteh.py has the name of a module of AutoKitteh, so it cannot be imported; rename it",
        "random.py has the name of a module of Python's standard library, so it cannot be imported; rename it",
    ]
    assert caught[0].filename == __file__
    saved = sys.modules.pop("random")
    try:
        assert not hasattr(importlib.import_module("random"), "x")
    finally:
        sys.modules["random"] = saved
    with pytest.raises(ImportError, match="rename it"):
        importer.load_file("random.py")
    assert importlib.import_module("own_sub.random").y == 2


def test_the_project_wins_over_third_parties(project: Project, tmp_path: Path) -> None:
    """A project's module is found before an installed one, also if that has been imported already."""
    (tmp_path / "installed/own_name").mkdir(parents=True)
    (tmp_path / "installed/own_name/__init__.py").write_text("")
    (tmp_path / "installed/own_name/part.py").write_text("")
    sys.path.insert(0, str(tmp_path / "installed"))
    try:
        importlib.import_module("own_name.part")
        project.write({"own_name.py": "mine = True"})
        project.install()
        assert importlib.import_module("own_name").mine
        assert "own_name.part" not in sys.modules
    finally:
        sys.path.remove(str(tmp_path / "installed"))


def test_a_plain_folder_does_not_hide_an_installed_package(project: Project) -> None:
    """A folder without `__init__.py`, named like an installed package, yields to it; its files can still be entries."""
    project.write({"pytest/handlers.py": "import pytest\ndef f(): return pytest.fixture"})
    module = project.install().load_file("pytest/handlers.py")
    assert module.__name__ == "pytest_handlers"
    assert module.f() is pytest.fixture
    del sys.modules["pytest_handlers"]


def shown(error: BaseException) -> list[tuple[str, int | None, str]]:
    """The frames of a traceback, the test's own not counted."""
    frames = traceback.extract_tb(error.__traceback__)
    return [(Path(f.filename).name, f.lineno, f.name) for f in frames if f.filename != __file__]


def test_tracebacks_of_failing_imports_show_the_projects_lines_only(project: Project) -> None:
    """Errors while loading look as in plain Python: no frame of the import system or of this hook."""
    project.write(
        {
            "own.py": "def f():\n    import own_late",
            "own_late.py": "\nimport own_bad",
            "own_bad.py": "def g():\n    return 1/0\ng()",
            "own_syntax.py": "x = 1\ny = (\n",
            "own_user.py": "import own_syntax",
            "own_missing.py": "\nimport own_nowhere",
        }
    )
    importer = project.install()
    module = importer.load_file("own.py")
    with pytest.raises(ZeroDivisionError) as caught:
        module.f()
    assert shown(caught.value) == [
        ("own.py", 2, "f"),
        ("own_late.py", 2, "<module>"),
        ("own_bad.py", 3, "<module>"),
        ("own_bad.py", 2, "g"),
    ]
    with pytest.raises(SyntaxError) as syntax:
        __import__("own_user")
    assert shown(syntax.value) == [("own_user.py", 1, "<module>")]
    assert (syntax.value.filename, syntax.value.lineno, syntax.value.text) == (
        str(project.root / "own_syntax.py"),
        2,
        "y = (\n",
    )
    with pytest.raises(ModuleNotFoundError) as missing:
        __import__("own_missing")
    assert shown(missing.value) == [("own_missing.py", 2, "<module>")]
    assert "own_bad" not in sys.modules


def test_warnings_at_load_point_to_the_importing_line(project: Project) -> None:
    """`stacklevel=2` in a module's body names the line of the import, as in plain Python."""
    project.write({"own.py": "\nimport own_old", "own_old.py": "import warnings\nwarnings.warn('old', stacklevel=2)"})
    project.install()
    with pytest.warns(UserWarning, match="old") as caught:
        importlib.import_module("own")
    assert (caught[0].filename, caught[0].lineno) == (str(project.root / "own.py"), 2)


def test_source_is_the_authors(project: Project) -> None:
    """`inspect`, `linecache` and loaders show the text as written, and modules have all attributes of modules."""
    text = "class A:\n    def f(self):\n        return int('1')\n"
    project.write({"own_package/__init__.py": "", "own_package/inner.py": text})
    project.install()
    module = importlib.import_module("own_package.inner")
    path = str(project.root / "own_package/inner.py")
    assert inspect.getsource(module.A) == text
    assert module.__loader__.get_source("own_package.inner") == text
    assert linecache.getline(path, 3) == "        return int('1')\n"
    assert (module.__file__, module.__package__, module.__spec__.origin) == (path, "own_package", path)
    package = sys.modules["own_package"]
    assert list(package.__path__) == [str(project.root / "own_package")]
    assert [found.name for found in pkgutil.iter_modules(package.__path__)] == ["inner"]
    assert not list(project.root.rglob("__pycache__"))


def test_data_files_beside_code_are_found(project: Project) -> None:
    """`importlib.resources` and `pkgutil.get_data` read files of packages with and without `__init__.py`."""
    project.write({"own_package/__init__.py": "", "own_package/a.txt": "A", "own_space/b.txt": "B"})
    project.install()
    assert importlib.resources.files("own_package").joinpath("a.txt").read_text() == "A"
    assert importlib.resources.files("own_space").joinpath("b.txt").read_text() == "B"
    assert pkgutil.get_data("own_package", "a.txt") == b"A"


def test_a_module_can_be_reloaded(project: Project) -> None:
    """`importlib.reload` runs the file's new text in the same module, rewritten."""
    project.write({"own.py": "def f(): return int('1')"})
    project.install()
    module = importlib.import_module("own")
    project.write({"own.py": "def f(): return int('1') + abs(-2)"})
    assert importlib.reload(module) is module
    assert module.f() == 3
    assert project.called == ["int", "abs"]


def test_files_made_at_run_time_can_be_imported(project: Project) -> None:
    """A module written by the session itself is found after `importlib.invalidate_caches`."""
    project.install()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("own_new")
    project.write({"own_new.py": "x = 1"})
    importlib.invalidate_caches()
    assert importlib.import_module("own_new").x == 1


def test_code_with_other_globals_finds_the_resolver(project: Project) -> None:
    """Project code that is run by `runpy`, or as a copy of a function with bare globals, is intercepted too."""
    project.write({"own.py": "def f(): return int('1')\nif __name__ == 'other': x = f()"})
    project.install()
    assert runpy.run_module("own", run_name="other")["x"] == 1
    module = importlib.import_module("own")
    assert types.FunctionType(module.f.__code__, {})() == 1
    assert project.called == ["int", "int"]


def cached_files(folder: Path) -> dict[str, bytes]:
    """What a cache holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_compiled_code_is_cached(project: Project, tmp_path: Path) -> None:
    """Code is taken from the cache as long as source, place and mode are the same, and only if it is whole."""
    cache = tmp_path / "cache"
    project.write({"own.py": "def f(): return int('1')"})

    def load(durable: bool = True) -> types.ModuleType:
        importer = project.install(durable, cache_dir=cache)
        module = importlib.import_module("own")
        assert module.f() == 1
        assert importer.is_project_code(module.f.__code__)
        importer.uninstall()
        project.importer = None
        return module

    load()
    first = cached_files(cache)
    assert len(first) == 1
    load()
    assert cached_files(cache) == first
    load(durable=False)
    assert len(cached_files(cache)) == 2
    for damaged in (b"", b"x" * 100, next(iter(first.values()))[:-1]):
        for name in first:
            (cache / name).write_bytes(damaged)
        load()
        assert {name: cached_files(cache)[name] for name in first} == first
    project.write({"own.py": "def f(): return int('2') - 1"})
    load()
    assert len(cached_files(cache)) == 3


def test_a_cache_that_cannot_be_written_does_no_harm(project: Project, tmp_path: Path) -> None:
    """Imports work although the cache's folder cannot be made."""
    (tmp_path / "cache").write_text("a file")
    project.write({"own.py": "x = 1"})
    project.install(cache_dir=tmp_path / "cache")
    assert importlib.import_module("own").x == 1


def test_circular_imports_work(project: Project) -> None:
    """Two modules that import each other see each other's functions when called."""
    project.write(
        {
            "own_a.py": "import own_b\ndef f(n): return n and own_b.g(n - 1)",
            "own_b.py": "import own_a\ndef g(n): return own_a.f(n)",
        }
    )
    project.install()
    assert importlib.import_module("own_a").f(3) == 0
    assert project.called == ["g", "f"] * 3


def test_installing_warns_of_nothing_in_an_ordinary_project(project: Project) -> None:
    """Names that are only similar to standard ones, `test` and data folders pass without a word."""
    project.write({"own.py": "", "test/__init__.py": "", "email/template.html": "", "main.py": "", "setup.py": ""})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        project.install()
