"""Rules of the house that no tool knows: who may look at the clock, and what files are called."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent.parent / "src"
FILES = sorted(SOURCE.rglob("*.py"))

#: Reading these makes a function depend on more than its arguments.
CLOCKS_AND_CHANCE = {
    "time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4",
    "random.random", "secrets.token_hex", "secrets.randbits", "secrets.randbelow", "os.environ", "os.getenv",
}  # fmt: skip

#: Where the server may: the composition root, the settings, the clock, and the door that users knock at.
ALLOWED = ("wiring.py", "wiring_runners.py", "config.py", "core/clock.py", "cli/")


def names_read(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Dotted names, as far as their last two parts, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            first = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            yield f"{first}.{node.attr}", node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """A module begins with a docstring, unless it is empty."""
    tree = ast.parse(path.read_bytes())

    assert not tree.body or ast.get_docstring(tree)


def test_only_the_wiring_looks_at_clocks_chance_and_the_environment() -> None:
    """Everything else in the server is handed them, so that tests need neither patches nor patience."""
    server = SOURCE / "autokitteh_server"
    strays = [
        f"{path.relative_to(server)}:{line}: {name}"
        for path in sorted(server.rglob("*.py"))
        if not str(path.relative_to(server)).startswith(ALLOWED)
        for name, line in names_read(ast.parse(path.read_bytes()))
        if name in CLOCKS_AND_CHANCE
    ]

    assert strays == []


def test_there_are_no_attics() -> None:
    """A helper lives beside its only user, or in a module that is named for what it does."""
    attics = {"utils", "helpers", "common", "misc", "lib", "shared"}

    assert [path for path in FILES if path.stem in attics] == []
