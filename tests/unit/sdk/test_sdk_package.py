"""The package as a whole: its names, its documentation, what it imports."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autokitteh

ROOT = Path(autokitteh.__file__).parent
FUNCTIONS = sorted(name for name in autokitteh.__all__ if inspect.isfunction(getattr(autokitteh, name)))
MODULES = [
    *("activities", "attr_dict", "errors", "event", "events", "outcomes"),
    *("sessions", "signals", "store", "testing", "triggers"),
]
DURABLE_ONLY = {"next_signal"}

IMPORTED = """
import sys
sys.path.insert(0, {src!r})
import autokitteh
roots = {{name.partition(".")[0] for name in sys.modules}}
print(*sorted(roots - sys.stdlib_module_names - {{"autokitteh", "__main__", "__mp_main__"}}))
print(*sorted(name for name in sys.modules if name in {{"dataclasses", "inspect", "json", "autokitteh.testing"}}))
"""


def test_all_is_what_the_package_offers() -> None:
    """`__all__` names every public thing of the root that is no module, sorted, and nothing else."""
    public = {name for name, value in vars(autokitteh).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert public == set(autokitteh.__all__)
    assert list(autokitteh.__all__) == sorted(autokitteh.__all__)


def test_every_error_is_at_the_root() -> None:
    """No error has to be looked for in a module."""
    errors = importlib.import_module("autokitteh.errors")
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert defined <= set(autokitteh.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_modules_can_be_imported_by_name(name: str) -> None:
    """Each module is there under its name, and has a docstring."""
    module = importlib.import_module(f"autokitteh.{name}")
    assert inspect.ismodule(module) and module.__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_say_in_which_mode_they_work(name: str) -> None:
    """Every public function has exactly one Mode line, of one of two forms."""
    modes = re.findall(r"^ *Mode: (.*?\.)", inspect.getdoc(getattr(autokitteh, name)) or "", re.MULTILINE)
    assert modes == ["durable only." if name in DURABLE_ONLY else "durable and non-durable."]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_say_what_is_raised(name: str) -> None:
    """A function that takes arguments says what it raises."""
    function = getattr(autokitteh, name)
    assert not inspect.signature(function).parameters or "Raises " in (inspect.getdoc(function) or "")


def test_classes_are_documented() -> None:
    """Every public class has a docstring of its own."""
    classes = [value for name in autokitteh.__all__ if inspect.isclass(value := getattr(autokitteh, name))]
    assert len(classes) > 10
    assert all(cls.__dict__.get("__doc__") for cls in classes)


def test_imports_the_standard_library_only() -> None:
    """A bare interpreter without site-packages can import the SDK, and gets none of the slow modules."""
    code = IMPORTED.format(src=str(ROOT.parent))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    foreign, slow = done.stdout.split("\n")[:2]
    assert foreign == ""
    assert slow == ""


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.name)
def test_knows_neither_runner_nor_server(path: Path) -> None:
    """No module of the SDK mentions the packages that run it in an import."""
    assert not re.search(r"(import|from) +autokitteh_(runner|server)", path.read_text())
