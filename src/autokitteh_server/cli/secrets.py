"""`ak secrets`: the keys with which secrets are encrypted."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.server import json_option, show, with_client
from autokitteh_server.cli.table import render_table
from autokitteh_server.cli.terminal import say, warn

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client
    from autokitteh_server.core.api_types.secrets import KeyStatus, LockedSecret, Rotated

_HERE = "autokitteh_server.cli.secrets"
_COMMANDS = {
    "status": Lazy(f"{_HERE}:status", "Show which keys there are, and what they encrypt."),
    "rotate": Lazy(f"{_HERE}:rotate", "Change the key: encrypt every secret anew."),
    "new-key": Lazy(f"{_HERE}:new_key", "Make a key file in the place of one that is lost for good."),
}

_EPILOG = """
\b
Examples:
  ak secrets status
  ak secrets rotate

Keys are called by ids, from which nothing of a key can be had. Secrets themselves are set with `ak var set --secret`.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def secrets() -> None:
    """Look at the keys with which secrets are encrypted, and change them."""


@click.command(epilog=_EPILOG)
@json_option
@with_client
def status(client: "Client", as_json: bool) -> None:
    """Show which keys there are, and what they encrypt.

    And which secrets cannot be decrypted with them.
    """
    show(client.secrets.status(), as_json, _render_status)


@click.command(epilog=_EPILOG)
@click.option("--keep-old-keys", is_flag=True, help="Leave the old keys in the key file, for backups made before.")
@json_option
@with_client
def rotate(client: "Client", keep_old_keys: bool, as_json: bool) -> None:
    """Change the key: encrypt every secret anew.

    A new key is made and put into the key file, all secrets are encrypted with it while sessions go on, and then the
    old keys are taken out of the file. Where keys are given, in AK_SECRET_KEY or the configuration file, the first of
    them is the one that is used. Should it be cut off, do it again: nothing is lost.
    """
    from autokitteh_server.core.api_types.secrets import Rotate  # with the client

    done = client.secrets.rotate(Rotate(keep_old_keys=keep_old_keys))
    show(done, as_json, _render_rotated)
    if as_json:
        return
    if done.removed:
        say(f"Backups made before need {_keys(done.removed)}: keep your copy of the old file with them.")
    if done.locked:
        warn(f"{_count(len(done.locked))} could not be decrypted and stayed as they were; see `ak secrets status`")


@click.command("new-key", epilog=_EPILOG)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="AK_DATA_DIR",
    show_envvar=True,
    help="The data folder whose key is lost. Default: ~/.local/share/autokitteh.",
)
def new_key(data_dir: Path | None) -> None:
    """Make a key file in the place of one that is lost for good.

    While no server is running. What the old key has encrypted cannot be had back: set those secrets again.
    """
    from autokitteh_server.config_load import load_settings  # not needed for help
    from autokitteh_server.core.errors import FailedPrecondition
    from autokitteh_server.operations.secrets import make_key_file
    from autokitteh_server.secretbox.keys import KEY_FILE

    flags = {} if data_dir is None else {"data_dir": data_dir.expanduser().absolute()}
    settings = load_settings(os.environ, flags)
    if settings.secret_key:
        raise FailedPrecondition("the key is given as a setting, and not in a file", "Give another one there.")
    file = settings.secret_key_file or settings.data_dir / KEY_FILE
    made = make_key_file(settings.data_dir, file)
    say(f"{file} has the new key {made}")
    say("What was encrypted with the old one has to be set again: `ak secrets status` lists it once the server is up.")


def _render_status(found: "KeyStatus") -> list[str]:
    rows = [
        (each.key_id, str(each.secrets), "encrypts" if each.is_sealing else "decrypts" if each.is_here else "MISSING")
        for each in found.keys
    ]
    lines = [*render_table(("KEY", "SECRETS", "USE"), rows), f"The keys are in {found.where}."]
    return [*lines, *_render_locked(found.locked)] if found.locked else lines


def _render_locked(locked: "list[LockedSecret]") -> list[str]:
    rows = [(each.owner, each.name, each.key_id) for each in locked]
    return ["", f"{_count(len(locked))} cannot be decrypted:", *render_table(("OWNER", "VAR", "KEY"), rows)]


def _render_rotated(done: "Rotated") -> list[str]:
    lines = [
        f"{_count(done.resealed)} encrypted anew with {'the new ' * done.is_new}key {done.key_id}, in {done.where}"
    ]
    if done.removed:
        lines.append(f"Taken out of it: {_keys(done.removed)}")
    if done.unneeded:
        lines.append(f"No longer needed there: {_keys(done.unneeded)}")
    return lines


def _keys(key_ids: list[str]) -> str:
    return f"key{'s' * (len(key_ids) > 1)} {', '.join(key_ids)}"


def _count(secrets: int) -> str:
    return f"{secrets} secret{'s' * (secrets != 1)}"
