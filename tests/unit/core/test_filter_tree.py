"""Reading the tree of a compiled filter."""

import pytest

from autokitteh_server.core.filter_cost import is_known
from autokitteh_server.core.filter_language import compile_expression
from autokitteh_server.core.filter_problems import FUNCTIONS
from autokitteh_server.core.filter_tree import Call, Constant, Loop, Name, Select, Tree, read_tree, walk


def tree_of(text: str) -> Tree:
    """The tree of a filter."""
    return read_tree(compile_expression(text).serialize())


def test_a_comparison() -> None:
    """Calls, fields and constants are read with their places."""
    assert tree_of("data.x == 'é'") == Call(7, "_==_", (Select(4, Name(0, "data"), "x", False), Constant(10, "é")))


@pytest.mark.parametrize(
    ("text", "value"), [("-5", -5), ("5u", 5), ("0", 0), ("b'x'", b"x"), ("''", ""), ("1.5", None)]
)
def test_constants(text: str, value: object) -> None:
    """Constants keep their values; of a float nobody needs it."""
    (constant,) = [node for node in walk(tree_of(f"dyn({text}) == 1")) if isinstance(node, Constant)][:1]

    assert constant.value == value


def test_tests_for_presence() -> None:
    """`has` is a selection that only looks."""
    assert tree_of("has(data.x)") == Select(3, Name(4, "data"), "x", True)


def test_loops_and_bindings() -> None:
    """A binding is a loop over nothing, and is told from one."""
    loop, binding = tree_of("data.l.exists(x, x == 1)"), tree_of("cel.bind(y, 1, y == 1)")

    assert isinstance(loop, Loop) and loop.variable == "x" and not loop.is_binding
    assert isinstance(binding, Loop) and binding.accumulator == "y" and binding.is_binding


@pytest.mark.parametrize(
    "text",
    [
        "data.s.trim().charAt(1).indexOf('a') + data.s.lastIndexOf('b') - data.s.size() * 2 / 3 % 4 > 1",
        "strings.quote(data.s) == base64.encode(base64.decode(data.s)).upperAscii()",
        "math.ceil(data.f) > math.floor(data.f) + math.round(data.f) + math.trunc(data.f) + math.sqrt(data.f)",
        "math.sign(data.i) + math.abs(data.i) == math.bitAnd(1, 2) + math.bitOr(1, 2) + math.bitXor(1, 2)",
        "math.bitNot(1) == math.bitShiftLeft(1, 2) + math.bitShiftRight(1, 2) || math.isNaN(data.f)",
        "math.isInf(data.f) || math.isFinite(data.f) || math.greatest([1, 2]) > math.least(1, 2)",
        "timestamp(data.s).getFullYear() + timestamp(data.s).getMonth() + timestamp(data.s).getDate() > 1",
        "timestamp(data.s).getDayOfMonth() + timestamp(data.s).getDayOfWeek() + timestamp(data.s).getDayOfYear() > 1",
        "duration(data.s).getHours() + duration(data.s).getMinutes() + duration(data.s).getSeconds() > 1",
        "duration(data.s).getMilliseconds() > 1 && !bool(data.s) && bytes(data.s) == b'' && -data.i > 1",
        "int(data.s) > 1 && uint(data.s) > 1u && double(data.s) > 1.0 && string(data.i) <= '' && dyn(1) >= 1",
    ],
)
def test_every_function_has_a_known_cost(text: str) -> None:
    """What the language offers can be used: its cost is known under the name that the tree has for it."""
    assert [
        node.function for node in walk(tree_of(text)) if isinstance(node, Call) and not is_known(node.function)
    ] == []


def test_proposed_functions_exist() -> None:
    """No remedy proposes a function that would be refused for its cost."""
    macros = {"has", "exists", "exists_one", "all", "map", "filter", "cel.bind", "math.greatest", "math.least"}

    assert [name for name in FUNCTIONS if name not in macros and not is_known(name)] == []
