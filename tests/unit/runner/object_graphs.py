"""Random graphs of objects that a test can build twice, change twice, and compare with one another."""

import random
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


class Plain:
    """Attributes in a __dict__."""


class Slotted:
    """Attributes in slots."""

    __slots__ = ("a", "b", "c")


class SlottedMore(Slotted):
    """Attributes in slots and in a __dict__, and one that only this class can name."""

    __slots__ = ("__dict__", "__hidden")

    def hide(self, value: Any) -> None:
        self.__hidden = value


@dataclass
class Data:
    """A dataclass."""

    a: Any = None
    b: list[Any] = field(default_factory=list)


class Frozen:
    """Refuses to be changed by the usual way."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("frozen")


class WithState:
    """Says what its state is, leaving out what can't be pickled."""

    def __init__(self) -> None:
        self.lock = lambda: None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__dict__.setdefault("lock", lambda: None)


class LeavesOut:
    """Leaves out an attribute and has no __setstate__."""

    lock: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}


class Reduced:
    """Is made again by a call with all that it holds."""

    def __init__(self, a: Any = None, b: Any = None) -> None:
        self.a, self.b = a, b

    def __reduce__(self) -> Any:
        return Reduced, (self.a, self.b)


class Numbered:
    """Can be in sets, in the same order in every graph."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __getnewargs__(self) -> tuple[int]:
        return (self.number,)

    def __new__(cls, number: int) -> "Numbered":
        made = super().__new__(cls)
        made.number = number
        return made

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class ListSub(list[Any]):
    """A list with attributes."""


class DictSub(dict[Any, Any]):
    """A dict with attributes."""


class AttributeDict(dict[Any, Any]):
    """A dict that is its own __dict__."""

    def __init__(self) -> None:
        self.__dict__ = self


class SetSub(set[Any]):
    """A set with attributes."""


class DequeSub(deque[Any]):
    """A deque with attributes."""


class SlottedList(list[Any]):
    """A list with attributes in slots."""

    __slots__ = ("a", "b")


KINDS: list[Callable[[int], Any]] = [
    lambda n: [],
    lambda n: {},
    lambda n: {n, n + 8, f"s{n}"},
    lambda n: deque(),
    lambda n: deque(maxlen=3),
    lambda n: bytearray(b"x%d" % n),
    lambda n: array("i", [n]),
    lambda n: Plain(),
    lambda n: Slotted(),
    lambda n: SlottedMore(),
    lambda n: Data(),
    lambda n: Frozen(),
    lambda n: WithState(),
    lambda n: LeavesOut(),
    lambda n: Reduced(),
    Numbered,
    lambda n: ListSub(),
    lambda n: DictSub(),
    lambda n: AttributeDict(),
    lambda n: SetSub(),
    lambda n: DequeSub(maxlen=4),
    lambda n: SlottedList(),
    lambda n: Counter("ab"),
    lambda n: OrderedDict(),
    lambda n: defaultdict(list),
]

NAMES = ["a", "b", "c", "d"]


def leaf(rng: random.Random) -> Any:
    """A value that can't change; equal strings may or may not be one object."""
    return rng.choice(
        [None, True, rng.randrange(9), 2.5, -0.0, b"by", "constant", "".join(["con", "stant"]), 2**70, (1, "x"), ...]
    )


def put(rng: random.Random, target: Any, value: Any) -> None:
    """Put a value into an object somehow."""
    as_attribute = rng.random() < 0.4
    if isinstance(target, Frozen):
        vars(target)[rng.choice(NAMES)] = value
    elif isinstance(target, SlottedMore):
        target.hide(value) if as_attribute else setattr(target, rng.choice(NAMES), value)
    elif isinstance(target, Slotted):
        setattr(target, rng.choice(NAMES[:3]), value)
    elif isinstance(target, Reduced):
        # Pickle can't follow a circle that goes through what an object is made from.
        setattr(target, rng.choice(NAMES[:2]), leaf(rng))
    elif isinstance(target, SlottedList) and as_attribute:
        setattr(target, rng.choice(NAMES[:2]), value)
    elif isinstance(target, Counter):
        target[rng.choice(NAMES)] = rng.randrange(5)
    elif hasattr(target, "__dict__") and (as_attribute or not isinstance(target, list | dict | set | deque)):
        setattr(target, rng.choice(NAMES), value)
    elif isinstance(target, list):
        target.insert(rng.randrange(len(target) + 1), value)
    elif isinstance(target, deque):
        target.append(value)
    elif isinstance(target, dict):
        target[rng.choice([*NAMES, 1, (1, 2)])] = value
    elif isinstance(target, set):
        fits = isinstance(value, int | str) or (isinstance(value, Numbered) and type(target) is set)
        target.add(value if fits else rng.randrange(40))
    elif isinstance(target, bytearray):
        target.append(rng.randrange(256))
    elif isinstance(target, array):
        target.append(rng.randrange(1000))


def take(rng: random.Random, target: Any) -> None:
    """Take something out of an object, or put what is in it into another order."""
    names = [name for name in NAMES if name in getattr(target, "__dict__", {})]
    if names and rng.random() < 0.4 and not isinstance(target, Reduced):
        del vars(target)[rng.choice(names)]
    elif isinstance(target, SlottedMore) and rng.random() < 0.2:
        vars(target).clear()
    elif isinstance(target, Slotted | SlottedList) and (slots := [n for n in NAMES[:3] if hasattr(target, n)]):
        delattr(target, rng.choice(slots))
    elif isinstance(target, list | deque | bytearray | array) and len(target):
        how = rng.randrange(4)
        if how == 0 and not isinstance(target, array):
            target.clear()
        elif how == 1:
            target.pop()
        elif how == 2:
            target.reverse()
        else:
            target[0], target[-1] = target[-1], target[0]
    elif isinstance(target, dict) and target:
        rng.choice([target.clear, target.popitem])()
    elif isinstance(target, set) and target:
        rng.choice([target.clear, lambda: target.discard(next(iter(target)))])()


def replace_attributes(target: Any) -> None:
    """Give an object another __dict__ with other attributes."""
    if type(target) in (Plain, Data):
        target.__dict__ = {"d": target, **vars(target), "a": 1}


def build(rng: random.Random, size: int) -> list[Any]:
    """Objects that refer to one another."""
    nodes = [rng.choice(KINDS)(number) for number in range(size)]
    for _ in range(size * 3):
        put(rng, rng.choice(nodes), something(rng, nodes))
    return nodes


def something(rng: random.Random, nodes: list[Any]) -> Any:
    """A value to put into an object."""
    how = rng.random()
    if how < 0.3:
        return leaf(rng)
    return rng.choice(nodes) if how < 0.8 else (rng.choice(nodes), leaf(rng), (rng.choice(nodes),))


def change(rng: random.Random, nodes: list[Any], steps: int) -> None:
    """What code that can reach these objects may do to them."""
    nodes = list(nodes)
    for _ in range(steps):
        how = rng.random()
        if how < 0.4:
            put(rng, rng.choice(nodes), something(rng, nodes))
        elif how < 0.7:
            take(rng, rng.choice(nodes))
        elif how < 0.8:
            replace_attributes(rng.choice(nodes))
        elif how < 0.85:
            swap_for_equal(rng, nodes)
        else:
            new = rng.choice(KINDS)(100 + len(nodes))
            put(rng, new, something(rng, nodes))
            put(rng, rng.choice(nodes), new)
            nodes.append(new)


def swap_for_equal(rng: random.Random, nodes: list[Any]) -> None:
    """Let equal objects change places, or be replaced, which no comparison of values shows."""
    for node in nodes:
        if type(node) is list and node:
            spot = rng.randrange(len(node))
            if type(node[spot]) in (list, dict):
                node[spot] = node[spot].copy()
            node[spot], node[0] = node[0], node[spot]


def parts(obj: Any) -> Iterator[tuple[Any, Any]]:
    """What an object consists of, each with its place: all that code could tell, and in the order it could tell."""
    if type(obj) is not AttributeDict:
        for name, value in getattr(obj, "__dict__", {}).items():
            if name != "lock":
                yield f".{name}", value
    for name in ("a", "b", "c", "_SlottedMore__hidden"):
        if isinstance(obj, Slotted | SlottedList) and hasattr(obj, name):
            yield f" {name}", getattr(obj, name)
    if isinstance(obj, dict):
        yield from enumerate([*obj, *obj.values()])
    elif isinstance(obj, list | tuple | set | deque | bytearray | array):
        yield from enumerate(obj)


def is_plain(value: Any) -> bool:
    return value is ... or isinstance(value, int | float | str | bytes | None)


def reachable(roots: Iterable[Any]) -> list[Any]:
    """All objects that can change and can be reached, each once, in a fixed order."""
    found: dict[int, Any] = {}
    todo = list(roots)
    for obj in todo:
        if type(obj) is tuple:
            todo += obj
        elif not is_plain(obj) and id(obj) not in found:
            found[id(obj)] = obj
            todo += [part for _, part in parts(obj)]
    return list(found.values())


def difference(one: Iterable[Any], other: Iterable[Any]) -> str:
    """Where two graphs begin to differ for code that holds these references; "" if it can't tell them apart."""
    partner_of: dict[int, int] = {}
    partner_back: dict[int, int] = {}
    todo = [(f"held[{n}]", a, b) for n, (a, b) in enumerate(zip(one, other, strict=True))]
    for path, a, b in todo:
        if type(a) is not type(b):
            return f"{path}: {a!r} is a {type(a)}, {b!r} a {type(b)}"
        if is_plain(a):
            if repr(a) != repr(b):
                return f"{path}: {a!r} and {b!r}"
            continue
        # Tuples can't change, so which of two equal ones it is, is not asked.
        if type(a) is not tuple:
            if id(a) in partner_of or id(b) in partner_back:
                if partner_of.get(id(a)) != id(b) or partner_back.get(id(b)) != id(a):
                    return f"{path}: {a!r} and {b!r} are not the same objects as elsewhere"
                continue
            partner_of[id(a)], partner_back[id(b)] = id(b), id(a)
        of_a, of_b = list(parts(a)), list(parts(b))
        if [place for place, _ in of_a] != [place for place, _ in of_b]:
            return f"{path}: {a!r} has the parts {[p for p, _ in of_a]}, {b!r} {[p for p, _ in of_b]}"
        todo += [(f"{path}{place}", x, y) for (place, x), (_, y) in zip(of_a, of_b, strict=True)]
    return ""
