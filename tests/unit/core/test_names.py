"""Names, entries and paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import (
    Entry,
    did_you_mean,
    directory_clash,
    is_name,
    parse_entry,
    path_problem,
    spelling_clash,
)

PARTS = st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)
FUNCTIONS = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True)


@pytest.mark.parametrize("name", ["a", "_", "slack_conn", "A1", "__init__", "x" * 200])
def test_good_names(name: str) -> None:
    """Letters, digits and underscores make a name."""
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "größe", "a\n", " a", "a.b", "٣"])
def test_bad_names(name: str) -> None:
    """Anything else does not, other alphabets and a newline at the end included."""
    assert not is_name(name)


@given(st.lists(PARTS, min_size=1, max_size=3), FUNCTIONS)
def test_entries_survive_being_written(parts: list[str], function: str) -> None:
    """An entry read from its own text is the same entry."""
    entry = Entry("/".join(parts) + ".py", function)
    assert parse_entry(str(entry)) == entry


def test_entry_drops_the_current_directory() -> None:
    """A path as a shell completes it names the same file."""
    assert parse_entry(" ./program.py:on_event ") == Entry("program.py", "on_event")


def test_entry_may_be_in_any_alphabet() -> None:
    """What Python takes for a function's name is one, in the form in which Python keeps it."""
    assert parse_entry("program.py:ﬁnde_größe").function == "finde_größe"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no `:`"),
        ("program.py", "no `:`"),
        ("program:main", "not the name of a .py file"),
        (".py:main", "not the name of a .py file"),
        (":main", "not the name of a .py file"),
        ("program.py:", "not the name of a top-level function"),
        ("program.py:Class.method", "not the name of a top-level function"),
        ("program.py:f()", "not the name of a top-level function"),
        ("a.py:b:c", "not the name of a .py file"),
        ("../program.py:main", "leads out"),
        ("/program.py:main", "absolute"),
        ("C:program.py:main", "absolute"),
        ("a\\program.py:main", "backslash"),
    ],
)
def test_bad_entries(text: str, reason: str) -> None:
    """What is no entry gets an error that quotes it, and tells the reason and what to write."""
    with pytest.raises(InvalidArgument) as caught:
        parse_entry(text)
    assert repr(text) in caught.value.message
    assert reason in caught.value.message
    assert "program.py:on_event" in caught.value.remedy


@pytest.mark.parametrize("path", ["a", "a/b.py", "a b/c", "..a", "a..", ".env", "größe.txt", "a\u202fb"])
def test_good_paths(path: str) -> None:
    """Relative paths inside of a directory are fine, whatever their letters."""
    assert path_problem(path) == ""


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "a/../b", "../a", "/a", "a//b", "./a", "a/", "a/./b", "a\\b", "C:a", "c:/a", "a\0", "a\nb", " a"]
    + ["a ", "\udcff", "a/" * 50 + "a"],
)
def test_bad_paths(path: str) -> None:
    """What leads elsewhere, or reads differently elsewhere, is refused with a reason."""
    assert path_problem(path)


def test_did_you_mean() -> None:
    """The nearest known word is proposed, and none if all are far."""
    assert did_you_mean("slak", ["github", "slack"]) == "slack"
    assert did_you_mean("qqq", ["github", "slack"]) == ""


@given(st.sets(st.from_regex(r"[aAbß](/[aAbß]){0,2}", fullmatch=True), max_size=5))
def test_clashes_are_what_would_happen_on_disk(paths: set[str]) -> None:
    """Paths clash exactly if a machine cannot have all of them, or one that folds letters has fewer."""
    nodes = {"/".join(path.split("/")[:count]) for path in paths for count in range(1, path.count("/") + 2)}
    inner = {"/".join(path.split("/")[:count]) for path in paths for count in range(1, path.count("/") + 1)}

    assert bool(directory_clash(paths)) is bool(inner & paths)
    assert (spelling_clash(paths) is not None) is (len({node.casefold() for node in nodes}) < len(nodes))


def test_spellings_that_are_the_same() -> None:
    """Both are told. Letters with accents may be written in two ways."""
    assert spelling_clash(["a/x", "b", "A/y"]) == ("a", "A")
    assert spelling_clash(["\u00fc", "u\u0308"]) == ("\u00fc", "u\u0308")
    assert spelling_clash(["a", "b/a", "b/c"]) is None
