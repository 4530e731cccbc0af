"""`ak backup` and `ak restore`: all that a server keeps, in one file."""

import os
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.terminal import say

if TYPE_CHECKING:
    from autokitteh_server.operations.backup import Done, Place

_BACKUP_EPILOG = """
\b
Examples:
  ak backup autokitteh-$(date +%F).tar.gz
  ak backup everything.tar.gz --with-key
  ak backup /backups/latest.tar.gz --force

A server may be running meanwhile. The file has what was there at one moment.
"""

_RESTORE_EPILOG = """
\b
Examples:
  ak restore autokitteh-2030-01-31.tar.gz
  ak restore backup.tar.gz --data-dir ./data
  ak restore backup.tar.gz --db postgresql://user@host/name

A backup of SQLite can be restored into PostgreSQL, and the other way round. After `ak up` sessions go on where they
were. Don't let the old server go on, too: it would do the same things a second time.
"""


def _place_options(command: Any) -> Any:
    folder = click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="AK_DATA_DIR",
        show_envvar=True,
        help="The server's data folder. Default: ~/.local/share/autokitteh.",
    )
    database = click.option("--db", metavar="URL", help="The database. Default: as for `ak up`.")
    return folder(database(command))


@click.command(epilog=_BACKUP_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_place_options
@click.option("--with-key", is_flag=True, help="Also the key for secrets and the first token. Keep the file safe.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def backup(file: Path, data_dir: Path | None, db: str | None, with_key: bool, force: bool) -> None:
    """Write everything that a server keeps into a file.

    Without --with-key secret vars can't be opened after a restore unless you have the key file, too.
    """
    # A database library takes a while to import, and help needs none.
    from autokitteh_server.core.clock import SystemClock
    from autokitteh_server.operations.backup import backup as write

    place = _place(data_dir, db)
    done = write(
        file,
        place,
        version=metadata.version("autokitteh"),
        now=SystemClock().now_us(),
        with_key=with_key,
        replace=force,
    )
    say(f"{file}: {_counted(done)}; {file.stat().st_size:,} bytes")
    if not with_key:
        where = "AK_SECRET_KEY" if place.secret_key else str(place.key_file)
        say(f"The key is not in it: without {where} secret vars can't be opened. Keep that as well, elsewhere.")


@click.command(epilog=_RESTORE_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_place_options
def restore(file: Path, data_dir: Path | None, db: str | None) -> None:
    """Fill an empty data folder and database from a backup.

    What is there already is never touched: then nothing is restored.
    """
    from autokitteh_server.core.clock import SystemClock, SystemIds, system_slug
    from autokitteh_server.operations.backup import restore as read

    place, clock = _place(data_dir, db), SystemClock()
    done = read(file, place, now=clock.now_us(), new_id=SystemIds(clock), new_slug=system_slug)
    say(f"{place.data_dir}: {_counted(done)}, as of {done.created_at}")
    if not done.has_key:
        say(f"There is no key in the backup. Put the old server's at {place.key_file} before `ak up`, or secret vars "
            "can't be opened.")  # fmt: skip


def _place(data_dir: Path | None, db: str | None) -> "Place":
    from autokitteh_server.config_kinds import DATABASE, parse_value
    from autokitteh_server.config_load import load_settings
    from autokitteh_server.operations.backup import Place

    flags: dict[str, Any] = {}
    if data_dir is not None:
        flags["data_dir"] = data_dir.expanduser().absolute()
    if db is not None:
        flags["db"] = parse_value(DATABASE, db, f"--db {db}")
    settings = load_settings(os.environ, flags)
    return Place(
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        secret_key=settings.secret_key,
        secret_key_file=settings.secret_key_file,
    )


def _counted(done: "Done") -> str:
    numbers = {noun: done.counts.get(f"{noun}s", 0) for noun in ("project", "deployment", "session", "event")}
    return ", ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for noun, number in numbers.items())
