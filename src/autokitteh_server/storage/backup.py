"""Every row of every table out of a database, and into an empty one of either kind.

Rows travel as lists of JSON values, in which bytes may occur, in portions of bounded size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Select, Table, column, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of, parse_url, raw_of
from autokitteh_server.storage.errors import StorageUnavailable
from autokitteh_server.storage.values import dump_json, load_json

#: So large is a portion when it is closed.
_PORTION_BYTES: Final = 4_000_000

#: Rows in the memory of a driver at once: of tables with large columns few.
_ROWS, _LARGE_ROWS = 1_000, 20

#: Rows inserted at once.
_INSERTED: Final = 500

#: Tables that number their rows, with the column that has the number.
_SERIALS: Final = {"journal": "seq", "signals": "id", "subscription_events": "id"}

_VERSION = "alembic_version"


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows of a table, one a line."""

    table: str
    rows: int
    data: bytes


def columns_of() -> dict[str, list[str]]:
    """The tables, those first that others refer to, with the columns that `dump` gives, in order."""
    return {each.name: list(schema.names_of(each)) for each in schema.metadata.sorted_tables}


def dump(conn: Connection) -> Iterator[Portion]:
    """All rows, as the transaction of the connection sees them: at one moment."""
    for each in schema.metadata.sorted_tables:
        yield from _dump_table(conn, each)


def last_serials(conn: Connection) -> dict[str, int]:
    """The highest numbers that were given to rows, by table: none of them must be given again."""
    return dialect_of(conn).last_serials(conn, _SERIALS)


def load(
    url: str,
    *,
    revision: str,
    columns: Mapping[str, Sequence[str]],
    portions: Iterable[tuple[str, bytes]],
    serials: Mapping[str, int],
    then: Callable[[Connection], None],
) -> None:
    """Fill an empty database with rows of a revision, and bring it to the newest. All of it, or nothing.

    `then` is called with the connection at last, before the commit. Raises FailedPrecondition if the database is not
    empty, and StorageUnavailable.
    """
    parsed, dialect = parse_url(url)
    reader, engine = dialect.open_engines(parsed, durable=True)
    try:
        with engine.connect() as conn, conn.begin():
            dialect.begin(raw_of(conn))
            dialect.lock_name(conn, "autokitteh migrations")
            _check_empty(conn, parsed.render_as_string(hide_password=True), revision)
            # Late, for it takes half a second.
            from autokitteh_server.storage.migrations import upgrade

            upgrade(conn, revision)
            for name, data in portions:
                _insert(conn, name, columns[name], data)
            dialect.set_serials(conn, {name: at for name, at in _SERIALS.items() if name in columns}, serials)
            upgrade(conn)
            then(conn)
    except DBAPIError as error:
        where = parsed.render_as_string(hide_password=True)
        raise StorageUnavailable(f"cannot fill the database {where}: {error.orig}", dialect.remedy) from error
    finally:
        reader.dispose()
        engine.dispose()


def _dump_table(conn: Connection, rows: Table) -> Iterator[Portion]:
    at_once = _LARGE_ROWS if any(isinstance(each.type, LargeBinary) for each in rows.columns) else _ROWS
    query: Select[Any] = select(rows).order_by(*rows.primary_key.columns)
    lines: list[bytes] = []
    size = 0
    # By the server's cursor on PostgreSQL: a table need not fit into memory.
    for row in conn.execute(query, execution_options={"stream_results": True, "yield_per": at_once}):
        line = dump_json(list(row)).encode()
        lines.append(line)
        size += len(line)
        if size >= _PORTION_BYTES:
            yield Portion(rows.name, len(lines), b"\n".join(lines))
            lines, size = [], 0
    if lines:
        yield Portion(rows.name, len(lines), b"\n".join(lines))


def _insert(conn: Connection, name: str, columns: Sequence[str], data: bytes) -> None:
    # Not by the schema, which may be newer than the rows.
    into = table(name, *(column(each) for each in columns)).insert()
    lines = data.split(b"\n")
    for start in range(0, len(lines), _INSERTED):
        some = lines[start : start + _INSERTED]
        conn.execute(into, [dict(zip(columns, load_json(line), strict=True)) for line in some])


def _check_empty(conn: Connection, where: str, revision: str) -> None:
    remedy = "Restore into an empty data folder or database."
    names = set(inspect(conn).get_table_names())
    for name in sorted(names - {_VERSION}):
        if conn.execute(select(text("1")).select_from(table(name)).limit(1)).one_or_none() is not None:
            raise FailedPrecondition(f"the database {where} is not empty: there is something in {name}", remedy)
    if _VERSION in names:
        version = Table(_VERSION, MetaData(), Column("version_num")).c.version_num
        found = conn.execute(select(version)).scalar_one_or_none()
        if found is not None and found > revision:
            raise FailedPrecondition(f"the database {where} has newer tables than the backup", remedy)
