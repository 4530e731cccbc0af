"""The kinds of values that settings have: how each is written, read and shown. All of them are written as text."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autokitteh_server.core.crashpoints import parse_crash_point
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.secretbox.keys import split_keys

_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]*)")
_URL = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `parse` raises ValueError with what the value should have been."""

    name: str  # in the reference: "number of seconds"
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    is_secret: bool = False


def describe(kind: Kind, help: str, words: str = "") -> dict[str, Any]:
    """The metadata of a setting's field. `words` say what a default is that depends on the machine."""
    return {"kind": kind, "help": help, "default in words": words}


def setting(
    kind: Kind, help: str, default: Any = None, *, words: str = "", make: Callable[[], Any] | None = None
) -> Any:
    """A setting as a field of a dataclass, with a default or a function that makes it."""
    if make is not None:
        return field(default_factory=make, metadata=describe(kind, help, words))
    return field(default=default, metadata=describe(kind, help, words))


def choice(*words: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"it must be one of: {', '.join(words)}")
        return text

    return Kind(", ".join(words), parse)


def whole_number(least: int) -> Kind:
    """A whole number, from this one on."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("it must be a whole number") from None
        if number < least:
            raise ValueError(f"it must be at least {least}")
        return number

    return Kind(f"whole number, at least {least}", parse)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("it must be a number") from None
    # NaN is not at least 0 either.
    if not 0 <= number < math.inf:
        raise ValueError("it must be a number of at least 0")
    return number


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("it must be a number") from None
    if not 0 < number < math.inf:  # as NaN is not either
        raise ValueError("it must be a number of more than 0")
    return number


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError("it must be true or false")


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("it must be HOST:PORT, such as 127.0.0.1:9980")
    return text


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise ValueError("it must be a URL such as https://ak.example.com")
    return text.rstrip("/")


def _host_names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[\s,]+", text.strip()) if name)
    if not all(_HOST.fullmatch(name) for name in names):
        raise ValueError("it must be names of hosts, without http:// and port, with commas between them")
    return tuple(name.lower() for name in names)


def _database_url(text: str) -> str:
    if text and not re.match(r"(sqlite(\+\w+)?:///.|postgres(ql)?(\+\w+)?://.)", text):
        raise ValueError("it must be sqlite:///PATH or postgresql://USER@HOST/NAME")
    return text


def _path(text: str) -> Path:
    if not text:
        raise ValueError("it must be a path")
    return Path(text).expanduser().absolute()


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(_path(part.strip()) for part in text.split(",") if part.strip())


def _crash_point(text: str) -> str:
    parse_crash_point(text)
    return text


def _secret_key(text: str) -> str:
    """The text, in which there are keys; an empty one is as good as none."""
    if text:
        split_keys(text)
    return text


def _number_text(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def hide_password(url: str) -> str:
    """A database's URL without the password in it."""
    without = re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", without)


TEXT = Kind("text", str)
SECRET_KEY = Kind("keys, secret", _secret_key, lambda value: "***" if value else "", is_secret=True)
PATH = Kind("path", _path)
PATHS = Kind("paths with commas between them", _paths, lambda paths: ", ".join(map(str, paths)))
FLAG = Kind("true or false", _flag, lambda value: "true" if value else "false")
NUMBER = Kind("number, at least 0", _number, _number_text)
POSITIVE = Kind("number, more than 0", _positive, _number_text)
ADDRESS = Kind("HOST:PORT", _address)
URL = Kind("URL", _url)
HOSTS = Kind("names with commas between them", _host_names, ", ".join)
DATABASE = Kind("URL", _database_url, hide_password)
CRASH_POINT = Kind("NAME:COUNT", _crash_point)


def parse_value(kind: Kind, text: str, where: str) -> Any:
    """A value of a kind. Raises InvalidArgument that names where it stands."""
    try:
        return kind.parse(text)
    except ValueError as error:
        raise InvalidArgument(f"{where}: {error}", "Change or remove it.") from None
