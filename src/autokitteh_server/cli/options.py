"""What people write on the command line, turned into values."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.names import is_name


def parse_event(text: str) -> Any:
    """The JSON value of `--event`: as it stands, or of a file (`@FILE`, `@-` for standard input).

    Raises InvalidArgument with the position of what is no JSON, NotFound and FailedPrecondition for the file.
    """
    where, text = (f"--event: {text[1:]}", _read(text[1:])) if text.startswith("@") else ("--event", text)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        _refuse_event(where, f"line {error.lineno}, column {error.colno}: {error.msg}")
    except (ValueError, RecursionError) as error:
        _refuse_event(where, "it is nested too deep" if isinstance(error, RecursionError) else str(error))


def parse_vars(given: Iterable[str]) -> dict[str, str]:
    """The values of `--var NAME=VALUE` by name. Raises InvalidArgument."""
    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidArgument(f"--var {text}: there is no `=` in it", "Write --var NAME=VALUE.")
        if not is_name(name):
            remedy = "Names have letters, digits and `_`, and do not start with a digit."
            raise InvalidArgument(f"--var {text}: {name!r} cannot be the name of a variable", remedy)
        if name in values:
            raise InvalidArgument(f"--var {name} is given twice", "Give it once.")
        values[name] = value
    return values


def _refuse_event(where: str, what: str) -> NoReturn:
    raise InvalidArgument(
        f"{where} is not JSON: {what}", """Write it like --event '{"name": "Ann"}', or --event @FILE."""
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"--event @{path}: no such file", "Give the path of a file that has JSON in it.") from None
    except OSError as error:
        raise FailedPrecondition(f"--event @{path}: cannot be read: {error.strerror}", "Give another file.") from error
    except UnicodeDecodeError:
        raise InvalidArgument(f"--event @{path}: the file is not UTF-8", "Save it as UTF-8.") from None
