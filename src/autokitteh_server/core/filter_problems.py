"""What CEL's library says about a filter that does not compile, as problems with places and remedies.

Filters are written by people who know Python, JavaScript or SQL: what they most often write instead of CEL has a
remedy of its own.
"""

import re
import unicodedata
from collections.abc import Iterator

from autokitteh_server.core.filter_words import operator_word, type_word
from autokitteh_server.core.manifest_problems import Place, Problem
from autokitteh_server.core.names import did_you_mean

VARIABLES = ("data", "event_type")
FUNCTIONS = (
    "contains", "endsWith", "startsWith", "matches", "size", "has", "exists", "exists_one", "all", "map", "filter",
    "charAt", "indexOf", "lastIndexOf", "join", "lowerAscii", "upperAscii", "replace", "split", "substring", "trim",
    "format", "reverse", "distinct", "flatten", "slice", "sort", "sets.contains", "sets.equivalent", "sets.intersects",
    "math.greatest", "math.least", "math.ceil", "math.floor", "math.round", "math.abs", "base64.encode",
    "base64.decode", "strings.quote", "cel.bind", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn",
    "timestamp", "duration", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getHours", "getMinutes", "getSeconds", "getMilliseconds",
)  # fmt: skip

#: Of functions that other languages have; what is merely misspelt is found by its likeness.
_OTHER_FUNCTIONS = {
    "any": "exists", "some": "exists", "every": "all", "find": "indexOf", "index": "indexOf", "float": "double",
    "includes": "contains", "has_key": "has", "hasOwnProperty": "has", "len": "size", "length": "size",
    "count": "size", "lower": "lowerAscii", "toLowerCase": "lowerAscii", "casefold": "lowerAscii",
    "match": "matches", "regex": "matches", "search": "matches", "str": "string", "strip": "trim",
    "substr": "substring", "test": "matches", "toUpperCase": "upperAscii", "upper": "upperAscii",
    "max": "math.greatest", "min": "math.least", "sorted": "sort", "set": "distinct",
}  # fmt: skip
_USES = {
    "exists": "list.exists(x, x == 1)",
    "exists_one": "list.exists_one(x, x == 1)",
    "all": "list.all(x, x == 1)",
    "map": "list.map(x, x.name)",
    "filter": "list.filter(x, x > 1)",
    "has": "has(data.key)",
}
_VALUES = {"True": "true", "False": "false", "None": "null", "nil": "null", "undefined": "null", "NULL": "null"}
_WORDS = {
    "and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "is": "==", "IS": "==", "===": "==",
    "!==": "!=", "<>": "!=", "=": "==", "=~": "matches", "&": "&&", "|": "||", "IN": "in",
}  # fmt: skip

_NAMESPACES = ("math", "sets", "base64", "strings", "cel")

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \| |\n?ERROR: <input>:|\Z)", re.DOTALL)
_NAMESPACE = re.compile(rf"undeclared reference to '({'|'.join(_NAMESPACES)})'")
_UNDECLARED = re.compile(r"undeclared reference to '(.+)' \(in container", re.DOTALL)
_OVERLOAD = re.compile(r"found no matching overload for '(.+)' applied to '(.*)'", re.DOTALL)
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*|[=!<>&|~]+|;")


def read_problems(error: str, text: str) -> list[Problem]:
    """The problems of a filter, by place. There is always one."""
    found = list(dict.fromkeys(_problems(error, text)))
    if any("is not how" in problem.message for problem in found):  # then its variable is not known either
        found = [problem for problem in found if "there is no" not in problem.message]
    return sorted(found, key=lambda problem: (problem.line, problem.column)) or [_too_deep(error)]


def filter_problem(place: Place, message: str, remedy: str = "") -> Problem:
    """A problem of the text that is called "filter"."""
    return Problem(message=message, line=place.line, column=place.column, file="filter", remedy=remedy)


def place_of(text: str, offset: int) -> Place:
    """Line and column of a character."""
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _problems(error: str, text: str) -> Iterator[Problem]:
    for line, column, message in _ERROR.findall(error):
        if int(line) < 1:
            continue
        if message.startswith(("Syntax error", "unsupported syntax")):
            yield _syntax_problem(Place(int(line), int(column)), message, text)
            return  # the parser has lost its way: what follows is noise
        message = message.strip().removesuffix(" [INVALID_ARGUMENT]")
        if not _NAMESPACE.match(message):  # its function has a problem as well, which says more
            yield _meaning_problem(Place(int(line), int(column)), message, text)


def _too_deep(error: str) -> Problem:
    if "recursion" in error:
        remedy = "Join conditions with `&&` and `||` on one level."
        return filter_problem(Place(1, 1), "the filter is nested more than 32 deep", remedy)
    return filter_problem(Place(1, 1), f"this is not an expression of CEL: {error[:200]}")


def _syntax_problem(place: Place, message: str, text: str) -> Problem:
    offset = _offset(text, place)
    if wrong := _foreign_word(text, offset):
        word, at = wrong
        if word == ";":
            return filter_problem(place_of(text, at), "a filter does not end with `;`", "Remove it.")
        remedy = f"Write `{_WORDS[word]}`."
        if word == "=~":
            remedy = "Write `text.matches('pattern')`."
        elif re.match(r"not\s+in\b", text[at:]):
            remedy = "Write `!(value in list)`."
        return filter_problem(place_of(text, at), f"CEL has no `{word}`", remedy)
    if re.match(r"Syntax error: token recognition error at: '['\"]", message):
        return filter_problem(place, "the text that starts here has no end", "Add the closing quote.")
    if missing := re.match(r"Syntax error: missing '(.)' at", message):
        return filter_problem(place, f"a `{missing[1]}` is missing", f"Add the `{missing[1]}`.")
    if offset >= len(text.rstrip()):
        return filter_problem(place, "the filter breaks off", "Write the value or the condition that is missing.")
    if unsupported := re.match(r"unsupported syntax '(.*?)'", message):
        return filter_problem(place, f"CEL's `{unsupported[1]}` cannot be used in a filter")
    if text[:offset].rstrip().endswith(".") and (reserved := re.match(r"(\w+)", text[offset:])):
        remedy = f"Write `[{reserved[1]!r}]`."
        return filter_problem(place, f"`{reserved[1]}` is a word of CEL's own, and no key after a dot", remedy)
    token = re.match(r"\w+|\S", text[offset:])
    word = token[0] if token else text[offset : offset + 1]
    return filter_problem(place, f"`{word}` cannot stand here", _remedy_for_word(word, text[:offset]))


def _remedy_for_word(word: str, before: str) -> str:
    if word in FUNCTIONS:
        return f"It is a function: write `value.{word}(...)`."
    if before.endswith(("'", '"')):
        return "A quote inside of a text is written with a backslash before it."
    return (
        "Write plain quotes."
        if unicodedata.category(word[0]) in ("Pi", "Pf")
        else "Join conditions with `&&` and `||`."
    )


def _foreign_word(text: str, offset: int) -> tuple[str, int] | None:
    """A word of another language where the parser stopped, or right before."""
    before: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        if token.start() <= offset < token.end():
            if token[0] == ";" or token[0] in _WORDS:
                return token[0], token.start()
            break
        if token.start() > offset:
            break
        before = token
    is_next = before and not text[before.end() : offset].strip()
    return (before[0], before.start()) if before and is_next and before[0] in _WORDS else None


def _meaning_problem(place: Place, message: str, text: str) -> Problem:
    if undeclared := _UNDECLARED.match(message):
        return _undeclared_problem(place, undeclared[1], text)
    if overload := _OVERLOAD.match(message):
        types = [type_word(each) for each in _split_types(overload[2].strip("()"))]
        name = operator_word(overload[1])
        start = text.rfind(overload[1], 0, _offset(text, place)) if name == overload[1] else -1
        where = place_of(text, start) if start >= 0 else place
        return filter_problem(where, f"`{name}` does not go with {' and '.join(types)}")
    if message.startswith("has() argument"):
        return filter_problem(place, "`has` asks about a key", "Write `has(data.key)`.")
    if message.startswith("reserved identifier: "):
        return filter_problem(place, f"`{message.removeprefix('reserved identifier: ')}` is a word of CEL's own")
    if message == "invalid int literal":
        return filter_problem(place, "the number is too large", "Whole numbers have at most 64 bits.")
    return filter_problem(place, message)


def _undeclared_problem(place: Place, name: str, text: str) -> Problem:
    end = _offset(text, place)
    root = name.lstrip(".").split(".")[0]
    start = max(text.rfind(root, 0, end + len(root)), 0)
    where = place_of(text, start)
    rest = text[start + len(root) :].lstrip()
    if rest.startswith("("):
        return _unknown_function(where, root, text, start)
    if root in _VALUES:
        return filter_problem(where, f"there is no `{root}`", f"Write `{_VALUES[root]}`.")
    if root in _WORDS:
        return filter_problem(where, f"CEL has no `{root}`", f"Write `{_WORDS[root]}`.")
    near = did_you_mean(root, VARIABLES)
    remedy = (
        f"Did you mean `{near}`?" if near else f"A filter sees `data` and `event_type`. Did you mean `data.{root}`?"
    )
    return filter_problem(where, f"there is no `{root}`", remedy)


def _unknown_function(where: Place, name: str, text: str, start: int) -> Problem:
    owner = re.search(r"(\w+)\s*\.\s*\Z", text[:start])
    full = f"{owner[1]}.{name}" if owner and owner[1] in _NAMESPACES else name
    if name in _USES:
        return filter_problem(where, f"this is not how `{name}` is used", f"Write `{_USES[name]}`.")
    if full in FUNCTIONS:
        return filter_problem(where, f"`{full}` is not used like this, or not with so many arguments")
    if name == "get":
        return filter_problem(where, "there is no function `get`", "Write `has(data.key) && data.key == 1`.")
    folded = {each.lower(): each for each in FUNCTIONS}.get(name.lower().replace("_", ""))
    alike = did_you_mean(full, [each for each in FUNCTIONS if each[0] == full[0]])
    near = folded or _OTHER_FUNCTIONS.get(name) or alike
    return filter_problem(where, f"there is no function `{name}`", f"Did you mean `{near}`?" if near else "")


def _split_types(types: str) -> list[str]:
    """Types in a row, of which some have commas in brackets of their own."""
    parts, depth = [""], 0
    for character in types:
        depth += (character in "(<") - (character in ")>")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _offset(text: str, place: Place) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1
