"""Finding the function to start with."""

import pytest

from autokitteh_server.builds.entries import find_entry
from autokitteh_server.builds.source import Source
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.names import Entry

MANIFEST = "version: v2\nproject:\n  name: x\n  triggers:\n    - {name: url, type: webhook}\n"


def source_of(files: dict[str, str], *calls: str) -> Source:
    """A source with these files, and a manifest with a trigger for each call, if there are any."""
    triggers = "".join(f"    - {{name: t{at}, type: webhook, call: '{call}'}}\n" for at, call in enumerate(calls))
    manifest = parse_manifest(MANIFEST + triggers) if calls else None
    content = {path: code.encode() for path, code in files.items()}
    return Source(name="x", files=content, manifest=manifest, manifest_path="autokitteh.yaml" if calls else None)


TWO = "def one(e): pass\ndef two(e): pass\n"
DEFAULT = "def helper(): pass\nasync def on_trigger(e): pass\n"


@pytest.mark.parametrize(
    ("files", "calls", "expected"),
    [
        ({"program.py": TWO, "main.py": TWO}, ["main.py:two"], "main.py:two"),
        ({"program.py": TWO}, ["program.py:one", "program.py:one"], "program.py:one"),
        ({"any.py": "def _private(): pass\ndef handler(e): pass\n"}, [], "any.py:handler"),
        ({"any.py": "async def handler(e): pass\n"}, [], "any.py:handler"),
        ({"any.py": "import a\n@a.b\ndef handler(e): pass\nx = lambda: 1\n"}, [], "any.py:handler"),
        ({"program.py": "def f(e): pass\n", "lib.py": TWO}, [], "program.py:f"),
        ({"main.py": "def f(e): pass\n", "lib/program.py": TWO}, [], "main.py:f"),
        ({"program.py": DEFAULT}, [], "program.py:on_trigger"),
        ({"program.py": TWO, "main.py": DEFAULT}, [], "main.py:on_trigger"),
        ({"program.py": DEFAULT + TWO}, ["program.py:one", "program.py:two"], "program.py:on_trigger"),
        ({"program.py": "", "main.py": "def f(e): pass\n"}, [], "main.py:f"),
        ({"program.py": "def helper(): pass\ndef on_message(e): pass\n"}, [], "program.py:on_message"),
        ({"program.py": "@ak.activity(retries=2)\ndef fetch(): pass\ndef main(e): pass\n"}, [], "program.py:main"),
        ({"program.py": "@activity\ndef fetch(): pass\ndef main(e): pass\n"}, [], "program.py:main"),
    ],
)
def test_the_only_function_that_can_be_meant(files: dict[str, str], calls: list[str], expected: str) -> None:
    """Without an entry, the function is found if there is no doubt about it."""
    assert str(find_entry(source_of(files, *calls))) == expected


@pytest.mark.parametrize(
    ("files", "calls", "candidates"),
    [
        ({"program.py": TWO}, [], ["program.py:one", "program.py:two"]),
        ({"program.py": TWO}, ["program.py:two", "lib.py:x"], ["program.py:two", "lib.py:x", "program.py:one"]),
        ({"program.py": DEFAULT, "main.py": "def on_trigger(e): pass\n"}, [], ["main.py:on_trigger"]),
    ],
)
def test_doubt(files: dict[str, str], calls: list[str], candidates: list[str]) -> None:
    """If several functions may be meant, all are listed, with the option that names one."""
    with pytest.raises(InvalidArgument, match="not clear") as caught:
        find_entry(source_of(files, *calls))
    assert "--entry FILE.py:FUNC" in caught.value.remedy
    assert all(f"  {candidate}" in caught.value.remedy for candidate in candidates)


@pytest.mark.parametrize("files", [{}, {"a.txt": ""}, {"a.py": "x = 1\n"}, {"a.py": TWO, "b.py": TWO}])
def test_no_function(files: dict[str, str]) -> None:
    """If there is nothing to start with, the error names the option that says so."""
    with pytest.raises(InvalidArgument, match="--entry"):
        find_entry(source_of(files))


@pytest.mark.parametrize("function", ["one", "K", "value", "imported", "star"])
def test_given_entries(function: str) -> None:
    """A given entry counts, be it a function or another name that the module has."""
    code = TWO + "class K: pass\nvalue = one\nfrom a import imported\n"
    code += "from b import *\n" if function == "star" else ""
    assert find_entry(source_of({"lib/a.py": code}), f"lib/a.py:{function}") == Entry("lib/a.py", function)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("program.py:tow", "Did you mean two?"),
        ("program.py:other", "Its functions are: one, two."),
        ("progam.py:one", "Did you mean program.py?"),
        ("zzz.py:one", "The files of Python are: broken.py, program.py."),
        ("program.py", "it has no `:`"),
        ("program.py:one.two", "not the name of a top-level function"),
        ("broken.py:f", "broken.py:1:5: "),
    ],
)
def test_bad_entries(entry: str, said: str) -> None:
    """A given entry that is not there is refused, with what is there instead."""
    with pytest.raises(InvalidArgument) as caught:
        find_entry(source_of({"broken.py": "x = (\n", "program.py": TWO}), entry)
    assert said in str(caught.value)


def test_what_a_trigger_calls_has_to_be_there() -> None:
    """The entry that the manifest gives is checked like a given one."""
    with pytest.raises(InvalidArgument, match=r"program\.py defines no three"):
        find_entry(source_of({"program.py": TWO}, "program.py:three"))
