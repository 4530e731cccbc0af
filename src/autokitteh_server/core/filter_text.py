"""Characters that CEL's library cannot take from Python: NUL, at which it cuts a text, and lone surrogates."""

import re
from typing import Any

UNREADABLE = re.compile("[\0\ud800-\udfff]")
_SUBSTITUTE = "\ufffd"


def readable(text: str) -> str:
    """The text with U+FFFD for what cannot be read: `admin\\0x` must not become `admin`."""
    return UNREADABLE.sub(_SUBSTITUTE, text)


def without_unreadable(value: Any) -> Any:
    """A value of a list or a map, with its texts made readable."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, bytes):
        return bytearray(value)  # the library cuts `bytes` at a NUL, too
    if isinstance(value, list):
        return [without_unreadable(each) for each in value]
    if isinstance(value, dict):
        return {without_unreadable(key): without_unreadable(each) for key, each in value.items()}
    return value
