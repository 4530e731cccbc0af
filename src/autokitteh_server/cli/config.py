"""`ak config`: which settings are in force, who said so, and how to change them."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.terminal import say, style, warn, write_lines

if TYPE_CHECKING:
    from autokitteh_server.config_load import Value
    from autokitteh_server.config_table import Option

_HERE = "autokitteh_server.cli.config"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "Show every setting, its value, and where that comes from."),
    "set": Lazy(f"{_HERE}:set_", "Write a setting into the configuration file."),
    "where": Lazy(f"{_HERE}:where", "Show where the configuration file is."),
}

_EPILOG = """
\b
Examples:
  ak config list
  ak config set http.service_url https://ak.example.com
  ak config set retention.events_days 7
  AK_MAX_RUNNERS=64 ak config list -j | jq 'select(.source != "default")'
  $EDITOR "$(ak config where)"

Of the file, an AK_ variable and an option of a command, the later wins. A running server reads its settings when it
starts.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def config() -> None:
    """Look at the server's settings, and change them."""


@click.command("list", epilog=_EPILOG)
@click.option("-j", "--json", "as_json", is_flag=True, help="A JSON object a line.")
def list_(as_json: bool) -> None:
    """Show every setting, its value, and where that comes from.

    Secrets are not shown.
    """
    from autokitteh_server.config_load import load_values  # not needed for help

    values = load_values(os.environ).values()
    write_lines([json.dumps(_to_json(each)) for each in values] if as_json else _render(values))


@click.command("set", epilog=_EPILOG)
@click.argument("key")
@click.argument("value")
def set_(key: str, value: str) -> None:
    """Write a setting into the configuration file.

    What else is in the file stays as it is. A value that can't be used changes nothing.
    """
    from autokitteh_server.config_edit import set_in_file
    from autokitteh_server.config_load import config_file

    option, path = _find(key), config_file(os.environ)
    set_in_file(path, option, value)
    say(f"{path}: {key} is set")
    if os.environ.get(option.variable):
        warn(f"{option.variable} is set, too, and wins")


@click.command(epilog=_EPILOG)
def where() -> None:
    """Show where the configuration file is.

    It need not be there: then every setting has its default.
    """
    from autokitteh_server.config_load import config_file

    path = config_file(os.environ)
    write_lines([str(path)])
    if not path.exists():
        say("There is no file there yet.")


def _find(key: str) -> "Option":
    from autokitteh_server.config_table import table
    from autokitteh_server.core.errors import NotFound
    from autokitteh_server.core.names import did_you_mean

    if key not in table():
        near = did_you_mean(key, table())
        raise NotFound(
            f"there is no setting {key!r}", f"Did you mean {near}?" if near else "`ak config list` shows all there are."
        )
    return table()[key]


def _render(values: "Iterable[Value]") -> list[str]:
    rows = [("KEY", "VALUE", "FROM"), *((each.option.key, each.text, each.source) for each in values)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [style(lines[0], bold=True), *lines[1:]]


def _to_json(value: "Value") -> dict[str, Any]:
    plain = value.value
    if value.option.kind.is_secret or isinstance(plain, Path | str):
        plain = value.text
    return {"key": value.option.key, "value": plain, "source": value.source}
