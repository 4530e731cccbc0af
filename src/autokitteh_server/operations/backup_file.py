"""The file of a backup: a .tar.gz with the rows of each table, some files of the data folder, and a manifest.

The manifest is the last member, for it has the checksums of the others: what was cut off has none.
"""

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Final

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.storage.data_folder import sync_folder

#: Grows with every change that an older program could not read.
FORMAT: Final = 1

_MANIFEST: Final = "manifest.json"

#: Read at once of what follows the last member: zeros.
_REST_BYTES: Final = 65_536

_TABLE = re.compile(r"tables/([a-z_]+)/\d{6}\.jsonl")
_FILE = re.compile(r"files/([a-z-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOf:
    """A table in a backup."""

    columns: list[str]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    version: str  # of autokitteh
    revision: str  # of the tables
    created_at: str  # for people
    tables: dict[str, TableOf]
    serials: dict[str, int]  # the highest numbers that were given to rows, by table
    checksums: dict[str, str] = field(default_factory=dict)  # SHA-256 of the other members, by name

    @property
    def files(self) -> list[str]:
        """The names of the files of the data folder."""
        return [found[1] for found in map(_FILE.fullmatch, self.checksums) if found]


class BackupWriter:
    """Writes members as they come."""

    def __init__(self, tar: tarfile.TarFile, mtime: int) -> None:
        self._tar = tar
        self._mtime = mtime
        self._portions: dict[str, int] = {}
        self.checksums: dict[str, str] = {}

    def add_rows(self, table: str, data: bytes) -> None:
        """A portion of a table."""
        number = self._portions[table] = self._portions.get(table, 0) + 1
        self._add(f"tables/{table}/{number:06}.jsonl", data)

    def add_file(self, name: str, content: bytes) -> None:
        """A file of the data folder."""
        self._add(f"files/{name}", content)

    def add_manifest(self, manifest: Manifest) -> None:
        """The last member."""
        self._add(_MANIFEST, (json.dumps(asdict(manifest), indent=1) + "\n").encode())

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(data), self._mtime, 0o600
        self.checksums[name] = hashlib.sha256(data).hexdigest()
        self._tar.addfile(member, io.BytesIO(data))


@contextmanager
def write_backup(path: Path, *, mtime: int) -> Iterator[BackupWriter]:
    """Make a file, for its owner only: whole and durable when the block ends, and not at all if it fails.

    Raises FailedPrecondition if it cannot be written.
    """
    try:
        fd, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "wb") as file:
                with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                    yield BackupWriter(tar, mtime)
                file.flush()
                os.fsync(fd)
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise FailedPrecondition(f"{path}: cannot be written: {error.strerror}", "Give another file.") from error


class BackupReader:
    """Reads a backup whose checksums have been compared."""

    def __init__(self, path: Path, file: IO[bytes], manifest: Manifest) -> None:
        self._path = path
        self._file = file
        self.manifest = manifest

    def portions(self) -> Iterator[tuple[str, bytes]]:
        """The tables' rows, in the order in which they were written."""
        for name, data in _members(self._path, self._file):
            if found := _TABLE.fullmatch(name):
                yield found[1], data

    def files(self) -> dict[str, bytes]:
        """The files of the data folder by name."""
        named = ((_FILE.fullmatch(name), data) for name, data in _members(self._path, self._file))
        return {found[1]: data for found, data in named if found}


@contextmanager
def read_backup(path: Path) -> Iterator[BackupReader]:
    """Open a backup. All of it is read, and compared with its checksums, before anything is done with it.

    Raises InvalidArgument for what is no backup or is damaged, and FailedPrecondition for one of a newer autokitteh or
    a file that cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise FailedPrecondition(f"{path}: cannot be read: {error.strerror}", "Give another file.") from error
    with file:
        yield BackupReader(path, file, _verify(path, file))


_OTHER = "Give another file, one that `ak backup` made."


def _verify(path: Path, file: IO[bytes]) -> Manifest:
    found: dict[str, str] = {}
    text = b""
    for name, data in _members(path, file):
        if name == _MANIFEST:
            text = data
        else:
            found[name] = hashlib.sha256(data).hexdigest()
    if not text:
        raise InvalidArgument(f"{path}: this is no backup, or its end is missing: there is no manifest in it", _OTHER)
    manifest = _parse(path, text)
    if manifest.checksums != found:
        wrong = sorted(
            name for name in {*found, *manifest.checksums} if found.get(name) != manifest.checksums.get(name)
        )
        raise InvalidArgument(f"{path}: the backup is damaged: {wrong[0]} is not what it was", _OTHER)
    return manifest


def _parse(path: Path, text: bytes) -> Manifest:
    try:
        read = json.loads(text)
        if read["format"] > FORMAT:
            raise FailedPrecondition(
                f"{path} was made by autokitteh {read['version']}, a newer one than this", "Upgrade autokitteh."
            )
        tables = {name: TableOf(**table) for name, table in read.pop("tables").items()}
        return Manifest(tables=tables, **read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"{path}: its manifest cannot be read: {error}", _OTHER) from error


def _members(path: Path, file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Names and contents, one at a time. Raises InvalidArgument."""
    file.seek(0)
    try:
        with gzip.GzipFile(fileobj=file) as whole:
            with tarfile.open(fileobj=whole, mode="r:") as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    if content is not None:  # it is a regular file
                        yield member.name, content.read()
                    tar.members = []  # type: ignore[attr-defined]  # it would remember all of them
            # A tar ends before its file does. At the very end is gzip's checksum, the only one of the manifest.
            while whole.read(_REST_BYTES):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:  # gzip's own error is an OSError
        raise InvalidArgument(f"{path}: this is no backup, or it is damaged: {error}", _OTHER) from error
