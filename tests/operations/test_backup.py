"""A backup has everything, and what is restored goes on as if nothing had happened."""

import gzip
import io
import itertools
import json
import os
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, LargeBinary, Text

from autokitteh_server.core.clock import SystemIds, system_slug
from autokitteh_server.core.entities import Build, Project
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound, ServerError
from autokitteh_server.operations.backup import Done, Place, backup, restore
from autokitteh_server.storage import backup as rows
from autokitteh_server.storage import blobs, builds, projects, schema, signals, tokens
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.data_folder import take_folder
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.ownership import Ownership
from engine.life import is_parked
from engine.stage import PATIENCE_S, HandClock
from harness import Bench
from postgres_cluster import Cluster
from storage.rows import BUILD, FILES, PROJECT, add_session

NOW = 1_900_000_000_000_000
HOUR = 3_600_000_000

ASLEEP = """
import time
import uuid

def main(event):
    mine = uuid.uuid4()
    words = {f"word-{number}" for number in range(20)}
    print("asleep", mine, *words)
    time.sleep(3600)
    print("awake", mine, *words)
"""

#: The kinds of the database that is backed up, and of the one it is restored into.
WAYS = [
    pytest.param(before, after, marks=[pytest.mark.postgres] * ("postgresql" in (before, after)))
    for before in ("sqlite", "postgresql")
    for after in ("sqlite", "postgresql")
]


@pytest.fixture
def new_place(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str, str], Place]:
    """Makes places for servers, each with a folder of its own, in an empty database of a kind."""

    def make(name: str, kind: str = "sqlite") -> Place:
        folder = tmp_path / name / "data"
        if kind == "sqlite":
            return Place(data_dir=folder, database_url=f"sqlite:///{folder}/autokitteh.db")
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        return Place(data_dir=folder, database_url=cluster.url(cluster.create_database()))

    return make


@pytest.fixture
def used(new_place: Callable[..., Place]) -> Place:
    """A place where a server has been, with a session."""
    place = new_place("used")
    prepare(place)
    with Database.open(place.database_url) as database:
        add_session(database)
    return place


def prepare(place: Place) -> None:
    """Make a data folder as a server leaves it."""
    place.data_dir.mkdir(parents=True)
    for name in ("hash-seed", "secret-key", "token"):
        (place.data_dir / name).write_text(f"{name} of {place.data_dir.parent.name}\n")


def back_up(path: Path, place: Place, **options: Any) -> Done:
    return backup(path, place, version="1.2.3", now=NOW, **({"with_key": False} | options))


def restore_to(path: Path, place: Place) -> Done:
    return restore(path, place, now=NOW, new_id=SystemIds(HandClock(NOW)), new_slug=system_slug)


def everything(url: str) -> dict[str, list[bytes]]:
    """All rows of a database, by table."""
    found: dict[str, list[bytes]] = {name: [] for name in rows.columns_of()}
    with Database.open(url) as database:
        for portion in database.read(lambda conn: list(rows.dump(conn))):
            found[portion.table] += portion.data.split(b"\n")
    return found


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_a_sleeping_session_wakes_up_elsewhere(
    before: str, after: str, new_place: Callable[[str, str], Place], tmp_path: Path
) -> None:
    """It is backed up while its server runs, and ends on time in another one, with what it knew."""
    here, there = new_place("here", before), new_place("there", after)
    file = tmp_path / "backup.tar.gz"
    with Bench(tmp_path / "here", clock=HandClock(NOW), db=here.database_url, durable=True) as bench:
        session = bench.submit(ASLEEP)
        asleep = bench.wait_until(session.id, lambda result: bool(result.prints) and is_parked(result))
        done = back_up(file, here)
    assert (done.counts["sessions"], done.has_key) == (1, False)

    restore_to(file, there)

    clock = HandClock(NOW + 2 * HOUR)  # the sleep began some milliseconds after NOW
    with Bench(tmp_path / "there", clock=clock, db=there.database_url) as bench:
        result = bench.wait(session.id)
    assert (result.state, result.error) == ("COMPLETED", "")
    assert [line.split()[1:] for line in result.prints] == [asleep.prints[0].split()[1:]] * 2


def fill(database: Database) -> None:
    """Put two rows into every table, with whatever each column can hold."""
    odd = 'é "$bytes": \u2028\n\t\\ 😀'

    def value(column: Any, number: int) -> Any:
        if isinstance(column.type, LargeBinary):
            return bytes(range(256)) * number
        if isinstance(column.type, Boolean):
            return number == 1
        if isinstance(column.type, Text):
            is_key = column.primary_key or column.foreign_keys or column.unique or column.name in ("state", "blob")
            return str(number) if is_key else odd + str(number)
        return number if column.primary_key else 2**62 + number if str(column.type) == "BIGINT" else number

    def insert(conn: Connection) -> None:
        for table in schema.metadata.sorted_tables:
            for number in (1, 2):
                values = {column.name: value(column, number) for column in table.columns}
                if number == 2:
                    values |= {column.name: None for column in table.columns if column.nullable}
                conn.execute(table.insert().values(values))

    database.write(insert)


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_every_row_arrives_as_it_was(
    before: str, after: str, new_place: Callable[[str, str], Place], tmp_path: Path
) -> None:
    """All tables, all columns, whatever is in them; all that is new is a token for those who restored."""
    here, there = new_place("here", before), new_place("there", after)
    prepare(here)
    with Database.open(here.database_url) as database:
        fill(database)

    back_up(tmp_path / "b", here)
    done = restore_to(tmp_path / "b", there)

    sent, arrived = everything(here.database_url), everything(there.database_url)
    assert set(done.counts.values()) == {2}
    assert [line for line in arrived["tokens"] if b"restored-" not in line] == sent.pop("tokens")
    assert len(arrived.pop("tokens")) == 3
    assert arrived == sent
    assert (there.data_dir / "hash-seed").read_text() == "hash-seed of here\n"


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_no_number_is_given_twice(
    before: str, after: str, new_place: Callable[[str, str], Place], tmp_path: Path
) -> None:
    """The id of a signal that was taken before the backup is not given to one that comes after it."""
    here, there = new_place("here", before), new_place("there", after)
    prepare(here)
    taken = []

    def send_and_take(database: Database) -> int:
        database.write(lambda conn: signals.send(conn, session_id, "x", None, now=1))
        found = database.write(lambda conn: signals.take(conn, session_id, ["x"]))
        assert found is not None
        return found.id

    with Database.open(here.database_url) as database:
        session_id = add_session(database)
        taken += [send_and_take(database), send_and_take(database)]
    back_up(tmp_path / "b", here)
    restore_to(tmp_path / "b", there)
    with Database.open(there.database_url) as database:
        taken.append(send_and_take(database))

    # On PostgreSQL some numbers may be left out.
    assert taken == sorted(set(taken))


def test_a_table_larger_than_a_portion(used: Place, new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """Rows in many portions keep their order and are all there."""
    contents = [bytes([number % 256]) * 100_000 for number in range(100)]
    with Database.open(used.database_url) as database:
        database.write(
            lambda conn: blobs.put_all(conn, [number.to_bytes(2, "big") + data for number, data in enumerate(contents)])
        )
    back_up(tmp_path / "b", used)
    with tarfile.open(tmp_path / "b") as tar:
        assert sum(name.startswith("tables/blobs/") for name in tar.getnames()) > 1

    there = new_place("there")
    restore_to(tmp_path / "b", there)

    assert everything(there.database_url)["blobs"] == everything(used.database_url)["blobs"]


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(used: Place, tmp_path: Path) -> None:
    """The file has one moment of the store: of what one transaction wrote, all or nothing."""
    stop, wrote = threading.Event(), threading.Event()

    def write_on() -> None:
        with Database.open(used.database_url) as database:
            for number in itertools.count():
                project = replace(PROJECT, id=f"prj_w{number}", name=f"w{number}")
                build = replace(BUILD, id=f"bld_w{number}", project_id=project.id)
                database.write(partial(add, project=project, build=build))
                wrote.set()
                if stop.is_set():
                    return

    def add(conn: Connection, project: Project, build: Build) -> None:
        projects.get_or_create(conn, project)
        builds.save(conn, build, FILES)

    writing = threading.Thread(target=write_on)
    writing.start()
    counts = []
    try:
        for number in range(5):
            wrote.clear()
            assert wrote.wait(PATIENCE_S)
            counts.append(back_up(tmp_path / f"b{number}", used).counts)
    finally:
        stop.set()
        writing.join()

    assert all(each["projects"] == each["builds"] for each in counts)
    assert counts[0]["builds"] < counts[-1]["builds"]


def test_the_key_is_in_it_only_if_wanted(used: Place, new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """With it comes the token, too; without, whoever restores gets a token of their own."""
    back_up(tmp_path / "without", used)
    done = back_up(tmp_path / "with", used, with_key=True)
    assert done.has_key

    one, other = new_place("one"), new_place("other")
    restore_to(tmp_path / "without", one)
    restore_to(tmp_path / "with", other)

    assert {path.name for path in one.data_dir.iterdir()} >= {"hash-seed", "token"}
    assert not (one.data_dir / "secret-key").exists()
    assert (one.data_dir / "token").read_text().startswith("ak_")
    with Database.open(one.database_url) as database:
        (token,) = database.read(tokens.list)
        assert token.name.startswith("restored-") and "admin" in token.scopes
    assert (other.data_dir / "secret-key").read_text() == "secret-key of used\n"
    assert (other.data_dir / "token").read_text() == "token of used\n"
    for place in (one, other):
        modes = {stat.S_IMODE(path.stat().st_mode) for path in place.data_dir.iterdir()}
        assert modes == {0o600} and stat.S_IMODE(place.data_dir.stat().st_mode) == 0o700


def test_a_key_from_the_environment_is_in_it(used: Place, new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """Wherever the server has it from, and not the one in the data folder then."""
    (tmp_path / "k").write_text("from a file")
    for number, place in enumerate((replace(used, secret_key="given"), replace(used, secret_key_file=tmp_path / "k"))):
        back_up(tmp_path / f"b{number}", place, with_key=True)
        there = new_place(f"there{number}")
        restore_to(tmp_path / f"b{number}", there)
        assert (there.data_dir / "secret-key").read_text() == ["given", "from a file"][number]


def test_the_file_is_private_and_replaced_only_if_wanted(used: Place, tmp_path: Path) -> None:
    """Nothing else is left in its folder."""
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(folder / "b", used)
    assert stat.S_IMODE((folder / "b").stat().st_mode) == 0o600
    before = (folder / "b").read_bytes()

    with pytest.raises(FailedPrecondition, match="there already"):
        back_up(folder / "b", used)
    assert (folder / "b").read_bytes() == before
    back_up(folder / "b", used, replace=True)

    assert [path.name for path in folder.iterdir()] == ["b"]


def test_what_is_not_there_cannot_be_backed_up(used: Place, new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """A folder where no server has been, one without a database, a key that is wanted and missing; nothing is made."""
    nowhere, no_database = new_place("nowhere"), new_place("empty")
    prepare(no_database)
    (used.data_dir / "secret-key").unlink()

    for place, options in ((nowhere, {}), (no_database, {}), (used, {"with_key": True})):
        with pytest.raises(NotFound, match="--data-dir"):
            back_up(tmp_path / "b", place, **options)

    assert not (tmp_path / "b").exists() and not nowhere.data_dir.exists()
    assert not (no_database.data_dir / "autokitteh.db").exists()


def test_a_store_that_is_in_use_or_not_empty_is_not_touched(
    used: Place, new_place: Callable[[str], Place], tmp_path: Path
) -> None:
    """Neither a folder that a server holds, nor a database that one holds, nor one with something in it."""
    back_up(tmp_path / "b", used)
    before = everything(used.database_url)
    with pytest.raises(FailedPrecondition, match="is not empty: there is something in"):
        restore_to(tmp_path / "b", used)
    assert everything(used.database_url) == before

    there = new_place("there")
    held = take_folder(there.data_dir)
    with pytest.raises(FailedPrecondition, match="in use by another process"):
        restore_to(tmp_path / "b", there)
    os.close(held)
    with Ownership.take(there.database_url), pytest.raises(FailedPrecondition, match="in use by another server"):
        restore_to(tmp_path / "b", there)
    restore_to(tmp_path / "b", there)


def test_another_key_is_not_overwritten(used: Place, new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """It may be the only one that opens something."""
    back_up(tmp_path / "b", used, with_key=True)
    there = new_place("there")
    prepare(there)

    with pytest.raises(FailedPrecondition, match="secret-key is there already"):
        restore_to(tmp_path / "b", there)

    assert (there.data_dir / "secret-key").read_text() == "secret-key of there\n"
    assert not (there.data_dir / "autokitteh.db").exists()


def members(path: Path) -> dict[str, bytes]:
    """What is in a backup."""
    with tarfile.open(path) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]


def write_members(path: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def damages(path: Path) -> Iterator[tuple[str, bytes | dict[str, bytes]]]:
    """A backup spoilt in many ways: what is said, and what the file has then."""
    whole, inside = path.read_bytes(), members(path)
    manifest = json.loads(inside["manifest.json"])
    table = next(name for name in inside if name.startswith("tables/"))
    yield "damaged|no backup", b""
    yield "no backup", b"not a backup at all"
    yield "no backup", gzip.compress(b"not a backup at all")
    for part in range(1, 8):
        yield "damaged|end is missing", whole[: len(whole) * part // 8]
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        # Of gzip's head, the date and the system may be anything.
        if not 4 <= place < 10:
            yield "damaged|no backup", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    yield "damaged", inside | {table: inside[table].replace(b"1", b"2")}
    yield "damaged", {name: data for name, data in inside.items() if name != table}
    yield "damaged", inside | {"tables/projects/000009.jsonl": b'["x"]'}
    yield "no manifest", {name: data for name, data in inside.items() if name != "manifest.json"}
    yield "cannot be read", inside | {"manifest.json": b"[]"}
    yield "cannot be read", inside | {"manifest.json": b'{"format": 1, "tables": {}}'}
    yield "newer one", inside | {"manifest.json": json.dumps(manifest | {"format": 2, "unknown": 1}).encode()}
    yield "newer one", inside | {"manifest.json": json.dumps(manifest | {"revision": "9999"}).encode()}


def test_a_damaged_or_newer_file_changes_nothing(
    used: Place, new_place: Callable[[str], Place], tmp_path: Path
) -> None:
    """Whatever is wrong with it is found before anything is written, and said in words."""
    back_up(tmp_path / "good", used)
    there = new_place("there")
    for number, (said, content) in enumerate(damages(tmp_path / "good")):
        path = tmp_path / f"bad{number}"
        path.write_bytes(content) if isinstance(content, bytes) else write_members(path, content)
        with pytest.raises((InvalidArgument, FailedPrecondition), match=said):
            restore_to(path, there)
        assert not there.data_dir.exists(), (number, said)


def test_a_file_that_is_not_there_is_named(new_place: Callable[[str], Place], tmp_path: Path) -> None:
    """As one that may not be read is."""
    with pytest.raises(ServerError, match="no-such-file: cannot be read: No such file"):
        restore_to(tmp_path / "no-such-file", new_place("there"))


def test_a_restore_that_fails_leaves_the_database_empty(
    used: Place, new_place: Callable[[str], Place], tmp_path: Path
) -> None:
    """What goes wrong in the middle, here a row that refers to nothing, takes all others back."""
    back_up(tmp_path / "b", used)
    there = new_place("there")
    columns = rows.columns_of()
    there.data_dir.mkdir(parents=True)
    with pytest.raises(ServerError, match="cannot fill"):
        rows.load(
            there.database_url, revision=schema.HEAD, columns=columns, serials={}, then=lambda conn: None,
            portions=[("projects", b'["p","p",1,"",null]'), ("builds", b'["b","no such project","d",1,null]')],
        )  # fmt: skip

    restore_to(tmp_path / "b", there)
    assert everything(there.database_url)["projects"] == everything(used.database_url)["projects"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_an_older_backup_is_brought_up_to_date(kind: str, new_place: Callable[[str, str], Place]) -> None:
    """Rows go into tables as they were then, and those are upgraded as a store of that time would be."""
    place = new_place("there", kind)
    place.data_dir.mkdir(parents=True)

    rows.load(
        place.database_url, revision="0001", columns={"projects": ["id", "name", "created_at"]},
        portions=[("projects", b'["prj_1","greeter",1]')], serials={}, then=lambda conn: None,
    )  # fmt: skip

    with Database.open(place.database_url, migrate=False) as database:
        (project,) = database.read(lambda conn: projects.list(conn, limit=5))
    assert (project.name, project.display_name) == ("greeter", "")
