"""All that differs between SQLite and PostgreSQL. Nothing else in storage asks which of the two it speaks to.

Two levels meet here. SQLAlchemy's connections serve everything ordinary. The journal's hot path goes to the driver
itself, for a commit of one record costs 1.5 times as much through SQLAlchemy; `raw` is always the driver's connection.
"""

import fcntl
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    NullPool,
    QueuePool,
    Table,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.storage import schema
from autokitteh_server.storage.errors import StorageUnavailable
from autokitteh_server.storage.schema import Row

#: How long a connection waits for another process's lock.
BUSY_TIMEOUT_S = 30

#: What `lock_name` is given by those who delete blobs.
BLOBS_LOCK = "autokitteh blobs"

#: How long `hold_name` waits. Whoever holds a name waits for a service, a few seconds at a time.
NAME_TIMEOUT_S = 60

#: How many reads may go on at once; more wait for their turn.
READ_CONNECTIONS = 8

#: What `insert_records` takes, in this order: a row of the journal without its seq.
RECORD_COLUMNS = schema.names_of(schema.journal)[1:]

_POSTGRESQL_TYPES = {"TEXT": "text", "INTEGER": "int4", "BIGINT": "int8", "BLOB": "bytea"}


class Failure(Enum):
    """What an exception from the database means for the transaction it came in."""

    TRANSIENT = "transient"  # nothing is wrong with the transaction: run it again
    UNAVAILABLE = "unavailable"  # the database cannot do it: disk full, input/output error, no permission
    REFUSED = "refused"  # this statement is at fault; another transaction would go through


class Dialect(ABC):
    """One kind of database."""

    name: ClassVar[str]
    remedy: ClassVar[str]  # what to look at when it cannot be used

    @abstractmethod
    def open_engines(self, url: URL, *, durable: bool) -> tuple[Engine, Engine]:
        """Engines for reading (pooled, each transaction one snapshot) and for writing (a connection each time)."""

    @abstractmethod
    def begin(self, raw: Any) -> None:
        """Begin a transaction that writes."""

    @abstractmethod
    def load_epochs(self, raw: Any, session_ids: Collection[str]) -> dict[str, int]:
        """The epochs of those sessions that exist. They stay true until the transaction ends."""

    @abstractmethod
    def insert_records(self, raw: Any, rows: Sequence[Row]) -> None:
        """Append rows to the journal, in this order."""

    @abstractmethod
    def fetch_rows(self, raw: Any, statement: str, values: Sequence[Any]) -> list[Row]:
        """The rows of a query, by the driver itself. `{0}` stands for each of the values in the statement."""

    @abstractmethod
    def insert_blobs(self, raw: Any, blobs: Sequence[tuple[str, bytes]]) -> None:
        """Store blobs that are not there yet."""

    @abstractmethod
    def classify(self, error: BaseException, raw: Any) -> Failure:
        """What an exception means. `raw` is the connection it came from, None if there was no connecting."""

    @abstractmethod
    def is_doubled(self, error: BaseException) -> bool:
        """Whether an exception says that a unique key is there already."""

    @abstractmethod
    def lock_name(self, conn: Connection, name: str) -> None:
        """Keep others who ask for the same name waiting until this transaction ends."""

    @abstractmethod
    def hold_name(self, engine: Engine, name: str) -> Any | None:
        """Wait until no other server holds this name, and hold it until the result is closed or this process ends.

        None: there are no other servers.
        """

    @abstractmethod
    def hold(self, url: URL) -> Any | None:
        """Keep other processes from holding the database, until the result is closed or this process ends.

        None: another process holds it.
        """

    @abstractmethod
    def last_serials(self, conn: Connection, columns: Mapping[str, str]) -> dict[str, int]:
        """The highest numbers that rows were given, whether or not they are still there, by table.

        `columns` has the column of each table that numbers its rows.
        """

    @abstractmethod
    def set_serials(self, conn: Connection, columns: Mapping[str, str], last: Mapping[str, int]) -> None:
        """Have rows be numbered from after these on, and after those that are there."""

    @abstractmethod
    def insert(self, table: Table) -> Any:
        """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""


class SQLite(Dialect):
    """A file. One process writes at a time, and within the process one thread: the writer's leader."""

    name = "sqlite"
    remedy = "The file and its directory must be writable, on a disk of this machine that is not full."

    _INSERT_RECORD = (
        f"INSERT INTO journal ({', '.join(RECORD_COLUMNS)}) VALUES ({', '.join('?' * len(RECORD_COLUMNS))})"
    )

    def open_engines(self, url: URL, *, durable: bool) -> tuple[Engine, Engine]:
        if sqlite3.sqlite_version_info < (3, 35):
            raise FailedPrecondition(
                f"SQLite {sqlite3.sqlite_version} is too old", "Use a Python whose sqlite3 has SQLite 3.35 or newer."
            )
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise InvalidArgument("the store must be a file", "Give it as sqlite:///PATH.")
        _create_private(Path(url.database))
        # isolation_level None: the driver begins no transactions of its own. Each is begun here, or in `begin`.
        connect = {"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False}
        reader = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
            pool_timeout=BUSY_TIMEOUT_S,
            connect_args=connect,
        )
        writer = create_engine(url, poolclass=NullPool, connect_args=connect)

        @event.listens_for(writer, "connect")
        def prepare_writer(raw: sqlite3.Connection, _record: object) -> None:
            (mode,) = raw.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StorageUnavailable(f"{url.database} cannot be used by several connections", self.remedy)
            raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
            raw.execute("PRAGMA foreign_keys = ON")

        @event.listens_for(reader, "connect")
        def prepare_reader(raw: sqlite3.Connection, _record: object) -> None:
            raw.execute("PRAGMA query_only = ON")

        @event.listens_for(reader, "begin")
        def begin_snapshot(conn: Connection) -> None:
            conn.exec_driver_sql("BEGIN")

        return reader, writer

    def begin(self, raw: Any) -> None:
        # IMMEDIATE takes the lock now: a transaction that read first and wrote later could fail halfway.
        raw.execute("BEGIN IMMEDIATE")

    def load_epochs(self, raw: Any, session_ids: Collection[str]) -> dict[str, int]:
        marks = ", ".join("?" * len(session_ids))
        return dict(raw.execute(f"SELECT id, epoch FROM sessions WHERE id IN ({marks})", tuple(session_ids)))

    def insert_records(self, raw: Any, rows: Sequence[Row]) -> None:
        raw.executemany(self._INSERT_RECORD, rows)

    def fetch_rows(self, raw: Any, statement: str, values: Sequence[Any]) -> list[Row]:
        rows: list[Row] = raw.execute(statement.format("?"), values).fetchall()
        return rows

    def insert_blobs(self, raw: Any, blobs: Sequence[tuple[str, bytes]]) -> None:
        raw.executemany("INSERT INTO blobs (hash, data) VALUES (?, ?) ON CONFLICT DO NOTHING", blobs)

    def classify(self, error: BaseException, raw: Any) -> Failure:
        cause = _driver_error(error)
        if isinstance(cause, sqlite3.OperationalError):
            code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return Failure.TRANSIENT
            # SQLITE_ERROR is a statement that makes no sense, all others are the file's and the machine's trouble.
            return Failure.REFUSED if code == sqlite3.SQLITE_ERROR else Failure.UNAVAILABLE
        if type(cause) is sqlite3.DatabaseError:  # corrupt, or no database at all
            return Failure.UNAVAILABLE
        return Failure.REFUSED

    def is_doubled(self, error: BaseException) -> bool:
        return getattr(_driver_error(error), "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_UNIQUE

    def lock_name(self, conn: Connection, name: str) -> None:
        pass  # BEGIN IMMEDIATE keeps everybody waiting already

    def hold_name(self, engine: Engine, name: str) -> Any | None:
        return None  # a file has one server

    def hold(self, url: URL) -> Any | None:
        # Beside the database, and not itself: closing any descriptor of it would drop SQLite's own locks. By its real
        # path, so that a link to it is no other database.
        path = Path(url.database or "").resolve()
        _create_private(lock := path.with_name(f"{path.name}.lock"))
        file = lock.open("r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def last_serials(self, conn: Connection, columns: Mapping[str, str]) -> dict[str, int]:
        # Only of tables with AUTOINCREMENT; the others go by the highest number there is.
        rows = conn.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {row.name: row.seq for row in rows if row.name in columns}

    def set_serials(self, conn: Connection, columns: Mapping[str, str], last: Mapping[str, int]) -> None:
        autoincrement = set(
            conn.execute(text("SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        )
        for name in autoincrement.intersection(last):
            conn.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            numbers = {"name": name, "seq": last[name]}
            conn.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), numbers)

    def insert(self, table: Table) -> Any:
        return sqlite.insert(table)


# A process that was killed a moment ago may not be gone for PostgreSQL yet; a machine that is gone is noticed at last.
_HOLDING = (
    "lock_timeout = '3s'",
    "idle_session_timeout = 0",
    "tcp_keepalives_idle = 15",
    "tcp_keepalives_interval = 5",
    "tcp_keepalives_count = 3",
)


class PostgreSQL(Dialect):
    """A server that other processes may use at the same time."""

    name = "postgresql"
    remedy = "The server must run and be reachable, and the user may create tables in the database."

    _INSERT_RECORD = (
        f"INSERT INTO journal ({', '.join(RECORD_COLUMNS)}) VALUES ({', '.join(['%b'] * len(RECORD_COLUMNS))})"
    )
    _COPY_RECORDS = f"COPY journal ({', '.join(RECORD_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    _TYPES = tuple(_POSTGRESQL_TYPES[str(schema.journal.c[column].type).split()[0]] for column in RECORD_COLUMNS)
    _INSERT_BLOB = "INSERT INTO blobs (hash, data) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    # In order of id, so that two servers that lock the same sessions do not wait for each other in a circle. Not FOR
    # SHARE: two owners that both hold that and then both update would.
    _LOAD_EPOCHS = "SELECT id, epoch FROM sessions WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

    def open_engines(self, url: URL, *, durable: bool) -> tuple[Engine, Engine]:
        try:
            import psycopg  # noqa: F401  # an extra: whoever uses SQLite need not have it
        except ImportError as error:
            raise FailedPrecondition(
                "PostgreSQL needs the package psycopg, which is not installed", "pip install 'autokitteh[postgres]'"
            ) from error
        if not durable:
            given = url.query.get("options", ())
            options = ["-c synchronous_commit=off", *([given] if isinstance(given, str) else given)]
            url = url.update_query_dict({"options": " ".join(options)})
        reader = create_engine(
            url,
            pool_size=READ_CONNECTIONS,
            max_overflow=0,
            pool_timeout=BUSY_TIMEOUT_S,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )
        writer = create_engine(url, poolclass=NullPool)
        return reader, writer

    def begin(self, raw: Any) -> None:
        pass  # psycopg begins with the first statement

    def load_epochs(self, raw: Any, session_ids: Collection[str]) -> dict[str, int]:
        return dict(raw.execute(self._LOAD_EPOCHS, (sorted(session_ids),)).fetchall())

    def insert_records(self, raw: Any, rows: Sequence[Row]) -> None:
        # Measured, 1 row and 64 rows: INSERT 0.05 and 3.7 ms (many VALUES), 2.4 ms (executemany, pipelined); unnest of
        # arrays 0.16 and 1.4 ms, for psycopg writes arrays in Python; COPY 0.09 and 0.9 ms, with the least of our CPU.
        if len(rows) == 1:
            raw.execute(self._INSERT_RECORD, rows[0])
            return
        with raw.cursor() as cursor, cursor.copy(self._COPY_RECORDS) as copy:
            copy.set_types(self._TYPES)
            for row in rows:
                copy.write_row(row)

    def fetch_rows(self, raw: Any, statement: str, values: Sequence[Any]) -> list[Row]:
        # Binary: as text, a byte of payload would travel as two digits.
        with raw.cursor(binary=True) as cursor:
            rows: list[Row] = cursor.execute(statement.format("%s"), values).fetchall()
        return rows

    def insert_blobs(self, raw: Any, blobs: Sequence[tuple[str, bytes]]) -> None:
        # Shared with all who insert, kept until the transaction ends: DO NOTHING would not keep a blob that is there
        # already from being swept away before the row that refers to it is committed. See `retention.delete_blobs`.
        raw.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", (BLOBS_LOCK,))
        with raw.cursor() as cursor:
            cursor.executemany(self._INSERT_BLOB, blobs)

    def classify(self, error: BaseException, raw: Any) -> Failure:
        import psycopg  # late, as above

        cause = _driver_error(error)
        if raw is None or raw.closed:
            return Failure.TRANSIENT
        if isinstance(cause, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected):
            return Failure.TRANSIENT
        return Failure.UNAVAILABLE if isinstance(cause, psycopg.OperationalError) else Failure.REFUSED

    def is_doubled(self, error: BaseException) -> bool:
        import psycopg  # late, as above

        return isinstance(_driver_error(error), psycopg.errors.UniqueViolation)

    def lock_name(self, conn: Connection, name: str) -> None:
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def hold_name(self, engine: Engine, name: str) -> Any | None:
        # A connection of its own, and no transaction: whoever holds a name may be waiting for somebody far away.
        conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            conn.execute(text(f"SET lock_timeout = '{NAME_TIMEOUT_S}s'"))
            conn.execute(select(func.pg_advisory_lock(func.hashtextextended(name, 0))))
        except BaseException:
            conn.close()
            raise
        return conn

    def hold(self, url: URL) -> Any | None:
        # An advisory lock belongs to a connection; so this one is for nothing else, and never pooled. Without a
        # transaction, which would keep PostgreSQL from cleaning up.
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        conn = engine.connect()
        try:
            for setting in _HOLDING:
                conn.execute(text(f"SET {setting}"))
            conn.execute(select(func.pg_advisory_lock(func.hashtextextended("autokitteh engine", 0))))
        except DBAPIError as error:
            conn.close()
            if getattr(error.orig, "sqlstate", "") == "55P03":  # lock_timeout
                return None
            raise
        return conn

    def last_serials(self, conn: Connection, columns: Mapping[str, str]) -> dict[str, int]:
        last = select(func.coalesce(func.pg_sequence_last_value(cast(bindparam("name"), postgresql.REGCLASS)), 0))
        return {
            table: conn.execute(last, {"name": self._sequence(conn, table, column)}).scalar_one()
            for table, column in columns.items()
        }

    def set_serials(self, conn: Connection, columns: Mapping[str, str], last: Mapping[str, int]) -> None:
        for table, column in columns.items():
            rows = Table(table, MetaData(), Column(column, BigInteger))
            highest = conn.execute(select(func.coalesce(func.max(rows.c[column]), 0))).scalar_one()
            if seq := max(highest, last.get(table, 0)):
                conn.execute(select(func.setval(self._sequence(conn, table, column), seq)))

    def _sequence(self, conn: Connection, table: str, column: str) -> str:
        return str(conn.execute(select(func.pg_get_serial_sequence(table, column))).scalar_one())

    def insert(self, table: Table) -> Any:
        return postgresql.insert(table)


_DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (SQLite(), PostgreSQL())}


def parse_url(url: str) -> tuple[URL, Dialect]:
    """The address of a database, and how to speak to it. Raises InvalidArgument if it is not one of ours."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unknown")
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return parsed.set(drivername="sqlite"), _DIALECTS["sqlite"]
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg"), _DIALECTS["postgresql"]
    raise InvalidArgument(
        "this is not the address of a database that can be used", "Give sqlite:///PATH or postgresql://USER@HOST/NAME."
    )


def dialect_of(conn: Connection) -> Dialect:
    """How to speak to a connection's database."""
    return _DIALECTS[conn.dialect.name]


def raw_of(conn: Connection) -> Any:
    """The driver's connection beneath one of SQLAlchemy's."""
    return conn.connection.driver_connection


def _driver_error(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _create_private(path: Path) -> None:
    # Before SQLite does, for SQLite would let everybody read it. Its other files take over the mode of this one.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageUnavailable(
            f"cannot open the database {path}: {error.strerror}", "The directory must exist, and the file be writable."
        ) from error
