"""What people write on the command line, turned into values."""

import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.names import is_name

_LIFETIMES = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_data(option: str, text: str) -> Any:
    """The JSON value of an option: as it stands, or of a file (`@FILE`, `@-` for standard input).

    Raises InvalidArgument with the position of what is no JSON, NotFound and FailedPrecondition for the file.
    """
    where, text = (f"{option}: {text[1:]}", read_source(option, text[1:])) if text.startswith("@") else (option, text)
    remedy = f"""Write it like {option} '{{"name": "Ann"}}', or {option} @FILE."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        what = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise InvalidArgument(f"{where} is not JSON: {what}", remedy) from None
    except (ValueError, RecursionError) as error:
        what = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidArgument(f"{where} is not JSON: {what}", remedy) from None


def parse_vars(given: Iterable[str]) -> dict[str, str]:
    """The values of `--var NAME=VALUE` by name. Raises InvalidArgument."""
    values = parse_pairs("--var", given)
    for name, value in values.items():
        if not is_name(name):
            remedy = "Names have letters, digits and `_`, and do not start with a digit."
            raise InvalidArgument(f"--var {name}={value}: {name!r} cannot be the name of a variable", remedy)
    return values


def parse_pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """The values of an option NAME=VALUE by name. Raises InvalidArgument."""
    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidArgument(f"{option} {text}: there is no `=` in it", f"Write {option} NAME=VALUE.")
        if name in values:
            raise InvalidArgument(f"{option} {name} is given twice", "Give it once.")
        values[name] = value
    return values


def parse_lifetime(text: str) -> timedelta:
    """A length of time such as 90d, 12h, 30m or 45s. Raises InvalidArgument."""
    unit = _LIFETIMES.get(text[-1:])
    number = text[:-1]
    if unit is None or not (number.isascii() and number.isdecimal() and 0 < int(number) < 10**6):
        raise InvalidArgument(f"{text!r} is no length of time", "Write it like 90d, 12h, 30m or 45s.")
    return timedelta(**{unit: int(number)})


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def read_source(option: str, path: str) -> str:
    """What a file has, or with `-` standard input. Raises InvalidArgument, NotFound, FailedPrecondition."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{option} @{path}: no such file", "Give the path of a file that is there.") from None
    except OSError as error:
        raise FailedPrecondition(f"{option} @{path}: cannot be read: {error.strerror}", "Give another file.") from error
    except UnicodeDecodeError:
        raise InvalidArgument(f"{option} @{path}: the file is not UTF-8", "Save it as UTF-8.") from None
