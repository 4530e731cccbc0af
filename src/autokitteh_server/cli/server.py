"""The options by which commands find their server, and what they write of its answers."""

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.terminal import write_lines

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_OPTIONS = (
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="AK_DATA_DIR",
        show_envvar=True,
        help="The data folder whose server is meant. Default: ~/.local/share/autokitteh.",
    ),
    click.option("--server", metavar="URL", envvar="AK_SERVER_URL", show_envvar=True, help="Another server."),
    click.option("--token", metavar="TOKEN", envvar="AK_TOKEN", show_envvar=True, help="Default: the data folder's."),
)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options; it gets `data_dir`, `server` and `token`, for `connect`."""
    for option in _OPTIONS:
        command = option(command)
    return command


def with_client(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options, and an open client as its first argument instead of them."""

    @functools.wraps(command)
    def connected(*args: Any, data_dir: Path | None, server: str | None, token: str | None, **kwargs: Any) -> Any:
        with connect(data_dir, server, token) as client:
            return command(client, *args, **kwargs)

    return server_options(connected)


def connect(data_dir: Path | None, server: str | None, token: str | None) -> "Client":
    """A client of the server that is meant. Raises FailedPrecondition if there is none."""
    # The HTTP library takes a third of a second to import, and help needs none.
    from autokitteh_server.client.client import Client
    from autokitteh_server.client.discovery import find_server

    return Client(find_server(folder_of(data_dir), server or "", token or ""))


def folder_of(data_dir: Path | None) -> Path:
    """The data folder that is meant."""
    if data_dir is not None:
        return data_dir.expanduser().absolute()
    from autokitteh_server.config_load import load_settings  # not needed for help

    return load_settings(os.environ).data_dir


limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most."
)
project_option = click.option("--project", metavar="NAME", default="", help="Only those of a project.")
json_option = click.option("-j", "--json", "as_json", is_flag=True, help="A JSON object a line.")


def dump(value: Any) -> str:
    """A value of the API as JSON on one line."""
    import msgspec  # not needed for help

    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def show(value: Any, as_json: bool, render: Callable[[Any], list[str]]) -> None:
    """Write one thing, for programs or for people."""
    write_lines([dump(value)] if as_json else render(value))


def show_all(values: Iterable[Any], as_json: bool, render: Callable[[list[Any]], list[str]]) -> None:
    """Write a list of things: for programs each as it comes, for people as a table."""
    if not as_json:
        write_lines(render(list(values)))
        return
    for value in values:
        write_lines([dump(value)])
