"""One engine a database."""

import subprocess
import sys
from pathlib import Path

import pytest

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.errors import StorageUnavailable
from autokitteh_server.storage.ownership import Ownership
from storage.rows import add_session

HOLDER = """
import sys
from autokitteh_server.storage.ownership import Ownership
held = Ownership.take(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_refused_and_may_come_when_the_first_has_gone(empty_url: str) -> None:
    """With a message that says what to do, and without a password."""
    first = Ownership.take(empty_url)
    with pytest.raises(FailedPrecondition, match=r"in use by another server\n.*--db"):
        Ownership.take(empty_url)
    first.release()
    first.release()
    Ownership.take(empty_url).release()


def test_a_killed_process_holds_nothing(empty_url: str) -> None:
    """Whatever way it ends: its successor need not wait for long."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, empty_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(FailedPrecondition):
        Ownership.take(empty_url)
    holder.kill()
    holder.wait()  # for us; PostgreSQL may not have noticed yet
    Ownership.take(empty_url).release()
    holder.communicate()


def test_readers_and_writers_are_not_kept_out(store_url: str) -> None:
    """It is for engines only: a backup reads beside them."""
    with Ownership.take(store_url), Database.open(store_url) as database:
        add_session(database)


def test_two_ways_to_one_file_are_one_database(tmp_path: Path) -> None:
    """A symbolic link is another name, not another database."""
    Database.open(f"sqlite:///{tmp_path}/real.db").close()
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    with Ownership.take(f"sqlite:///{tmp_path}/real.db"), pytest.raises(FailedPrecondition):
        Ownership.take(f"sqlite:///{tmp_path}/link.db")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As when the database itself is opened."""
    with pytest.raises(StorageUnavailable, match="no/store"):
        Ownership.take(f"sqlite:///{tmp_path}/no/store.db")
