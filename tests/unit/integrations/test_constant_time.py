"""Secrets are compared by `signatures.same` only: `==` tells by its time how much of a guess is right."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autokitteh_server

FOLDER = Path(autokitteh_server.__file__).parent

#: Where requests of strangers come by, from the door to the dispatch.
FILES = sorted(
    path for name in ("api", "dispatch", "integrations", "sources") for path in (FOLDER / name).rglob("*.py")
)

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
    """Whether an operand is a secret by its name. Names in capitals are tables of the code's own."""
    name = name_of(node)
    return not name.isupper() and name not in HARMLESS and any(word in name.lower() for word in SECRET_WORDS)


def comparisons(source: str) -> Iterator[int]:
    """Lines with a comparison of a secret with anything that is not written out."""
    for node in ast.walk(ast.parse(source)):
        for pair in pairs_in(node):
            if any(map(is_secret, pair)) and not any(isinstance(each, ast.Constant) for each in pair):
                yield node.lineno


def pairs_in(node: ast.AST) -> Iterator[list[ast.expr]]:
    """What is compared with what."""
    match node:
        case ast.Compare(left=left, ops=operators, comparators=others):
            operands = [left, *others]
            for index, operator in enumerate(operators):
                if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                    yield operands[index : index + 2]
        case ast.Call(func=ast.Attribute(value=one, attr="startswith" | "endswith"), args=[other, *_]):
            yield [one, other]


def test_all_doors_are_looked_at() -> None:
    """And not only what is known of services."""
    names = {str(path.relative_to(FOLDER)) for path in FILES}
    assert names >= {
        *("api/doors.py", "api/ingress.py", "api/oauth_pages.py", "api/service_doors.py"),
        *("sources/deliveries.py", "sources/feeding.py", "sources/feeds.py", "sources/gateways.py"),
        *("integrations/signatures.py", "integrations/webhook.py", "integrations/telegram/webhook.py"),
    }


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
        ("given.startswith(secret)", True),
        ("signature.startswith('sha256=')", False),
        ("name in TOKENS", False),
        ("kind == 'token'", False),
        ("name in variables", False),
        ("same(signature, expected)", False),
        ("field.is_secret == other", False),
    ],
)
def test_the_rule_sees_what_it_is_for(source: str, is_found: bool) -> None:
    """Otherwise it would hold of everything."""
    assert bool(list(comparisons(source))) is is_found
