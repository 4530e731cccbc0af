"""Lines of the project are named, and tracebacks show them and nothing of the machinery."""

import os
import sys
import traceback
from pathlib import Path
from types import FrameType

import pytest

import autokitteh_runner.outcome
from autokitteh_runner.site import Sites

HERE = Path(__file__)
SITES = Sites(str(HERE.parent), {__file__})


def test_lines_are_relative_to_the_project() -> None:
    """A site is file, line and function, the file as the project knows it."""

    class Handler:
        def method(self) -> str:
            return SITES.of(sys._getframe())

    line = Handler.method.__code__.co_firstlineno + 1
    assert Handler().method() == f"{HERE.name}:{line}:test_lines_are_relative_to_the_project.<locals>.Handler.method"


@pytest.mark.parametrize("root", [str(HERE.parent), str(HERE.parent) + "/"])
def test_files_elsewhere_keep_their_path(root: str) -> None:
    """A file that is not in the project's folder is named in full."""
    sites = Sites("/", set())
    sites.set_root(root)
    assert sites.relative(__file__) == HERE.name
    assert sites.relative("/usr/lib/python/x.py") == "/usr/lib/python/x.py"
    assert sites.relative(str(HERE.parent) + "-other/x.py") == str(HERE.parent) + "-other/x.py"


def test_the_nearest_line_of_the_project() -> None:
    """Called from a library, it is the line of the project that called the library."""
    found: list[str] = []
    line = sys._getframe().f_lineno + 1
    sorted([2, 1], key=lambda n: found.append(SITES.here()) or n)
    assert [site.split(":")[:2] for site in found] == [[HERE.name, str(line)]] * 2
    assert os.path.join("a", Path("b")) == "a/b"  # noqa: PTH118


def test_no_line_of_the_project() -> None:
    """Where the project has no part there is no site, however deep the stack is."""
    elsewhere = Sites("/", set())
    assert elsewhere.here() == ""
    assert elsewhere.nearest(None) == ""

    def deep(depth: int) -> str:
        return deep(depth - 1) if depth else elsewhere.here()

    assert deep(300) == ""


def test_the_nearest_line_of_another_thread() -> None:
    """Any frame can be asked for."""

    def outer() -> FrameType:
        return sys._getframe()

    assert SITES.nearest(outer()).endswith(".outer")


def failing() -> None:
    raise ValueError("the text")


def test_descriptions_show_the_project() -> None:
    """An error is shown as Python does, with files as the project knows them, and its causes."""
    try:
        try:
            failing()
        except ValueError as err:
            raise KeyError("key") from err
    except KeyError as caught:
        text = SITES.describe(caught)
    assert text.startswith("Traceback (most recent call last):\n")
    assert f'File "{HERE.name}", line' in text
    assert str(HERE.parent) not in text
    assert "The above exception was the direct cause" in text
    assert 'raise ValueError("the text")' in text
    assert text.endswith("KeyError: 'key'")


def test_descriptions_leave_out_the_machinery() -> None:
    """Frames of the runner are not shown, in causes and groups neither."""

    try:
        autokitteh_runner.outcome.answered("json-error", b'["ValueError", "text"]')
    except ValueError as err:
        assert "/autokitteh_runner/" in "".join(traceback.format_exception(err))
        text = SITES.describe(ExceptionGroup("group", [err]))
    assert "/autokitteh_runner/" not in text
    assert "ValueError: text" in text
    assert f'File "{HERE.name}"' in text


def test_descriptions_of_what_cannot_be_shown() -> None:
    """An exception without text is shown all the same; so is one in a circle."""

    class BadText(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "BadText" in SITES.describe(BadText())
    one, other = ValueError(1), ValueError(2)
    one.__cause__, other.__cause__ = other, one
    assert SITES.describe(one).endswith("ValueError: 1")
