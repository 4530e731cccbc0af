"""What is given by hand, checked before anything is done with it; a manifest's parser has checks of its own."""

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import NAME_RULE, is_name, is_plain_text

#: Bounds what one text may hold: the value of a var, a filter, a description.
MAX_TEXT_BYTES = 1_000_000


def check_name(noun: str, name: str) -> None:
    """Raises InvalidArgument if nothing may be called this."""
    if not is_name(name):
        raise InvalidArgument(f"{name[:100]!r} cannot be the name of a {noun}", NAME_RULE)


def check_text(what: str, text: str) -> None:
    """Raises InvalidArgument for a text that cannot be kept."""
    if not is_plain_text(text):
        raise InvalidArgument(f"{what}: there is a NUL character or a lone surrogate in the text", "Remove it.")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise InvalidArgument(f"{what}: the text has more than {MAX_TEXT_BYTES:,} bytes", "Keep it in a file.")
