"""Opening a store: where it may be, who may read it, and what is said when it cannot be."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.storage import projects, schema
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.dialects import parse_url
from autokitteh_server.storage.errors import StorageUnavailable
from postgres_cluster import Cluster
from storage.rows import PROJECT, add_session, call, indexes


def count_projects(database: Database) -> int:
    return database.read(lambda conn: len(conn.execute(schema.projects.select()).all()))


def test_a_store_is_made_and_opened_again(empty_url: str) -> None:
    """The first opening makes the tables, the second finds them and what is in them."""
    for _ in range(2):
        with Database.open(empty_url) as database:
            database.write(lambda conn: projects.get_or_create(conn, PROJECT))
            assert count_projects(database) == 1


def test_a_throw_away_store_may_be_kept_after_all(empty_url: str) -> None:
    """Tables made without Alembic are at the newest revision, and say so."""
    with Database.open(empty_url, durable=False) as database:
        session = add_session(database)
        database.writer.commit(session, 1, [call(0)])
    with Database.open(empty_url, migrate=False) as database:
        assert indexes(database, session) == [0]


@pytest.mark.parametrize("durable", [True, False])
def test_programs_that_start_together_agree_on_the_tables(empty_url: str, durable: bool) -> None:
    """One makes them, the others wait and find them."""
    errors: list[BaseException] = []
    together = threading.Barrier(4)

    def open_and_close() -> None:
        together.wait()
        try:
            Database.open(empty_url, durable=durable).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=open_and_close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_read_sees_one_snapshot_and_cannot_write(database: Database) -> None:
    """What is committed meanwhile shows in the next read; a write in a read is refused."""
    add_session(database)

    def read_twice(conn: object) -> tuple[int, int]:
        query = schema.projects.select()
        before = len(conn.execute(query).all())  # type: ignore[attr-defined]
        thread = threading.Thread(target=database.write, args=(lambda other: other.execute(add_project),))
        thread.start()
        thread.join()
        return before, len(conn.execute(query).all())  # type: ignore[attr-defined]

    add_project = schema.projects.insert().values(id="prj_2", name="second", created_at=1)
    assert database.read(read_twice) == (1, 1)
    assert count_projects(database) == 2
    with pytest.raises((DBAPIError, StorageUnavailable), match=r"(?i)read.?only"):
        database.read(lambda conn: conn.execute(schema.projects.delete()))
    assert count_projects(database) == 2


def test_a_newer_store_is_refused(store_url: str) -> None:
    """An older program must not touch what it does not understand."""
    engine = create_engine(parse_url(store_url)[0])
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(FailedPrecondition, match="newer version"):
        Database.open(store_url)


def test_a_store_without_tables_is_refused_without_migrating(empty_url: str) -> None:
    """`migrate=False` changes nothing."""
    with pytest.raises(FailedPrecondition, match="not up to date"):
        Database.open(empty_url, migrate=False)


@pytest.mark.parametrize(
    "url", ["", "store.db", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///x"]
)
def test_other_addresses_are_refused(url: str) -> None:
    """The message says which ones can be used."""
    with pytest.raises(InvalidArgument, match="sqlite:///PATH"):
        Database.open(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_has_three_names(scheme: str) -> None:
    """All of them mean psycopg."""
    url, dialect = parse_url(f"{scheme}://me@there/db")
    assert (url.drivername, dialect.name) == ("postgresql+psycopg", "postgresql")


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A missing directory is somebody's mistake, and not made good for."""
    with pytest.raises(StorageUnavailable, match=r"no/store\.db"):
        Database.open(f"sqlite:///{tmp_path}/no/store.db")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "store.db"
    path.write_text("not a database, but long enough to have a header" * 10)
    with pytest.raises(StorageUnavailable, match="not a database"):
        Database.open(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    """Sessions' data are nobody else's business, and the same goes for what SQLite keeps beside the file."""
    with Database.open(f"sqlite:///{tmp_path}/store.db") as database:
        add_session(database)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["store.db", "store.db-wal", "store.db-shm"], 0o600)


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_named_without_its_password(postgres_cluster: Cluster) -> None:
    """The message helps, and keeps the secret."""
    with pytest.raises(StorageUnavailable, match=r"no_such_database") as caught:
        Database.open(postgres_cluster.url("no_such_database").replace("tester@", "tester:secret@"))
    assert "secret" not in str(caught.value)


def run_python(program: str, *arguments: str) -> str:
    result = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_a_store_that_is_up_to_date_needs_no_alembic(store_url: str) -> None:
    """Starting fast means not to import what is not needed."""
    program = (
        "import sys; from autokitteh_server.storage.database import Database\n"
        "Database.open(sys.argv[1]).close()\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'alembic'))"
    )
    assert run_python(program, store_url) == "[]"


def test_sqlite_needs_no_psycopg_and_postgresql_says_how_to_get_it(tmp_path: Path) -> None:
    """The extra is optional, and its absence has a remedy."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from autokitteh_server.storage.database import Database\n"
        "Database.open(sys.argv[1]).close()\n"
        "try: Database.open('postgresql://me@nowhere/db')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = run_python(program, f"sqlite:///{tmp_path}/store.db")
    assert said.startswith("FailedPrecondition") and "pip install 'autokitteh[postgres]'" in said
