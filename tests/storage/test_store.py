"""The key-value store: one operation, one answer, whoever else is at it."""

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.storage import store
from autokitteh_server.storage.database import Database
from storage.rows import PROJECT, add_session

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.binary()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def mutate(database: Database, key: str, op: str, *args: Any) -> Any:
    return database.write(lambda conn: store.mutate(conn, PROJECT.id, key, op, args))


def test_operations_on_a_key(database: Database) -> None:
    """A missing key reads as None, counts as 0, and may be deleted."""
    add_session(database)
    assert mutate(database, "k", "get") is None
    assert mutate(database, "k", "del") is None
    assert mutate(database, "k", "add", 2) == 2
    assert mutate(database, "k", "add", 0.5) == 2.5
    assert mutate(database, "k", "set", {"a": [1, None]}) is None
    assert database.read(lambda conn: store.mutate(conn, PROJECT.id, "k", "get")) == {"a": [1, None]}
    assert mutate(database, "k", "del") is None
    assert mutate(database, "k", "get") is None
    assert mutate(database, "big", "add", 1 << 64) == 1 << 64
    assert mutate(database, "big", "add", 1) == (1 << 64) + 1


def test_check_and_set_compares_json(database: Database) -> None:
    """Expected None fits a missing key; true is not 1; a list is a list in any dress."""
    add_session(database)
    assert mutate(database, "k", "check_and_set", None, 1) is True
    assert mutate(database, "k", "check_and_set", True, 2) is False
    assert mutate(database, "k", "check_and_set", 1.0, [1, {"a": False}]) is True
    assert mutate(database, "k", "check_and_set", (1, {"a": 0}), 3) is False
    assert mutate(database, "k", "check_and_set", (1, {"a": False}), None) is True
    assert mutate(database, "k", "check_and_set", None, 4) is True
    assert mutate(database, "k", "get") == 4


def test_a_key_that_holds_none_is_there(database: Database) -> None:
    """None is a value like others; only deleting makes a key go away."""
    add_session(database)
    mutate(database, "k", "set", None)
    assert database.read(lambda conn: store.list_keys(conn, PROJECT.id)) == ["k"]
    with pytest.raises(InvalidArgument, match="not a number"):
        mutate(database, "k", "add", 1)


def test_keys_are_sorted_by_code_point(database: Database) -> None:
    """The order is the same whatever language a database was made for."""
    add_session(database)
    keys = ["b", "a", "B", "_", "ä", "a b", "10", "9", "💥"]
    for key in keys:
        mutate(database, key, "set", 1)
    assert database.read(lambda conn: store.list_keys(conn, PROJECT.id)) == sorted(keys)


@pytest.mark.parametrize(
    ("key", "op", "args", "reason"),
    [
        ("k", "swap", (), "no operation"),
        ("k", "set", (), "takes 1"),
        ("k", "get", (1,), "takes 0"),
        ("k", "add", ("x",), "not a number"),
        ("k", "add", (True,), "not a number"),
        ("word", "add", (1,), "not a number"),
        ("a\0", "get", (), "character"),
        ("\udc80", "set", (1,), "character"),
        ("x" * 1025, "set", (1,), "longer"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database, key: str, op: str, args: tuple[Any, ...], reason: str
) -> None:
    """A refused operation says why and changes nothing."""
    add_session(database)
    mutate(database, "word", "set", "w")
    with pytest.raises(InvalidArgument, match=reason):
        mutate(database, key, op, *args)
    assert database.read(lambda conn: store.list_keys(conn, PROJECT.id)) == ["word"]


def test_additions_of_several_servers_all_count(database: Database, store_url: str) -> None:
    """Also the first ones, when there is no row yet that could be locked."""
    add_session(database)

    def add(opened: Database) -> None:
        for index in range(20):
            mutate(opened, f"k{index}", "add", 1)

    with Database.open(store_url) as rival:
        threads = [threading.Thread(target=add, args=(opened,)) for opened in (database, rival, database, rival)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [mutate(database, f"k{index}", "get") for index in range(20)] == [4] * 20


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_any_value_comes_back(database: Database, value: object) -> None:
    """Whatever JSON can say is stored as it is, and so are bytes in it."""
    add_session(database)
    mutate(database, "k", "set", value)
    assert mutate(database, "k", "get") == value
    assert mutate(database, "k", "check_and_set", value, value) is True
