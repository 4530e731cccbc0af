"""What services answer, read."""

import pytest

from autokitteh_server.integrations.asking import parse_json


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"n": 1.5, "i": 7}', {"n": 1.5, "i": 7}),
        (b'{"n": 1e999, "m": [-1e999, NaN, Infinity]}', {"n": None, "m": [None, None, None]}),
        (b"[" * 100_000, None),
        (b"nothing", None),
    ],
)
def test_numbers_that_nobody_could_store(body: bytes, expected: object) -> None:
    """They are not there. All else is."""
    assert parse_json(body) == expected
