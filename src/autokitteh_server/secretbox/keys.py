"""Where keys come from: given as text, or from a file, which is made at the first start.

Keys are written in base64url, one a line or with commas between them. The first seals, the others only open.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable
from pathlib import Path

from autokitteh_server.core.clock import system_bytes
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.secretbox.box import KEY_BYTES

#: The key file's name in a server's data folder.
KEY_FILE = "secret-key"

_MAKE = 'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
_HOW = f"This makes a new one: {_MAKE}"


def load_keys(
    path: Path,
    given: str | None = None,
    *,
    given_file: Path | None = None,
    random_bytes: Callable[[int], bytes] = system_bytes,
) -> list[bytes]:
    """The keys: those `given` as text (AK_SECRET_KEY), else those in `given_file` (AK_SECRET_KEY_FILE), else those in
    the file at `path`, which is made with a new key if it is not there, readable for its owner only.

    Raises InvalidArgument for what is no key, and FailedPrecondition for a file that cannot be read or made.
    """
    if given:
        return parse_keys(given, "AK_SECRET_KEY")
    try:
        if given_file is not None:
            return parse_keys(given_file.read_text(), f"AK_SECRET_KEY_FILE={given_file}")
        if not path.exists():
            _write_new(path, render_key(random_bytes(KEY_BYTES)) + "\n")
        return parse_keys(path.read_text(), str(path))
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{given_file or path}: this is no key file: it is not text", _HOW) from error
    except OSError as error:
        raise FailedPrecondition(
            f"{error.filename or path}: the key file cannot be used: {error.strerror}", "Check its permissions."
        ) from error


def parse_keys(text: str, where: str) -> list[bytes]:
    """The keys in a text; lines that begin with `#` are comments. Raises InvalidArgument, without showing a key."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    words = re.split(r"[\s,]+", " ".join(lines).strip())
    if words == [""]:
        raise InvalidArgument(f"{where}: there is no key in it", _HOW)
    return [_parse_key(word, f"{where}: key {number}") for number, word in enumerate(words, start=1)]


def render_key(key: bytes) -> str:
    """A key as text."""
    return base64.urlsafe_b64encode(key).decode()


def _parse_key(word: str, where: str) -> bytes:
    try:
        # Padding is easily lost in copying.
        key = base64.b64decode(
            word.rstrip("=").encode("ascii") + b"=" * (-len(word.rstrip("=")) % 4), b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        raise InvalidArgument(f"{where} is not base64url", _HOW) from None
    if len(key) != KEY_BYTES:
        raise InvalidArgument(f"{where} has {len(key)} bytes, not {KEY_BYTES}", _HOW)
    return key


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there: whole or not at all, and durable before anything is sealed with what is in it."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        os.fchmod(fd, 0o600)
        file.write(text)
        file.flush()
        os.fsync(fd)
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
