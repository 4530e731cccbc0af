"""How values become text in the database: JSON for data, and text made fit to be stored for previews."""

from typing import Any

# The wire's JSON, which carries bytes as well: what a runner sent is stored and comes back without being looked into.
# ASCII, with NUL and lone surrogates as escapes, so any database takes it.
from autokitteh_runner.protocol import dump_json, load_json

__all__ = ["dump_json", "is_storable", "load_json", "same_json", "storable_text"]


def same_json(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal. Python's own `==` would take `true` for 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)


def storable_text(text: str) -> str:
    r"""Text for people, fit for either database: NUL becomes `\x00`, a lone surrogate `\udc80`.

    PostgreSQL refuses the one, both drivers refuse the other.
    """
    if text.isascii():
        return text.replace("\0", r"\x00") if "\0" in text else text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", r"\x00")


def is_storable(text: str) -> bool:
    """Whether a text can be stored as it is, as keys and names must."""
    return storable_text(text) == text
