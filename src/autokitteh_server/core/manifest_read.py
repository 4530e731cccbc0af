"""A tree of YAML to items: mappings whose fields are known, present where they must be, and of the right kind."""

from collections.abc import Callable
from dataclasses import dataclass, field

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.manifest_problems import Place, Problems
from autokitteh_server.core.manifest_schema import Field, Kind, Section
from autokitteh_server.core.manifest_yaml import Mapping, Node, Scalar, Sequence
from autokitteh_server.core.names import NAME_RULE, Entry, did_you_mean, is_name, parse_entry

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Item:
    """One section of a manifest as read. A field that is bad has a place, and no value."""

    path: str  # "" for the whole manifest
    place: Place
    places: dict[str, Place] = field(default_factory=dict)  # of the fields that are there
    contents: dict[str, Place] = field(default_factory=dict)  # of texts that stand there just so: where they begin
    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    sections: dict[str, "Item"] = field(default_factory=dict)
    lists: dict[str, list["Item"]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The text in a field, or ""."""
        return self.texts.get(name, "")

    def at(self, name: str) -> Place:
        """Where a field's value stands; for one that is not there, where the section starts."""
        return self.places.get(name, self.place)

    def within(self, name: str, place: Place) -> Place | None:
        """Where a place in the text of a field is in the manifest; None if the text is not written there as it is."""
        start = self.contents.get(name)
        return start and Place(start.line + place.line - 1, start.column + place.column - 1)

    def path_of(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def read_item(node: Node, section: Section, path: str, problems: Problems) -> Item | None:
    """Read a node as a section. Adds what is wrong with it to the problems; None if it is no mapping at all."""
    if not isinstance(node, Mapping):
        problems.add(node.place, path, f"a {section.noun} has fields, and this is {_shape(node)}", _fields_of(section))
        return None
    item = Item(path, node.place)
    for key, value in node.items.values():
        if known := section.get(key.text):
            _read_field(item, known, value, problems)
        elif key.text != "<<":  # which has its own problem already
            _add_unknown(item, section, key, problems)
    for each in section.fields:
        if each.required and each.name not in item.places:
            problems.add(item.place, item.path_of(each.name), f"the {section.noun} lacks `{each.name}`", each.help)
    return item


def _read_field(item: Item, known: Field, node: Node, problems: Problems) -> None:
    # A field with nothing in it is one that is not there; only of a mark its being there is all that matters.
    if isinstance(node, Scalar) and node.is_null and known.kind is not Kind.MARK:
        return
    item.places[known.name] = node.place
    if known.kind is Kind.LIST:
        _read_list(item, known, node, problems)
    elif known.kind is Kind.SECTION and known.section:
        if section := read_item(node, known.section, item.path_of(known.name), problems):
            item.sections[known.name] = section
    elif known.kind is Kind.MARK:
        _read_mark(item, known, node, problems)
    elif isinstance(node, Scalar):
        if node.content:
            item.contents[known.name] = node.content
        _READERS[known.kind](item, known, node.text, problems)
    else:
        problems.add(node.place, item.path_of(known.name), f"a text is expected, and this is {_shape(node)}")


def _read_list(item: Item, known: Field, node: Node, problems: Problems) -> None:
    path = item.path_of(known.name)
    if not isinstance(node, Sequence) or not known.section:
        remedy = "Put `- ` before the first field of each member."
        problems.add(node.place, path, f"a list is expected, and this is {_shape(node)}", remedy)
        return
    members = (read_item(each, known.section, f"{path}[{at}]", problems) for at, each in enumerate(node.items))
    item.lists[known.name] = [member for member in members if member]


def _read_mark(item: Item, known: Field, node: Node, problems: Problems) -> None:
    empty = isinstance(node, Mapping) and not node.items
    if not (empty or (isinstance(node, Scalar) and node.text.lower() in ("", "true", "yes", "on"))):
        problems.add(node.place, item.path_of(known.name), "this takes no value", f"Write `{known.name}: {{}}`.")


def _read_text(item: Item, known: Field, text: str, problems: Problems) -> None:
    item.texts[known.name] = text


def _read_name(item: Item, known: Field, text: str, problems: Problems) -> None:
    item.texts[known.name] = text
    if not is_name(text):
        problems.add(item.at(known.name), item.path_of(known.name), f"{text[:100]!r} cannot be a name", NAME_RULE)


def _read_choice(item: Item, known: Field, text: str, problems: Problems) -> None:
    if text in known.choices:
        item.texts[known.name] = text
        return
    near = did_you_mean(text, known.choices)
    remedy = f"Did you mean `{near}`?" if near else f"Use one of: {', '.join(known.choices)}."
    problems.add(item.at(known.name), item.path_of(known.name), f"there is no {known.name} {text!r}", remedy)


def _read_flag(item: Item, known: Field, text: str, problems: Problems) -> None:
    value = _FLAGS.get(text.lower())
    if value is None:
        message = f"{text!r} is neither true nor false"
        problems.add(item.at(known.name), item.path_of(known.name), message, "Write `true` or `false`.")
    else:
        item.flags[known.name] = value


def _read_entry(item: Item, known: Field, text: str, problems: Problems) -> None:
    try:
        item.entries[known.name] = parse_entry(text)
    except InvalidArgument as error:
        problems.add(item.at(known.name), item.path_of(known.name), error.message, error.remedy)


_READERS: dict[Kind, Callable[[Item, Field, str, Problems], None]] = {
    Kind.TEXT: _read_text,
    Kind.NAME: _read_name,
    Kind.CHOICE: _read_choice,
    Kind.FLAG: _read_flag,
    Kind.ENTRY: _read_entry,
}


def _add_unknown(item: Item, section: Section, key: Scalar, problems: Problems) -> None:
    near = did_you_mean(key.text, [each.name for each in section.fields])
    remedy = f"Did you mean `{near}`?" if near else _fields_of(section)
    problems.add(key.place, item.path_of(key.text), f"a {section.noun} has no field `{key.text}`", remedy)


def _fields_of(section: Section) -> str:
    return f"Its fields are: {', '.join(each.name for each in section.fields)}."


def _shape(node: Node) -> str:
    if isinstance(node, Scalar):
        return "empty" if node.is_null else f"the text {node.text[:40]!r}"
    return "a list" if isinstance(node, Sequence) else "a mapping"
