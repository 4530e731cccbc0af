"""A bound on how long a filter can take on an event of a given size, found before it is tried.

CEL's library cannot be interrupted and holds the interpreter's lock: `a.contains(b)` with two long texts takes
seconds, a nested repeat in a regular expression half a minute, and texts that are doubled often enough all memory.
So the cost is worked out from the filter's tree, with every text as large as the whole event and every list as long as
its longest. The rates are nanoseconds, measured and rounded up; a bound may be far above the truth, never below it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autokitteh_server.core.filter_regex import regex_states
from autokitteh_server.core.filter_tree import Call, Collect, Constant, Loop, Name, Select, Tree, children

BUDGET_NS = 200e6
#: The library stops by itself after so many rounds of all loops together.
MAX_ROUNDS = 10_000
MAX_LOOP_NESTING = 3

_STEP_NS = 150.0  # any node of the tree
_COPY_NS = 100.0  # one member of a list, when a list is made longer
_ROUND_NS = 400.0  # what a round of a loop costs besides its condition
_HUGE = 1e18


@dataclass(frozen=True, slots=True)
class Size:
    """At most so much is in a value."""

    weight: float = 1.0  # bytes of text and values, all told
    length: float = 0.0  # members, if it is a list or a map
    inner: float = 0.0  # members of the longest list or map inside it

    def __add__(self, other: "Size") -> "Size":
        weight, length = min(self.weight + other.weight, _HUGE), min(self.length + other.length, _HUGE)
        return Size(weight, length, max(self.inner, other.inner))

    def times(self, factor: float) -> "Size":
        return Size(min(self.weight * factor, _HUGE), min(self.length * factor, _HUGE), self.inner)


SMALL = Size(weight=8)


def cost_ns(tree: Tree, *, weight: float, longest: float) -> float:
    """How long the filter takes at most on an event of this weight, whose longest list or map has `longest` members."""
    meter = _Meter()
    event = Size(weight, longest, longest)
    meter.measure(tree, {"data": event, "event_type": Size(weight)}, MAX_ROUNDS)
    return meter.ns


def loop_nesting(tree: Tree) -> int:
    """How deep loops stand in loops."""
    own = isinstance(tree, Loop) and not tree.is_binding
    return own + max(map(loop_nesting, children(tree)), default=0)


def is_known(function: str) -> bool:
    """Whether the cost of a function is known. Others cannot be used."""
    return function in _COSTS


Scope = Mapping[str, Size]


class _Meter:
    """Adds up the cost of evaluating trees."""

    def __init__(self) -> None:
        self.ns = 0.0

    def measure(self, tree: Tree, scope: Scope, rounds: float) -> Size:
        """How large the tree's value is. `rounds`: how often loops in it may still go round."""
        self.ns += _STEP_NS
        match tree:
            case Constant():
                return _constant_size(tree.value)
            case Name():
                return scope.get(tree.name, SMALL)
            case Select():
                return _member(self.measure(tree.operand, scope, rounds))
            case Collect():
                parts = [self.measure(item, scope, rounds) for item in tree.items]
                inner = max((max(part.length, part.inner) for part in parts), default=0.0)
                return Size(8 + min(sum(part.weight for part in parts), _HUGE), len(parts), inner)
            case Call():
                sizes = [self.measure(arg, scope, rounds) for arg in tree.args]
                ns, size = _COSTS[tree.function](sizes, tree.args)
                self.ns += ns
                return size
            case Loop():
                return self._loop(tree, scope, rounds)

    def _loop(self, loop: Loop, scope: Scope, rounds: float) -> Size:
        start = self.measure(loop.start, scope, rounds)
        if loop.is_binding:
            return self.measure(loop.result, {**scope, loop.accumulator: start}, rounds)
        over = self.measure(loop.over, scope, rounds)
        times = max(1.0, min(over.length, rounds))
        # Rounds of all loops are counted together: so many are left for loops inside, on average. One of them may
        # still have all its rounds, and its list all its members.
        left = rounds // times + 1
        longest = max(1.0, min(over.length, MAX_ROUNDS))

        # Two bounds hold: every member is as large as all of them; or, what is large in one is missing in the others.
        large = Size(over.weight, over.inner, over.inner)
        lumped = min(over.weight, over.inner * longest)
        whole = Size(over.weight, lumped, lumped)

        def total(accumulator: Size) -> tuple[float, Size]:
            names = {**scope, loop.accumulator: accumulator}
            each, growth = _apart(loop.step, {**names, loop.variable: large}, left)
            least, least_growth = _apart(loop.step, {**names, loop.variable: SMALL}, left)
            once, once_growth = _apart(loop.step, {**names, loop.variable: whole}, rounds)
            grown = least_growth.times(longest) + once_growth
            every = growth.times(longest)
            size = Size(min(every.weight, grown.weight), every.length, max(growth.inner, start.inner))
            return min(each * times, least * times + once), size

        ns, growth = total(start)
        end = start + growth
        if isinstance(loop.start, Collect):  # a list that grows is copied in each round
            ns, _ = total(end)
        self.ns += ns + times * _ROUND_NS
        return self.measure(loop.result, {**scope, loop.accumulator: end}, rounds)


def _constant_size(value: object) -> Size:
    raw = value.encode() if isinstance(value, str) else value
    return Size(1.0 + len(raw)) if isinstance(raw, bytes) else SMALL


def _apart(tree: Tree, scope: Scope, rounds: float) -> tuple[float, Size]:
    meter = _Meter()
    size = meter.measure(tree, scope, rounds)
    return meter.ns, size


Cost = Callable[[Sequence[Size], Sequence[Tree]], tuple[float, Size]]


def _member(size: Size) -> Size:
    return Size(size.weight, size.inner, size.inner)


def _reading(rate: float, base: float = 100.0) -> Cost:
    """Reads its arguments through, and gives a number or a truth value."""
    return lambda sizes, args: (base + rate * sum(size.weight for size in sizes), SMALL)


def _changing(rate: float, factor: float = 1.0) -> Cost:
    """Reads its first argument through, and gives a text that is `factor` times as long at most."""
    return lambda sizes, args: (100 + rate * sizes[0].weight, Size(8 + sizes[0].weight * factor))


def _comparing(rate: float) -> Cost:
    return lambda sizes, args: (rate * min(size.weight for size in sizes), SMALL)


def _search_ns(sizes: Sequence[Size]) -> float:
    text, part = sizes[0].weight, sizes[1].weight
    return text * (10 + min(part, 20.0) + part / 16)


def _searching(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return _search_ns(sizes), SMALL


def _replace(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    part = args[1].value if len(args) > 1 and isinstance(args[1], Constant) else None
    times = (sizes[0].weight + 1) / max(1, len(part) if isinstance(part, str) else 0)
    weight = min(sizes[0].weight + times * sizes[2].weight, _HUGE)
    return _search_ns(sizes) + 100 * weight, Size(weight)


def _split(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return _search_ns(sizes) + 400 * sizes[0].weight, Size(2 * sizes[0].weight + 2, sizes[0].weight + 1)


def _join(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    weight = sizes[0].weight + sizes[0].length * (sizes[1].weight if len(sizes) > 1 else 0)
    return 50 * weight, Size(min(weight, _HUGE))


def _format(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    clauses = args[0].value.count("%") if isinstance(args[0], Constant) and isinstance(args[0].value, str) else 0
    directives = clauses if isinstance(args[0], Constant) else sizes[0].weight / 2
    weight = sizes[0].weight + 70 * sizes[1].weight + 1_400 * directives  # "%.1000f" of 1e308
    return 100 * weight, Size(min(weight, _HUGE))


def _matches(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    pattern = args[1].value if len(args) > 1 and isinstance(args[1], Constant) else None
    states = regex_states(pattern) if isinstance(pattern, str) else _HUGE
    return 5_000 + 5_000 * states + sizes[0].weight * (10 + 12 * states), SMALL


def _in(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    one, many = sizes
    return 50 * many.length + _equality_rate(one) * min(many.weight, many.length * one.weight), SMALL


def _equal(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return min(map(_equality_rate, sizes)) * min(size.weight for size in sizes), SMALL


def _equality_rate(size: Size) -> float:
    """Texts are compared byte by byte, lists and maps value by value."""
    return 1.0 if size.length == size.inner == 0 else 150.0


def _index(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return 100 + 2 * sizes[1].weight, _member(sizes[0])


def _plus(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    size = sizes[0] + sizes[1] if len(sizes) > 1 else SMALL
    is_list = any(isinstance(arg, Collect) for arg in args)  # whose members are not looked at
    return _COPY_NS * size.length + (0 if is_list else 10 * size.weight), size


def _either(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    _, one, other = sizes
    size = Size(max(one.weight, other.weight), max(one.length, other.length), max(one.inner, other.inner))
    return 0.0, size


def _same(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return 100.0, sizes[0] if sizes else SMALL


def _in_python(rate: float) -> Cost:
    """Our own functions: their arguments are converted there and back."""

    def cost(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
        first = sizes[0]
        # A list inside may be as long as the whole; `flatten` puts such together.
        return 5_000 + rate * sum(size.weight for size in sizes), Size(first.weight, first.weight, first.inner)

    return cost


def _reverse(sizes: Sequence[Size], args: Sequence[Tree]) -> tuple[float, Size]:
    return 5_000 + 1_000 * sizes[0].weight, sizes[0]


_COSTS: dict[str, Cost] = {
    **dict.fromkeys(["_&&_", "_||_", "!_", "-_", "_-_", "_*_", "_/_", "_%_"], _reading(0)),
    **dict.fromkeys(["@not_strictly_false", "type", "bool", "_[?_]"], _reading(0)),
    **dict.fromkeys(["_==_", "_!=_"], _equal),
    **dict.fromkeys(["_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith"], _comparing(10)),
    **dict.fromkeys(["contains", "indexOf", "lastIndexOf"], _searching),
    **dict.fromkeys(["int", "uint", "double", "timestamp", "duration"], _reading(50, 2_000)),
    **dict.fromkeys(["lowerAscii", "upperAscii", "trim", "substring", "charAt"], _changing(15)),
    **dict.fromkeys(["string", "bytes", "base64.decode"], _changing(15, 4)),
    **dict.fromkeys(
        [
            "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours",
            "getMinutes", "getSeconds", "getMilliseconds",
        ],
        # A zone's first use reads a file.
        lambda sizes, args: (100_000.0 if len(sizes) > 1 else 500.0, SMALL),
    ),
    **dict.fromkeys(
        [
            "math.ceil", "math.floor", "math.round", "math.trunc", "math.abs", "math.sign", "math.sqrt", "math.isNaN",
            "math.isInf", "math.isFinite", "math.bitAnd", "math.bitOr", "math.bitXor", "math.bitNot",
            "math.bitShiftLeft", "math.bitShiftRight",
        ],
        _reading(0),
    ),
    **dict.fromkeys(["math.@max", "math.@min"], _reading(50)),
    **dict.fromkeys(["distinct", "flatten", "sort"], _in_python(3_000)),
    "slice": _reverse,
    "reverse": _reverse,
    **dict.fromkeys(["sets.contains", "sets.equivalent", "sets.intersects"], _reading(3_000, 5_000)),
    "strings.quote": _changing(50, 6),
    "base64.encode": _changing(5, 2),
    "format": _format,
    "join": _join,
    "matches": _matches,
    "replace": _replace,
    "size": _reading(3),
    "split": _split,
    "dyn": _same,
    "@in": _in,
    "_[_]": _index,
    "_+_": _plus,
    "_?_:_": _either,
}  # fmt: skip
