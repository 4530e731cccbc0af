"""Generators, closures, decorators, context managers, dataclasses, enums, match: effects in all of them."""

# /// session
# prints = '''
# generator: ['<a>', '<b>', '<c>']
# closure: 3 ['n1', 'n2', 'n3']
# decorated: wrapped work <x> 2
# cached: <k> <k> 1
# context: ['enter', 'inside', 'exit ValueError']
# dataclass: Order(id='<1>', lines=['<l>']) True
# enum: Color.RED <red>
# match: point 1 2; list 3; other
# recursion: 120
# finally: ['try', 'finally', '<done>']
# property: <area> [1, 4, 9]
# sorted: ['b', 'a']
# comprehension: {'<x>': 1} ['<y>']
# star: <1> (2, 3) {'k': 4}
# operators: <sum> <item> True 3
# class body: <body>
# metaclass: ['make Meta']
# exit stack: ['<one>', '<two>']
# walrus: <w>
# partial: <p>
# '''
# ///

import contextlib
import enum
import functools
from dataclasses import dataclass, field

from autokitteh import activity


@activity
def tag(text):
    return f"<{text}>"


def letters():
    for letter in "abc":
        yield tag(letter)


def numbers():
    yield from letters()


def counter():
    count = 0
    names = []

    def step():
        nonlocal count
        count += 1
        names.append(tag(f"n{count}").strip("<>"))
        return count, names

    return step


def counting(fn):
    calls = 0

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        nonlocal calls
        calls += 1
        return f"wrapped {fn.__name__} {fn(*args, **kwargs)} {calls}"

    return wrapper


@counting
def work(text):
    return tag(text)


CACHED_CALLS = []


@functools.lru_cache(maxsize=None)
def cached(key):
    CACHED_CALLS.append(key)
    return tag(key)


@contextlib.contextmanager
def logged(log):
    log.append(tag("enter").strip("<>"))
    try:
        yield log
    except ValueError as err:
        log.append(f"{tag('exit').strip('<>')} {type(err).__name__}")


@dataclass(order=True)
class Order:
    id: str = field(default_factory=lambda: tag(1))
    lines: list = field(default_factory=list)

    def __post_init__(self):
        self.lines.append(tag("l"))


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

    @property
    def shown(self):
        return tag(self.value)


def kind(value):
    match value:
        case {"x": x, "y": y}:
            return f"point {x} {y}"
        case [_, *rest] if tag(len(rest)) == "<2>":
            return f"list {len(rest) + 1}"
        case _:
            return "other"


def factorial(n):
    return 1 if tag(n) == "<0>" else n * factorial(n - 1)


class Shape:
    def __init__(self):
        self._squares = None

    @property
    def area(self):
        return tag("area")

    @functools.cached_property
    def squares(self):
        return [int(tag(n * n).strip("<>")) for n in (1, 2, 3)]


class Vector:
    def __add__(self, other):
        return tag("sum")

    def __getitem__(self, key):
        return tag("item")

    def __contains__(self, item):
        return tag(item) == "<in>"

    def __len__(self):
        return len(tag("l"))


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.log = [f"make {type(cls).__name__}"]
        return made


class Made(metaclass=Meta):
    pass


@contextlib.contextmanager
def resource(name, log):
    yield
    log.insert(0, tag(name))


def star(first, *rest, **named):
    return tag(first), rest, named


def on_trigger(event):
    print("generator:", list(numbers()))
    step = counter()
    step(), step()
    print("closure:", *step())
    work("x")
    print("decorated:", work("x"))
    print("cached:", cached("k"), cached("k"), len(CACHED_CALLS))
    log = []
    with logged(log) as entered:
        entered.append("inside")
        raise ValueError
    print("context:", log)
    print("dataclass:", Order(), Order("1") < Order("2"))
    print("enum:", Color["RED"], Color.RED.shown)
    print(f"match: {kind({'x': 1, 'y': 2})}; {kind([1, 2, 3])}; {kind(5)}")
    print("recursion:", factorial(5))
    order = []
    try:
        try:
            order.append("try")
            raise KeyError
        finally:
            order += ["finally", tag("done")]
    except KeyError:
        print("finally:", order)
    shape = Shape()
    print("property:", shape.area, shape.squares and shape.squares)
    print("sorted:", sorted("ab", key=lambda letter: tag(letter) == "<a>"))
    print("comprehension:", {tag(k): v for k, v in {"x": 1}.items()}, [t for n in "yz" if (t := tag(n)) != "<z>"])
    first, rest, named = star(*(1, 2, 3), **{"k": 4})
    print("star:", first, rest, named)
    vector = Vector()
    print("operators:", vector + vector, vector[0], "in" in vector, len(vector))

    class Local:
        name = tag("body")

    print("class body:", Local.name)
    print("metaclass:", Made().log)
    closed = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(resource("two", closed))
        stack.enter_context(resource("one", closed))
    print("exit stack:", sorted(closed))
    if (text := tag("w")) == "<w>":
        print("walrus:", text)
    print("partial:", functools.partial(tag, "p")())
