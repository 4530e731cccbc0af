"""The way to the database: open it, read through a pool, write through the one writer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import URL, Column, Connection, MetaData, Table, Text, inspect, select
from sqlalchemy.exc import DBAPIError, TimeoutError

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import Dialect, Failure, parse_url, raw_of
from autokitteh_server.storage.errors import StorageUnavailable
from autokitteh_server.storage.named_locks import NamedLocks
from autokitteh_server.storage.writer import Writer

T = TypeVar("T")

# Alembic's own table. Read here, too, so that a database that is up to date needs no Alembic, which is slow to import.
_version = Table("alembic_version", MetaData(), Column("version_num", Text, nullable=False))


class Database:
    """An open store. Threads may share it."""

    def __init__(self, url: URL, dialect: Dialect, *, durable: bool) -> None:
        """Use `open`."""
        self._dialect = dialect
        self._where = url.render_as_string(hide_password=True)
        self._reader, self._writing_engine = dialect.open_engines(url, durable=durable)
        self.writer = Writer(self._writing_engine, dialect)
        self._named = NamedLocks()

    @classmethod
    def open(cls, url: str, *, durable: bool = True, migrate: bool = True) -> Self:
        """Open a store, and make or upgrade its tables.

        `url` is "sqlite:///PATH" or "postgresql://...". With `durable=False` a power cut may lose what was committed:
        for stores that are thrown away. With `migrate=False` a store that is not up to date is refused.

        Raises InvalidArgument for another kind of URL, FailedPrecondition if the store is newer than this program, not
        up to date, or needs a package that is missing, and StorageUnavailable if it cannot be reached or written.
        """
        parsed, dialect = parse_url(url)
        database = cls(parsed, dialect, durable=durable)
        try:
            database._prepare(durable=durable, migrate=migrate)
        except BaseException:
            database.close()
            raise
        return database

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a function that only reads. It sees one snapshot, and must not ask for another read or write.

        Raises StorageUnavailable.
        """
        try:
            # Begun at once, so that what goes to the driver directly is in the snapshot, too.
            with self._reader.connect() as conn, conn.begin():
                return fn(conn)
        except DBAPIError as error:
            if self._dialect.classify(error, None) is Failure.REFUSED:
                raise
            raise self._unavailable(error) from error
        except TimeoutError as error:
            raise self._unavailable(error) from error

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Run a function in a transaction, and return its result once that is durable. See `Writer.transact`."""
        return self.writer.write(fn)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep all others who ask for the same name waiting, in this server and in others on the same database.

        For work that cannot be done in a transaction, since it waits for somebody else. Raises StorageUnavailable, also
        after a minute of waiting for another server.
        """
        with self._named.holding(name):
            try:
                held = self._dialect.hold_name(self._writing_engine, name)
            except DBAPIError as error:
                raise self._unavailable(error) from error
            try:
                yield
            finally:
                if held is not None:
                    held.close()

    def close(self) -> None:
        """Commit what is queued, and let go of every connection. Closing twice is fine."""
        try:
            self.writer.close()
        finally:
            self._reader.dispose()
            self._writing_engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Making the tables.

    def _prepare(self, *, durable: bool, migrate: bool) -> None:
        try:
            version = self._load_version()
            if version == schema.HEAD:
                return
            if version is not None and version > schema.HEAD:
                raise FailedPrecondition(
                    f"the database {self._where} was made by a newer version of autokitteh", "Upgrade autokitteh."
                )
            if not migrate:
                raise FailedPrecondition(
                    f"the database {self._where} is not up to date", "Open it once with `ak up`, which upgrades it."
                )
            self._make_tables(fresh=version is None and not durable)
        except DBAPIError as error:
            raise self._unavailable(error) from error

    def _load_version(self) -> str | None:
        # The writing engine: SQLite's reading connections are only good once the file is in WAL mode.
        with self._writing_engine.connect() as conn:
            if not inspect(conn).has_table(_version.name):
                return None
            return conn.execute(select(_version.c.version_num)).scalar_one_or_none()

    def _make_tables(self, *, fresh: bool) -> None:
        with self._writing_engine.connect() as conn, conn.begin():
            self._dialect.begin(raw_of(conn))
            # Two programs may start at once; the second finds the work done.
            self._dialect.lock_name(conn, "autokitteh migrations")
            if fresh:
                schema.metadata.create_all(conn)
                _version.create(conn, checkfirst=True)
                conn.execute(_version.delete())
                conn.execute(_version.insert().values(version_num=schema.HEAD))
            else:
                # Late, for it takes half a second.
                from autokitteh_server.storage.migrations import upgrade

                upgrade(conn)

    def _unavailable(self, error: Exception) -> StorageUnavailable:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        return StorageUnavailable(f"cannot use the database {self._where}: {cause}", self._dialect.remedy)


def is_there(url: str) -> bool:
    """Whether opening a store could find one: it is no file, or the file exists. Raises InvalidArgument."""
    parsed, _ = parse_url(url)
    return parsed.drivername != "sqlite" or Path(parsed.database or "").exists()
