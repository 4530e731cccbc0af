"""What `scripts/make_reference.py` knows: the commands of `ak`, and the pages of the reference."""

import sys
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent.parent

sys.path.insert(0, str(ROOT / "scripts"))

from make_reference import pages, walk_commands  # noqa: E402 - the path first


def all_commands() -> dict[tuple[str, ...], click.Command]:
    """Every command by the words after `ak`."""
    return {path: command for path, command in walk_commands() if path}


def option_names(command: click.Command) -> set[str]:
    """What options a command takes, in all spellings."""
    spelled = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    return spelled | {"--help", "-h"}


def made_pages() -> dict[str, str]:
    """The pages of the reference as the code makes them now, by file name."""
    return pages()
