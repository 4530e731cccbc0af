"""YAML text to a tree in which every value keeps its place and its spelling.

Made from the parser's events and not with `yaml.compose`: that recurses in C, and a few kilobytes of `- - - -` end
the process. It also lets nesting and aliases be bounded while they are read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import yaml

from autokitteh_server.core.manifest_problems import Place, Problems

#: Bounds of a manifest. Far above what people write, far below what hurts.
MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 100_000  # with every alias counted as often as it is used

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = frozenset({None, "!"} | {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null")})
_SHAPE_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Both are the same parser to us; the one in C is 10 times faster, and missing from some builds of PyYAML.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it is written: `010` is "010"."""

    place: Place
    text: str
    is_null: bool = False  # nothing, `~` or `null`, without quotes
    content: Place | None = None  # where the text itself begins, if it stands there just so, line by line


@dataclass(frozen=True, slots=True)
class Sequence:
    place: Place
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    place: Place
    items: dict[str, tuple[Scalar, "Node"]] = field(default_factory=dict)  # key as text: key, value


Node = Scalar | Sequence | Mapping
_ValueEvent = yaml.ScalarEvent | yaml.CollectionStartEvent


class _Mark(Protocol):
    """A place as the parser gives it, counted from 0. The parser in C has a class of its own for it."""

    line: int
    column: int


class _Stop(Exception):
    """The text cannot be read on; the reason is among the problems already."""


def load_tree(text: str | bytes, problems: Problems) -> Node | None:
    """The document in a text. None, and at least one problem added, if there is none to be had.

    Adds a problem for each key that comes twice, and for what the format has and a manifest has no use for: tags,
    merge keys, keys that are no texts, aliases of what is around them.
    """
    try:
        decoded = _decoded(text, problems)
        return _Reader(problems).read(decoded)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" {error.context}" if error.context else ""
        problems.add(_place(mark), "", f"this is not valid YAML: {error.problem}{context}", "Check the indentation.")
        return None


def _decoded(text: str | bytes, problems: Problems) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        _stop(problems, Place(1, 1), f"the file has {size:,} bytes, more than {MAX_BYTES:,}")
    text = (text if isinstance(text, str) else _decode(text, problems)).removeprefix("\ufeff")
    if odd := _UNPRINTABLE.search(text):
        place = _place_after(text[: odd.start()])
        _stop(problems, place, f"the character U+{ord(odd[0]):04X} cannot be in YAML", "Remove it.")
    return text


def _decode(raw: bytes, problems: Problems) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        place = _place_after(raw[: error.start].decode())
        _stop(problems, place, "the file is not UTF-8", "Save it in that encoding.")


class _Reader:
    """Builds the tree of one text. Recurses no deeper than MAX_DEPTH."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._lines: list[str] = []
        self._anchors: dict[str, tuple[Node, int]] = {}  # name: value, and how many values are in it
        self._open: set[str] = set()  # anchors of the values that are being read
        self._values = 0

    def read(self, text: str) -> Node | None:
        self._lines = text.split("\n")
        events = iter(yaml.parse(text, Loader=_LOADER))
        document: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if document is not None:
                    self._stop(event, "a second document starts here", "Keep one project in one file.")
                document = self._node(next(events), events, 0)
        return document

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent), "no other event starts a value"
        self._count(event, 1)
        if depth > MAX_DEPTH:
            self._stop(event, f"values are nested more than {MAX_DEPTH} deep")
        self._check_tag(event)
        before, anchor = self._values, event.anchor
        if anchor:
            self._open.add(anchor)
        node = self._value(event, events, depth)
        if anchor:
            self._open.discard(anchor)
            self._anchors[anchor] = (node, self._values - before + 1)
        return node

    def _value(self, event: _ValueEvent, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(Sequence(_place(event.start_mark)), events, depth)
        return self._mapping(Mapping(_place(event.start_mark)), events, depth)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        is_null = not event.style and event.tag is None and event.value in _NULLS
        # An escape in quotes gets past the check of the text; an environment variable cannot hold it.
        if "\0" in event.value:
            self._problems.add(_place(event.start_mark), "", "a value has a NUL character in it", "Remove it.")
        text = "" if is_null else event.value
        return Scalar(_place(event.start_mark), text, is_null, self._content(event, text))

    def _content(self, event: yaml.ScalarEvent, text: str) -> Place | None:
        place = _place(event.start_mark)
        if event.style == "|":
            indented = next(filter(str.strip, self._lines[place.line :]), "")
            place = Place(place.line + 1, len(indented) - len(indented.lstrip(" ")) + 1)
        elif event.style in ("'", '"'):
            place = Place(place.line, place.column + 1)
        for at, line in enumerate(text.rstrip("\n").split("\n"), start=place.line - 1):
            if at >= len(self._lines) or not self._lines[at][place.column - 1 :].startswith(line):
                return None  # folded, or with escapes in it
        return place

    def _sequence(self, sequence: Sequence, events: Iterator[yaml.Event], depth: int) -> Sequence:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            sequence.items.append(self._node(event, events, depth + 1))
        return sequence

    def _mapping(self, mapping: Mapping, events: Iterator[yaml.Event], depth: int) -> Mapping:
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if isinstance(key, Scalar):
                self._put(mapping, key, value)
            else:
                self._problems.add(_place(event.start_mark), "", "a key must be a plain word")
        return mapping

    def _put(self, mapping: Mapping, key: Scalar, value: Node) -> None:
        first = mapping.items.setdefault(key.text, (key, value))[0]
        if key.text == "<<":
            self._problems.add(
                key.place,
                "",
                "merge keys (`<<`) cannot be used here",
                "Write the fields out where they belong.",
            )
        elif first is not key:
            message = f"`{key.text}` comes twice: here, and in line {first.place.line}"
            self._problems.add(key.place, "", message, "Remove one of them.")

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = event.anchor or ""
        if name in self._open:
            self._stop(event, f"the alias `*{name}` stands inside of what it means")
        if name not in self._anchors:
            self._stop(event, f"there is no anchor `&{name}` before this alias")
        node, values = self._anchors[name]
        self._count(event, values)
        return node

    def _count(self, event: yaml.Event, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._stop(event, f"the file has more than {MAX_VALUES:,} values, aliases counted where they are used")

    def _check_tag(self, event: _ValueEvent) -> None:
        tags = _PLAIN_TAGS if isinstance(event, yaml.ScalarEvent) else _SHAPE_TAGS
        if event.tag not in tags:
            self._problems.add(_place(event.start_mark), "", f"the tag `{event.tag}` has no meaning here", "Remove it.")

    def _stop(self, event: yaml.Event, message: str, remedy: str = "") -> NoReturn:
        _stop(self._problems, _place(event.start_mark), message, remedy)


def _stop(problems: Problems, place: Place, message: str, remedy: str = "") -> NoReturn:
    problems.add(place, "", message, remedy)
    raise _Stop


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _place_after(text: str) -> Place:
    lines = text.split("\n")
    return Place(len(lines), len(lines[-1]) + 1)
