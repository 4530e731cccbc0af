"""Keys by which repeats are known, in batches."""

import threading

from autokitteh_server.storage import events
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.events import KEY_LIFE_US, Keyed


def remember(database: Database, *keyed: tuple[str, str, str], now: int = 5) -> dict[tuple[str, str], str]:
    return database.write(lambda conn: events.remember_keys(conn, [Keyed(*each) for each in keyed], now=now))


def test_the_first_one_has_a_key(database: Database) -> None:
    """Of a batch, too; each source has keys of its own."""
    assert remember(database, ("trg_1", "a", "evt_1"), ("trg_1", "a", "evt_2"), ("trg_2", "a", "evt_3")) == {
        ("trg_1", "a"): "evt_1",
        ("trg_2", "a"): "evt_3",
    }
    assert remember(database, ("trg_1", "b", "evt_4"), ("trg_1", "a", "evt_5"), ("trg_2", "b", "evt_6")) == {
        ("trg_1", "a"): "evt_1",
        ("trg_1", "b"): "evt_4",
        ("trg_2", "b"): "evt_6",
    }
    assert remember(database) == {}


def test_a_key_lives_for_a_day_after_it_was_seen_first(database: Database) -> None:
    remember(database, ("trg_1", "a", "evt_1"), now=0)
    assert remember(database, ("trg_1", "a", "evt_2"), now=KEY_LIFE_US - 1) == {("trg_1", "a"): "evt_1"}
    assert remember(database, ("trg_1", "a", "evt_3"), now=KEY_LIFE_US) == {("trg_1", "a"): "evt_3"}


def test_large_batches_in_any_order_at_once(database: Database) -> None:
    """Nobody waits for one who waits for him, and each key has one event."""
    found: list[dict[tuple[str, str], str]] = []
    batches = [
        [("trg_1", f"k{n}", f"evt_{worker}_{n}") for n in range(300)][:: 1 - 2 * (worker % 2)] for worker in range(6)
    ]
    threads = [
        threading.Thread(target=lambda batch=batch: found.append(remember(database, *batch))) for batch in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(each == found[0] for each in found)
