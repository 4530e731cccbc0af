"""Keys as text, and files of them.

Keys are written in base64url, one a line or with commas between them. The first seals, the others only open.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument

KEY_BYTES = 32

#: The key file's name in a server's data folder.
KEY_FILE = "secret-key"

_MAKE = 'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
_HOW = f"this makes one: {_MAKE}"


def key_id(key: bytes) -> str:
    """What a key is called in what it sealed, and may be called in public: nothing of the key can be had from it."""
    return hashlib.sha256(b"autokitteh key id\0" + key).hexdigest()[:8]


def read_key_file(path: Path, where: str = "") -> list[bytes]:
    """The keys in a file, which `where` names for people.

    Raises InvalidArgument for what is no key, and FailedPrecondition for a file that cannot be read.
    """
    try:
        return parse_keys(path.read_text(), where or str(path))
    except UnicodeDecodeError as error:
        raise InvalidArgument(
            f"{where or path}: this is no key file: it is not text", "Put the right one back."
        ) from error
    except OSError as error:
        raise FailedPrecondition(
            f"{where or path}: the key file cannot be used: {error.strerror}", "Check its name and permissions."
        ) from error


def write_key_file(path: Path, keys: Sequence[bytes]) -> None:
    """Write the keys into a file, for its owner only, in place of what is in it. A link to the file stays one.

    Whole or not at all, and durable when this returns: before anything is sealed with what is in it. Raises
    FailedPrecondition.
    """
    text = "".join(f"{render_key(key)}\n" for key in keys)
    try:
        _write(path.resolve(), text)
    except OSError as error:
        raise FailedPrecondition(
            f"{path}: the key file cannot be written: {error.strerror}", "Check its permissions, and its folder's."
        ) from error


def parse_keys(text: str, where: str) -> list[bytes]:
    """The keys in a text, which `where` names for people. Raises InvalidArgument, without showing a key."""
    try:
        return split_keys(text)
    except ValueError as error:
        raise InvalidArgument(f"{where}: {error}", "Give another, or put the right one back.") from None


def split_keys(text: str) -> list[bytes]:
    """The keys in a text; lines that begin with `#` are comments. Raises ValueError, without showing a key."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    words = re.split(r"[\s,]+", " ".join(lines).strip(" \t,"))
    if words == [""]:
        raise ValueError(f"there is no key in it; {_HOW}")
    return [_split_key(word, number) for number, word in enumerate(words, start=1)]


def render_key(key: bytes) -> str:
    """A key as text."""
    return base64.urlsafe_b64encode(key).decode()


def _split_key(word: str, number: int) -> bytes:
    try:
        # Padding is easily lost in copying.
        key = base64.b64decode(
            word.rstrip("=").encode("ascii") + b"=" * (-len(word.rstrip("=")) % 4), b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        raise ValueError(f"key {number} is not base64url; {_HOW}") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"key {number} has {len(key)} bytes, not {KEY_BYTES}; {_HOW}")
    return key


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        os.fchmod(fd, 0o600)
        file.write(text)
        file.flush()
        os.fsync(fd)
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
