"""The tree of a compiled filter, read from the bytes that CEL's library gives it out as.

The library shows no tree of its own, but serializes one: `cel.expr.CheckedExpr`, in protobuf. Its few fields that
matter here are named beside the readers. Positions count characters from the filter's start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Field = tuple[int, int | bytes]  # number, value


@dataclass(frozen=True, slots=True)
class Constant:
    offset: int
    value: str | bytes | int | None  # None: null, a truth value or a float, which nobody asks for


@dataclass(frozen=True, slots=True)
class Name:
    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)`."""

    offset: int
    operand: "Tree"
    field: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method (what stands before the dot is its first argument), or an operator such as `_==_`."""

    offset: int
    function: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """`[a, b]`, or `{a: b}` with keys and values in one row."""

    offset: int
    items: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What `exists`, `all`, `map`, `filter` and `exists_one` become; and `cel.bind`, over an empty list."""

    offset: int
    variable: str
    over: "Tree"
    accumulator: str
    start: "Tree"
    step: "Tree"
    result: "Tree"

    @property
    def is_binding(self) -> bool:
        """Whether it does not loop, and only gives a name to a value."""
        return isinstance(self.over, Collect) and not self.over.items


Tree = Constant | Name | Select | Call | Collect | Loop


def read_tree(serialized: bytes) -> Tree:
    """The tree of a serialized expression."""
    packed = dict(_fields(serialized))  # an `Any`: type_url = 1, value = 2
    checked = dict(_fields(_bytes(packed[2])))  # expr = 4, source_info = 5
    positions: dict[int, int] = {}
    for number, value in _fields(_bytes(checked.get(5, b""))):  # map positions = 4: id = 1, offset = 2
        if number == 4:
            entry = dict(_fields(_bytes(value)))
            positions[_int(entry.get(1, 0))] = _int(entry.get(2, 0))
    return _Reader(positions).read(_bytes(checked[4]))


def children(tree: Tree) -> tuple[Tree, ...]:
    """The parts of a tree, in the order in which they stand."""
    match tree:
        case Select():
            return (tree.operand,)
        case Call():
            return tree.args
        case Collect():
            return tree.items
        case Loop():
            return (tree.over, tree.start, tree.step, tree.result)
        case _:
            return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """A tree and everything in it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


class _Reader:
    def __init__(self, positions: dict[int, int]) -> None:
        self._positions = positions

    def read(self, raw: bytes) -> Tree:
        offset = 0
        for number, value in _fields(raw):
            if number == 2:
                offset = self._positions.get(_int(value), 0)
            elif number in _KINDS:
                return _KINDS[number](self, offset, list(_fields(_bytes(value))))
        return Constant(offset, None)

    def _constant(self, offset: int, fields: list[Field]) -> Tree:
        for number, value in fields:  # int64 = 3, uint64 = 4, string = 6, bytes = 7
            if number == 6:
                return Constant(offset, _bytes(value).decode(errors="replace"))
            if number == 7:
                return Constant(offset, _bytes(value))
            if number in (3, 4):
                whole = _int(value)
                return Constant(offset, whole - (1 << 64) if number == 3 and whole >> 63 else whole)
        return Constant(offset, None)

    def _name(self, offset: int, fields: list[Field]) -> Tree:
        return Name(offset, _text(dict(fields).get(1, b"")))

    def _select(self, offset: int, fields: list[Field]) -> Tree:  # operand = 1, field = 2, test_only = 3
        each = dict(fields)
        return Select(offset, self.read(_bytes(each.get(1, b""))), _text(each.get(2, b"")), bool(each.get(3, 0)))

    def _call(self, offset: int, fields: list[Field]) -> Tree:  # target = 1, function = 2, args = 3
        each = dict(fields)
        args = [value for number, value in fields if number == 1] + [value for number, value in fields if number == 3]
        return Call(offset, _text(each.get(2, b"")), tuple(self.read(_bytes(arg)) for arg in args))

    def _list(self, offset: int, fields: list[Field]) -> Tree:  # elements = 1
        return Collect(offset, tuple(self.read(_bytes(value)) for number, value in fields if number == 1))

    def _map(self, offset: int, fields: list[Field]) -> Tree:  # entries = 2: map_key = 3, value = 4
        parts = (part for number, value in fields if number == 2 for part in _fields(_bytes(value)))
        return Collect(offset, tuple(self.read(_bytes(value)) for number, value in parts if number in (3, 4)))

    def _loop(self, offset: int, fields: list[Field]) -> Tree:
        each = dict(fields)  # iter_var = 1, range = 2, accu_var = 3, accu_init = 4, condition = 5, step = 6, result = 7
        over, start, step, result = (self.read(_bytes(each.get(number, b""))) for number in (2, 4, 6, 7))
        return Loop(offset, _text(each.get(1, b"")), over, _text(each.get(3, b"")), start, step, result)


_KINDS: dict[int, Callable[[_Reader, int, list[Field]], Tree]] = {
    3: _Reader._constant,
    4: _Reader._name,
    5: _Reader._select,
    6: _Reader._call,
    7: _Reader._list,
    8: _Reader._map,
    9: _Reader._loop,
}


def _fields(raw: bytes) -> Iterator[Field]:
    """The fields of one protobuf message."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(raw, at)
            yield key >> 3, value
            continue
        size, at = _varint(raw, at) if kind == 2 else (8 if kind == 1 else 4, at)
        yield key >> 3, raw[at : at + size]
        at += size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _int(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode(errors="replace")
