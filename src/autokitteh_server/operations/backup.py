"""Everything that a server keeps into one file, and back.

The database is opened directly, not over HTTP: what is backed up is a snapshot of one transaction, which no request
could give; it works whether or not a server is running; and files of the data folder belong to it that no API tells.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.entities import Token
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.ids import IdSource, SlugSource
from autokitteh_server.core.server_note import TOKEN_FILE
from autokitteh_server.core.timestamps import format_time
from autokitteh_server.operations.backup_file import (
    FORMAT,
    BackupReader,
    BackupWriter,
    Manifest,
    TableOf,
    read_backup,
    write_backup,
)
from autokitteh_server.operations.tokens import new_token
from autokitteh_server.secretbox.keys import KEY_FILE
from autokitteh_server.storage import backup as rows
from autokitteh_server.storage import schema, tokens
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.data_folder import HASH_SEED_FILE, take_folder, write_private
from autokitteh_server.storage.database import Database, is_there
from autokitteh_server.storage.ownership import Ownership

#: What opens the secrets, and the door: in a backup only if wanted.
_KEYS = (KEY_FILE, TOKEN_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server keeps its things."""

    data_dir: Path
    database_url: str
    secret_key: str = ""  # where it is not in a file
    secret_key_file: Path | None = None  # where that is not in the data folder

    @property
    def key_file(self) -> Path:
        """The file with the key for secrets."""
        return self.secret_key_file or self.data_dir / KEY_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was backed up or restored."""

    counts: dict[str, int]  # rows by table
    has_key: bool  # for secrets
    created_at: str  # when the backup was made


def backup(path: Path, place: Place, *, version: str, now: int, with_key: bool, replace: bool = False) -> Done:
    """Write everything into a file, beside a server that may be running.

    `with_key`: also the key for secrets and the token of the first start. Raises NotFound if there is nothing to back
    up, FailedPrecondition if the file is there (and not to be replaced) or cannot be written, and what
    `Database.open` raises.
    """
    if path.exists() and not replace:
        raise FailedPrecondition(f"{path} is there already", "Give another name, or --force.")
    files = _files_of(place, with_key=with_key)
    if not is_there(place.database_url):
        raise NotFound(f"{place.data_dir}: there is no database here", "Name the data folder with --data-dir.")
    with (
        Database.open(place.database_url, migrate=False) as database,
        write_backup(path, mtime=now // 1_000_000) as writer,
    ):
        for name, content in files.items():
            writer.add_file(name, content)
        manifest = database.read(lambda conn: _write_rows(conn, writer, version=version, now=now))
        writer.add_manifest(manifest)
    return _done(manifest)


def restore(path: Path, place: Place, *, now: int, new_id: IdSource, new_slug: SlugSource) -> Done:
    """Fill an empty data folder and database from a file. All of it, or nothing.

    A backup without a token gets a new one. Raises FailedPrecondition if a server is running there, something is there
    already, or the backup is of a newer autokitteh; and InvalidArgument if it is damaged.
    """
    with read_backup(path) as reader:
        manifest = reader.manifest
        if manifest.revision > schema.HEAD:
            raise FailedPrecondition(
                f"{path} was made by autokitteh {manifest.version}, a newer one than this", "Upgrade autokitteh."
            )
        with _held(place):
            _load(reader, place, now=now, new_id=new_id, new_slug=new_slug)
    return _done(manifest)


def _write_rows(conn: Connection, writer: BackupWriter, *, version: str, now: int) -> Manifest:
    counts = dict.fromkeys(columns := rows.columns_of(), 0)
    for portion in rows.dump(conn):
        writer.add_rows(portion.table, portion.data)
        counts[portion.table] += portion.rows
    return Manifest(
        format=FORMAT,
        version=version,
        revision=schema.HEAD,
        created_at=format_time(now),
        tables={name: TableOf(columns=columns[name], rows=count) for name, count in counts.items()},
        serials=rows.last_serials(conn),
        checksums=writer.checksums.copy(),
    )


def _load(reader: BackupReader, place: Place, *, now: int, new_id: IdSource, new_slug: SlugSource) -> None:
    files = reader.files()
    _check_keys(files, place.data_dir)

    def finish(conn: Connection) -> None:
        if TOKEN_FILE not in files:
            token, secret = _new_token(conn, now=now, new_id=new_id, new_slug=new_slug)
            tokens.create(conn, token)
            files[TOKEN_FILE] = f"{secret}\n".encode()
        # Before the commit: should it fail, they belong to nothing, and do no harm.
        try:
            for name, content in files.items():
                write_private(place.data_dir / name, content)
        except OSError as error:
            raise FailedPrecondition(f"{place.data_dir}: cannot be written: {error.strerror}") from error

    manifest = reader.manifest
    rows.load(
        place.database_url,
        revision=manifest.revision,
        columns={name: table.columns for name, table in manifest.tables.items()},
        portions=reader.portions(),
        serials=manifest.serials,
        then=finish,
    )


def _files_of(place: Place, *, with_key: bool) -> dict[str, bytes]:
    folder = place.data_dir
    files = {}
    try:
        files[HASH_SEED_FILE] = (folder / HASH_SEED_FILE).read_bytes()
        if with_key:
            files[KEY_FILE] = place.secret_key.encode() if place.secret_key else place.key_file.read_bytes()
            if (folder / TOKEN_FILE).exists():
                files[TOKEN_FILE] = (folder / TOKEN_FILE).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{error.filename}: no such file", "Name the server's data folder with --data-dir.") from error
    except OSError as error:
        raise FailedPrecondition(f"{error.filename}: cannot be read: {error.strerror}", "Be its owner.") from error
    return files


def _check_keys(files: dict[str, bytes], folder: Path) -> None:
    """Raises FailedPrecondition if a key or token would be lost. A seed is worth nothing without its sessions."""
    for name in _KEYS:
        there = folder / name
        if name in files and there.exists() and there.read_bytes() != files[name]:
            raise FailedPrecondition(f"{there} is there already, and another one", "Move it away.")


def _new_token(conn: Connection, *, now: int, new_id: IdSource, new_slug: SlugSource) -> tuple[Token, str]:
    token_id = new_id("tok")
    return new_token(f"restored-{token_id[-6:]}", tuple(Scope), None, now=now, id=token_id, slug=new_slug())


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """Keep servers out of the data folder and the database."""
    folder = take_folder(place.data_dir)
    try:
        with Ownership.take(place.database_url):
            yield
    finally:
        os.close(folder)


def _done(manifest: Manifest) -> Done:
    return Done(
        counts={name: table.rows for name, table in manifest.tables.items()},
        has_key=KEY_FILE in manifest.files,
        created_at=manifest.created_at,
    )
