"""Other spellings are understood, and texts are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.filter_spelling import as_cel
from autokitteh_server.core.filters import FilterError, activate, compile_filter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.p.endswith('/x')", "data.p.endsWith('/x')"),
        ("data.p . startswith ('/x')", "data.p . startswith ('/x')"),
        ("data.p.startswith('a.endswith(') ; ", "data.p.startsWith('a.endswith(')   "),
        ('data.p == "x.endswith(;" ;', 'data.p == "x.endswith(;"  '),
        (
            r"""data.p == 'it\'s.endswith(' && data.q.endswith("\\")""",
            r"""data.p == 'it\'s.endswith(' && data.q.endsWith("\\")""",
        ),
        (
            r"data.p.matches(r'\.endswith\\') && data.q.endswith('x')",
            r"data.p.matches(r'\.endswith\\') && data.q.endsWith('x')",
        ),
        ("data.p == '''a.endswith(''' ;", "data.p == '''a.endswith('''  "),
        ("data.endswithout == 1", "data.endswithout == 1"),
        ("true // x.endswith(1);", "true // x.endswith(1);"),
    ],
)
def test_spellings(text: str, expected: str) -> None:
    """Words of Python become those of CEL, a semicolon at the end goes, texts and comments stay."""
    assert as_cel(text) == expected


@given(st.text(alphabet="ab.;'\"\\r endswith()\n"))
def test_every_character_keeps_its_place(text: str) -> None:
    """A problem's column is true of the text as it was written."""
    assert len(as_cel(text)) == len(text)


def test_such_filters_work() -> None:
    """A filter in another spelling matches what it says, and a mistake behind it is told at its place."""
    event = activate("get", {"method": "GET", "url": {"path": "/a/meow"}})
    assert compile_filter("data.method == 'GET' && data.url.path.endswith('/meow');").match(event).matched
    with pytest.raises(FilterError) as caught:
        compile_filter("data.url.path.endswith('/meow') && nothing == 1;")
    assert caught.value.problems[0].column == 36
