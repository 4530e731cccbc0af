"""Secrets are compared by `signatures.same` only: `==` tells by its time how much of a guess is right."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autokitteh_server.integrations

FOLDER = Path(autokitteh_server.integrations.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))

#: What a name has in it that is somebody's secret, or a proof of one.
SECRET_WORDS = ("signature", "secret", "token", "digest", "hmac", "password", "challenge")

#: What is told by a name that has such a word in it, and is no secret.
HARMLESS = ("token_auth", "is_secret", "token_type", "token_url")


def name_of(node: ast.expr) -> str:
    """What an operand is called, the last part of it."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if name_of(function) in (
            "get",
            "header",
        ):
            return name
        case ast.Call(func=function):
            return name_of(function)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=value):
            return name_of(value)
    return ""


def is_secret(node: ast.expr) -> bool:
    """Whether an operand is a secret by its name."""
    name = name_of(node).lower()
    return name not in HARMLESS and any(word in name for word in SECRET_WORDS)


def comparisons(source: str) -> Iterator[int]:
    """Lines with a comparison of a secret with anything that is not written out."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for index, operator in enumerate(node.ops):
            pair = operands[index : index + 2]
            if not isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                continue
            if any(map(is_secret, pair)) and not any(isinstance(each, ast.Constant) for each in pair):
                yield node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_secret_is_compared_with_an_operator(path: Path) -> None:
    """Neither with `==` nor with `in`."""
    assert list(comparisons(path.read_text())) == []


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("signature == expected", True),
        ("expected != request.header('x-slack-signature')", True),
        ("given == variables['SecretToken']", True),
        ("secret.value == given_token", True),
        ("hmac_hex(key, body) == given", True),
        ("token in tokens", True),
        ("kind == 'token'", False),
        ("name in variables", False),
        ("same(signature, expected)", False),
        ("field.is_secret == other", False),
    ],
)
def test_the_rule_sees_what_it_is_for(source: str, is_found: bool) -> None:
    """Otherwise it would hold of everything."""
    assert bool(list(comparisons(source))) is is_found
