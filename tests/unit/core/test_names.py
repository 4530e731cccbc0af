"""Names, entries and paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import Entry, did_you_mean, is_name, parse_entry, path_problem

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
    + ["a ", "\udcff"],
)
def test_bad_paths(path: str) -> None:
    """What leads elsewhere, or reads differently elsewhere, is refused with a reason."""
    assert path_problem(path)


def test_did_you_mean() -> None:
    """The nearest known word is proposed, and none if all are far."""
    assert did_you_mean("slak", ["github", "slack"]) == "slack"
    assert did_you_mean("qqq", ["github", "slack"]) == ""
