"""The keys for secrets change while everything goes on: nothing is lost, and in the end only one is needed."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.operations import secrets, variables
from autokitteh_server.operations.secrets import BATCH
from autokitteh_server.secretbox.keys import key_id, read_key_file, render_key
from autokitteh_server.storage import variables as rows
from served import PROJECT, Served, serving

OLD, NEW = b"o" * 32, b"n" * 32
PROGRAM = "import os\n\ndef main(event):\n    return os.environ['S0'] == event.data.wanted\n"


def set_all(served: Served, names: Sequence[str], value: str = "value of") -> None:
    for name in names:
        variables.set_value(served.services, PROJECT, name, f"{value} {name}", is_secret=True)


def values(served: Served) -> dict[str, str | None]:
    return {each.name: each.value for each in variables.list_all(served.services, PROJECT, reveal=True)}


def test_every_secret_is_sealed_with_a_new_key(tmp_path: Path, store_url: str) -> None:
    """In more than one batch; then the old key is gone from the file, and the next server needs none but the new."""
    names = [f"S{number}" for number in range(BATCH + 20)]
    path = tmp_path / "data" / "secret-key"
    with serving(tmp_path, db=store_url) as served:
        served.deploy(PROGRAM)
        set_all(served, names)
        (before,) = served.services.keyring.key_ids
        done = secrets.rotate(served.services, keep_old_keys=False)
        assert (done.resealed, done.is_new, done.removed, done.unopenable) == (len(names), True, [before], [])
        assert values(served) == {name: f"value of {name}" for name in names}
    assert [key_id(key) for key in read_key_file(path)] == [done.key_id] != [before]
    with serving(tmp_path, db=store_url) as served:
        assert values(served) == {name: f"value of {name}" for name in names}
        found = secrets.status(served.services)
        assert [(each.key_id, each.secrets) for each in found.keys] == [(done.key_id, len(names))]


def test_old_keys_may_be_kept(tmp_path: Path) -> None:
    """For backups; the next change makes another key all the same."""
    with serving(tmp_path) as served:
        served.deploy(PROGRAM)
        set_all(served, ["A"])
        (first,) = served.services.keyring.key_ids
        done = secrets.rotate(served.services, keep_old_keys=True)
        assert (done.removed, done.unneeded) == ((), [first])
        assert served.services.keyring.key_ids == [done.key_id, first]
        again = secrets.rotate(served.services, keep_old_keys=False)
        assert again.is_new and set(again.removed) == {done.key_id, first}


def test_given_keys_are_not_changed(tmp_path: Path) -> None:
    """The first of them seals everything, and the others are said to be needed no more."""
    with serving(tmp_path, secret_key=render_key(OLD)) as served:
        served.deploy(PROGRAM)
        set_all(served, ["A", "B"])
    with serving(tmp_path, secret_key=f"{render_key(NEW)},{render_key(OLD)}") as served:
        done = secrets.rotate(served.services, keep_old_keys=False)
    assert (done.key_id, done.is_new, done.resealed) == (key_id(NEW), False, 2)
    assert (list(done.removed), done.unneeded) == ([], [key_id(OLD)])
    with serving(tmp_path, secret_key=render_key(NEW)) as served:
        assert values(served) == {"A": "value of A", "B": "value of B"}


def test_what_cannot_be_opened_stays_and_is_named(tmp_path: Path) -> None:
    """It is no reason to fail; its owner and key are told, and how often each key is used."""
    with serving(tmp_path, secret_key=render_key(OLD)) as served:
        served.deploy(PROGRAM)
        set_all(served, ["LOST"])
    with serving(tmp_path, secret_key=render_key(NEW)) as served:
        set_all(served, ["FOUND"])
        for found in (
            secrets.status(served.services).unopenable,
            secrets.rotate(served.services, keep_old_keys=False).unopenable,
        ):
            ((owner, name, key),) = [(each.owner, each.name, each.key_id) for each in found]
            assert (owner, name, key) == (PROJECT, "LOST", key_id(OLD))
        keys = secrets.status(served.services).keys
    assert [(each.key_id, each.secrets, each.is_here, each.is_sealing) for each in keys] == [
        (key_id(NEW), 1, True, True),
        (key_id(OLD), 1, False, False),
    ]


def test_a_damaged_secret_keeps_its_key_in_the_file(tmp_path: Path) -> None:
    """A key is only taken away if nothing claims to need it."""
    with serving(tmp_path) as served:
        served.deploy(PROGRAM)
        set_all(served, ["A", "B"])
        (var, _) = served.database.read(rows.secrets)
        assert served.database.write(lambda conn: rows.reseal(conn, var, var.value[:-4] + "AAAA"))
        done = secrets.rotate(served.services, keep_old_keys=False)
        assert (done.resealed, list(done.removed), len(done.unopenable)) == (1, [], 1)
        assert len(served.services.keyring.key_ids) == 2


def test_vars_set_meanwhile_are_not_lost(tmp_path: Path, store_url: str) -> None:
    """Threads set vars and sessions read them while keys change five times: what was set last is what is there."""
    names = [f"S{number}" for number in range(30)]
    with serving(tmp_path, db=store_url) as served:
        served.deploy(PROGRAM, served.webhook())
        set_all(served, names)
        stop = threading.Event()
        last: dict[str, int] = {}

        def set_again(own: Sequence[str]) -> None:
            while not stop.is_set():
                for name in own:
                    last[name] = last.get(name, 0) + 1
                    variables.set_value(served.services, PROJECT, name, f"{name} {last[name]}", is_secret=True)

        threads = [threading.Thread(target=set_again, args=(names[start::3],)) for start in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            secrets.rotate(served.services, keep_old_keys=False)
        stop.set()
        for thread in threads:
            thread.join()
        assert values(served) == {name: f"{name} {last[name]}" for name in names}
        found = secrets.status(served.services)
        assert [each.secrets for each in found.keys] == [len(names)]


def test_a_lost_key_file_is_not_replaced_by_itself(tmp_path: Path) -> None:
    """The server refuses to start, and changes nothing; with another key made on purpose it starts."""
    with serving(tmp_path) as served:
        served.deploy(PROGRAM)
        set_all(served, ["A", "B"])
    path = tmp_path / "data" / "secret-key"
    key = path.read_bytes()
    path.unlink()
    with pytest.raises(
        FailedPrecondition, match=r"secret-key: the key file is missing.*2 secrets(?s:.*)ak secrets new-key"
    ):
        Served(tmp_path)
    assert not path.exists()
    made = secrets.make_key_file(tmp_path / "data", path)
    with pytest.raises(FailedPrecondition, match="there is a key file"):
        secrets.make_key_file(tmp_path / "data", path)
    with serving(tmp_path) as served:
        assert served.services.keyring.key_ids == [made]
        assert len(secrets.status(served.services).unopenable) == 2
        with pytest.raises(FailedPrecondition, match="in use"):
            secrets.make_key_file(tmp_path / "data", tmp_path / "other")
    path.write_bytes(key)
    with serving(tmp_path) as served:
        assert values(served) == {"A": "value of A", "B": "value of B"}
