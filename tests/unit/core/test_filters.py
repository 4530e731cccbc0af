"""What filters match, and why they do not."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autokitteh_server.core.filters import Filter, FilterError, Match, activate, check_filter, compile_filter

DATA: dict[str, Any] = {
    "method": "GET",
    "url": {"path": "/webhooks/x/meow"},
    "headers": {"X-Github-Event": "push"},
    "text": "hello",
    "empty": "",
    "none": None,
    "yes": True,
    "one": 1,
    "half": 0.5,
    "raw": b"\x00\xff",
    "items": [{"name": "a"}, {"name": "b"}, 7],
    "labels": [{"name": "bug"}, {"name": "docs"}],
    "in": {"x y": 1},
}

JSON_WITH_BYTES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=20)
    # Surrogates and NUL included: this is what a webhook can bring.
    | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters(codec=None), max_size=5), inner),
    max_leaves=30,
)


def match(text: str, data: object = DATA, event_type: str = "push") -> Match:
    """One filter on one event."""
    return compile_filter(text).match(activate(event_type, data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "true",
        "event_type == 'push'",
        'event_type.startsWith("pu") && event_type.endsWith("sh") && event_type.contains("us")',
        'event_type.matches("^p.*h$")',
        'data.method in ["GET", "HEAD"] && data.url.path.endsWith("/meow")',
        "size(data.items) < 5 || size(data.text) > 10",
        'data.items[0].name == "a"',
        'data.url["path"] != "value"',
        "data.headers['X-Github-Event'] == 'push'",
        "data.empty == '' && data.none == null && data.yes && data.one == 1 && data.one == 1.0 && data.half < 1",
        "data.yes",
        "data.raw == b'\\x00\\xff' && size(data.raw) == 2",
        "has(data.one) && !has(data.two)",
        "has(data.two) && data.two.three == 1 || data.one == 1",
        "data.labels.exists(l, l.name == 'bug') && data.labels.all(l, size(l.name) > 2)",
        "data.labels.map(l, l.name).filter(n, n != 'bug') == ['docs'] && data.labels.exists_one(l, l.name == 'bug')",
        "data.text.upperAscii().lowerAscii().replace('l', 'L').split('L').join('-') == 'he--o'",
        "data.text.reverse() == 'olleh' && data.text.charAt(1) == 'e' && data.text.indexOf('l') == 2",
        "' x '.trim() == 'x' && data.text.substring(1, 3) == 'el' && '%s %d'.format(['a', 1]) == 'a 1'",
        "math.greatest(data.one, 2) == 2 && math.abs(-1) == 1 && base64.encode(b'1') == 'MQ=='",
        "cel.bind(p, data.url.path, p.startsWith('/w') && p.endsWith('meow'))",
        "sets.contains([1, 2, 'a'], [1.0]) && !sets.contains([1], [true]) && sets.intersects([1, 2], [2, 3])",
        "sets.equivalent([1, 1, 2], [2, 1]) && sets.contains([[1], {'a': 1}], [{'a': 1.0}])",
        "[1, 1.0, true, 1, 'a'].distinct() == [1, true, 'a'] && [[1], [2, 3], 4].flatten() == [1, 2, 3, 4]",
        "[3, 1, 2].sort() == [1, 2, 3] && [1, 2, 3].slice(1, 2) == [2] && [1, 2].reverse() == [2, 1]",
        "timestamp('2026-03-01T10:00:00Z').getHours('Europe/Berlin') == 11",
        "int('5') > 4 && string(5) == '5' && double('1.5') == 1.5 && type(data.one) == int",
        "data['in']['x y'] == 1 // as a comment has it",
    ],
)
def test_matches(text: str) -> None:
    """What people write in filters works as CEL has it."""
    assert match(text) == Match(True)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("data.two == 1", "data.two: no such key"),
        ("data.url.host.name == 'x'", "data.url.host: no such key"),
        ("data.headers['x-github-event'] == 'push'", 'data.headers["x-github-event"]: no such key'),
        ("data.one.x == 1", "data.one.x: data.one is a whole number, and has no keys"),
        ("data.none.x == 1", "data.none.x: data.none is null, and has no keys"),
        ("data.items[5].name == 'a'", "data.items[5]: no such index, the list has 3"),
        ("data.items.first == 1", "data.items.first: data.items is a list, and has no keys"),
        ("data.labels.exists(l, l.title == 'x')", "l.title: no such key"),
        ("data.items.exists(i, i.name == 'c')", "a value that is no map is asked for a key"),
        ("has(data.two.three)", "data.two: no such key"),
        ("data.url[data.text] == 1", "no such key: hello"),
        ("data.items[data.one + 5] == 1", "no such index: 6, the list has 3"),
        ("data.one.startsWith('x')", "`startsWith` does not go with a whole number and a text"),
        ("data.text + data.one == 'x'", "`+` does not go with a text and a whole number"),
        ("data.one > data.text", "`>` does not go with a whole number and a text"),
        ("data.one / 0 == 1", "division by zero"),
        ("int(data.text) == 1", "cannot convert string to int"),
        ("[1, 2].slice(1, 5) == []", "slice(1, 5) of a list of 2"),
        ("[1, 'a'].sort() == []", "sort() of values that have no order among them"),
        ("data.text", "the filter gave a text 'hello', and must give true or false"),
        ("data.one", "the filter gave a whole number 1, and must give true or false"),
        ("data.url", "the filter gave a map, and must give true or false"),
        ("data.none", "the filter gave null, and must give true or false"),
        ("data.method == 'POST' ? true : data.text", "the filter gave a text 'hello', and must give true or false"),
    ],
)
def test_failures_are_no_match_and_say_why(text: str, failure: str) -> None:
    """A filter that cannot be evaluated does not match, and its reason is in the words of the filter."""
    assert match(text) == Match(False, failure)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("data.url.path.endwith('/meow')", ["1:15: there is no function `endwith`. Did you mean `endsWith`?"]),
        ("event_type.startWith('x')", ["1:12: there is no function `startWith`. Did you mean `startsWith`?"]),
        ("data.s.starts_with('x')", ["1:8: there is no function `starts_with`. Did you mean `startsWith`?"]),
        ("data.s.lower() == 'x'", ["1:8: there is no function `lower`. Did you mean `lowerAscii`?"]),
        ("len(data.x) > 1", ["1:1: there is no function `len`. Did you mean `size`?"]),
        ("sets.contain([1], [1])", ["1:6: there is no function `contain`. Did you mean `sets.contains`?"]),
        ("data.get('x') == 1", ["1:6: there is no function `get`. Write `has(data.key) && data.key == 1`."]),
        ("data.l.exists(x == 1)", ["1:8: this is not how `exists` is used. Write `list.exists(x, x == 1)`."]),
        ("data.s.contains('a', 'b')", ["1:8: `contains` is not used like this, or not with so many arguments"]),
        ("dat.x == 1", ["1:1: there is no `dat`. Did you mean `data`?"]),
        (
            "text == 'x'",
            ["1:1: there is no `text`. A filter sees `data` and `event_type`. Did you mean `data.text`?"],
        ),
        ("data.s == 'é😀' &&\n dta.x == 1", ["2:2: there is no `dta`. Did you mean `data`?"]),
        (
            "dat.x && data.s.foo()",
            ["1:1: there is no `dat`. Did you mean `data`?", "1:17: there is no function `foo`"],
        ),
        ("data.a = 1", ["1:8: CEL has no `=`. Write `==`."]),
        ("data.a === 1", ["1:8: CEL has no `===`. Write `==`."]),
        ("data.a <> 1", ["1:8: CEL has no `<>`. Write `!=`."]),
        ("data.a == 1 and data.b", ["1:13: CEL has no `and`. Write `&&`."]),
        ("data.a == 1 or data.b", ["1:13: CEL has no `or`. Write `||`."]),
        ("not data.a", ["1:1: CEL has no `not`. Write `!`."]),
        ("data.a not in [1]", ["1:8: CEL has no `not`. Write `!(value in list)`."]),
        ("data.a & data.b", ["1:8: CEL has no `&`. Write `&&`."]),
        ("data.a is None", ["1:8: CEL has no `is`. Write `==`."]),
        ("data.a =~ 'x'", ["1:8: CEL has no `=~`. Write `text.matches('pattern')`."]),
        ("data.a == True", ["1:11: there is no `True`. Write `true`."]),
        ("data.a == None", ["1:11: there is no `None`. Write `null`."]),
        ('event_type.startsWith("issue_");;', ["1:32: a filter does not end with `;`. Remove it."]),
        ("data.in == 1", ["1:6: `in` is a word of CEL's own, and no key after a dot. Write `['in']`."]),
        ("data.a ==", ["1:10: the filter breaks off. Write the value or the condition that is missing."]),
        ("(data.a == 1", ["1:13: a `)` is missing. Add the `)`."]),
        ("data.s == 'abc", ["1:11: the text that starts here has no end. Add the closing quote."]),
        ("data.s == “a”", ["1:11: `“` cannot stand here. Write plain quotes."]),
        ("data.s contains 'x'", ["1:8: `contains` cannot stand here. It is a function: write `value.contains(...)`."]),
        ("data.?a == 1", ["1:1: CEL's `.?` cannot be used in a filter"]),
        ("has(data)", ["1:5: `has` asks about a key. Write `has(data.key)`."]),
        ("event_type == 1", ["1:12: `==` does not go with a text and a whole number"]),
        ("data.a == 99999999999999999999", ["1:11: the number is too large. Whole numbers have at most 64 bits."]),
        (
            "event_type",
            [
                "1:1: the filter gives a text, and must give true or false."
                " Compare it with something, such as `event_type == 'push'`."
            ],
        ),
        (
            "data.s.matches('(a') && data.s.matches('(?=a)')",
            [
                "1:16: the regular expression is not valid: missing ): (a."
                " Patterns are those of RE2: no look-ahead, no back-references.",
                "1:40: the regular expression is not valid: invalid perl operator: (?=."
                " Patterns are those of RE2: no look-ahead, no back-references.",
            ],
        ),
        (
            "data.s.matches(data.pattern)",
            ["1:15: the pattern of `matches` is not a text. Write the regular expression out, in quotes."],
        ),
        ("data.s == 'a\0'", ["1:13: the character U+0000 cannot be in a filter. Remove it."]),
        ("data.s == '\ud800'", ["1:12: the character U+D800 cannot be in a filter. Remove it."]),
        (
            "(" * 40 + "true" + ")" * 40,
            ["1:1: the filter is nested more than 32 deep. Join conditions with `&&` and `||` on one level."],
        ),
    ],
)
def test_what_does_not_compile_is_refused(text: str, problems: list[str]) -> None:
    """A bad filter has problems with line, column and remedy; what other languages write is told in CEL."""
    found = check_filter(text)

    assert [str(problem) for problem in found] == [f"filter:{problem}" for problem in problems]
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert caught.value.problems == tuple(found)


def test_long_filters_are_refused() -> None:
    """A filter has a length at most, for its compilation takes time as well."""
    (problem,) = check_filter("true || " * 600 + "true")

    assert "more than 4,096" in problem.message


def test_good_filters_have_no_problems() -> None:
    """Nothing is wrong with a filter that compiles, the empty one included."""
    assert check_filter("") == check_filter("data.a == 1") == []


def test_the_same_text_is_the_same_filter() -> None:
    """Compiled filters are kept, and equal by text."""
    assert compile_filter("data.a == 1") is compile_filter("data.a == 1")
    assert compile_filter("data.a == 1") == Filter("data.a == 1")


def test_one_activation_serves_many_filters() -> None:
    """Filters leave no trace in the event."""
    event = activate("push", DATA)
    filters = [compile_filter(text) for text in ("data.one == 1", "data.two == 1", "data.text", "event_type == 'x'")]

    first = [each.match(event) for each in filters]

    assert [each.match(event) for each in filters] == first
    assert [each.matched for each in first] == [True, False, False, False]


@given(JSON_WITH_BYTES, st.text(st.characters(codec=None), max_size=10) | st.none())
def test_no_data_makes_a_filter_raise(data: object, event_type: str | None) -> None:
    """Whatever JSON with bytes an event brings, every filter says matched, not matched or why it failed."""
    event = activate(event_type, data)

    for text in (
        "",
        "data.a == 'x'",
        "data == {}",
        "event_type == '' || size(data) > 3",
        "data.exists(k, data[k] == 1)",
    ):
        found = compile_filter(text).match(event)
        assert not (found.matched and found.failure)
    assert compile_filter("").match(event).matched


@given(st.dictionaries(st.sampled_from("abc"), st.text(st.characters(codec=None), max_size=6), min_size=1))
def test_texts_are_compared_whole(data: dict[str, str]) -> None:
    """A text equals the same text in a filter, and no other, whatever characters are in it."""
    event = activate("", data)

    for key, value in data.items():
        plain = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)
        literal = json.dumps(plain, ensure_ascii=False)
        assert compile_filter(f"data.{key} == {literal}").match(event) == Match(True)
        assert compile_filter(f"data.{key} == {literal} + 'x'").match(event) == Match(False)


WORDS = ["data", ".", "a", "(", ")", "[", "]", "'x'", '"', "==", "=", "&&", "and", "not", "exists", "x", ",", "1", "{",
         "}", ":", "?", "!", "-", "\n", "in", "true", "matches", "size", "'(a'", "has", "b'", "\\", ";"]  # fmt: skip


@settings(max_examples=300)
@example(";\n")
@given(st.text(st.characters(codec=None)) | st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join))
def test_no_text_makes_the_check_raise(text: str) -> None:
    """Any text is a filter that can be matched, or has problems with places inside of it."""
    problems = check_filter(text)

    lines = text.split("\n")
    for problem in problems:
        assert problem.message
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    if not problems:
        compile_filter(text).match(activate("push", DATA))
