"""What is to be done for connections' events, and what only one server may have."""

from dataclasses import replace

from autokitteh_server.core.entities import (
    CheckResult,
    Connection,
    Deployment,
    Feed,
    FeedState,
    Subscription,
    Trigger,
)
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.states import DeploymentState
from autokitteh_server.storage import connections, deployments, feeds, leases, subscriptions, triggers
from autokitteh_server.storage.database import Database
from storage.rows import BUILD, PROJECT, add_session


def add_connection(database: Database, connection_id: str, integration: str = "telegram") -> Connection:
    made = Connection(
        id=connection_id, project_id=PROJECT.id, name=connection_id, integration=integration, created_at=1, updated_at=1
    )
    database.write(lambda conn: connections.create(conn, made))
    return made


def deploy(database: Database) -> None:
    made = Deployment(
        id="dep_1",
        project_id=PROJECT.id,
        build_id=BUILD.id,
        state=DeploymentState.INACTIVE,
        created_at=1,
        updated_at=1,
    )
    database.write(lambda conn: deployments.create(conn, made))
    database.write(lambda conn: deployments.activate(conn, made.id, now=2))


def ids(found: object) -> list[str]:
    return sorted(each.id for each in found)  # type: ignore[attr-defined]


def test_events_are_awaited_by_triggers_and_subscriptions_of_what_is_deployed(database: Database) -> None:
    session_id = add_session(database)
    for name in ("con_1", "con_2", "con_3"):
        add_connection(database, name)
    add_connection(database, "con_4", "slack")
    trigger = Trigger(
        id="trg_1", project_id=PROJECT.id, name="t", type=TriggerType.CONNECTION, call="main.py:main",
        connection_id="con_1", created_at=1, updated_at=1,
    )  # fmt: skip
    subscription = Subscription(
        id="sub_1", session_id=session_id, project_id=PROJECT.id, source_id="con_2", filter="", created_at=1
    )
    database.write(lambda conn: triggers.create(conn, trigger))
    database.write(lambda conn: subscriptions.create(conn, subscription))
    assert database.read(lambda conn: connections.deployed(conn, ["telegram"])) == []
    deploy(database)
    assert ids(database.read(lambda conn: connections.deployed(conn, ["telegram"]))) == ["con_1", "con_2", "con_3"]
    assert ids(database.read(lambda conn: connections.deployed(conn, []))) == []
    assert ids(database.read(lambda conn: connections.awaited(conn, ["telegram", "slack"]))) == ["con_1", "con_2"]


def test_what_is_due_is_claimed_once_and_hurried_in_between(database: Database) -> None:
    add_session(database)
    for name in ("con_1", "con_2", "con_3"):
        add_connection(database, name)
    first = Feed(connection_id="con_1", next_at=20, changed_at=1)
    held = Feed(connection_id="con_3", changed_at=1)
    for feed in (first, Feed(connection_id="con_2", next_at=10, changed_at=1), held):
        assert database.write(lambda conn, feed=feed: feeds.add(conn, feed))  # type: ignore[misc]
    assert not database.write(lambda conn: feeds.add(conn, replace(first, next_at=99)))
    assert database.read(lambda conn: feeds.next_at(conn, besides=())) == 10
    assert [each.connection_id for each in database.read(lambda conn: feeds.due(conn, 20, limit=9))] == [
        "con_2",
        "con_1",
    ]
    assert database.write(lambda conn: feeds.claim(conn, first, 100))
    assert not database.write(lambda conn: feeds.claim(conn, first, 101))

    done = replace(first, next_at=70, polled_at=21, state=FeedState.POLLED, message="it is", failures=0)
    database.write(lambda conn: feeds.save(conn, done, claimed_until=100))
    assert database.read(lambda conn: feeds.of_connections(conn, ["con_1"]).get("con_1")) == done

    assert database.write(lambda conn: feeds.claim(conn, done, 200))
    database.write(lambda conn: feeds.hurry(conn, ["con_1"], 80))
    database.write(lambda conn: feeds.save(conn, replace(done, next_at=300), claimed_until=200))
    assert database.read(lambda conn: feeds.of_connections(conn, ["con_1"]).get("con_1")) == replace(done, next_at=80)


def test_what_a_service_says_can_be_stored_whatever_it_is(database: Database) -> None:
    """How feeds and gateways stand has texts of services in it. They may have what databases refuse."""
    add_session(database)
    add_connection(database, "con_1")
    feed = Feed(connection_id="con_1", next_at=1, changed_at=1, message="told: \0 \ud800")
    database.write(lambda conn: feeds.add(conn, feed))
    database.write(lambda conn: feeds.save(conn, feed, claimed_until=None))
    database.write(lambda conn: feeds.note(conn, "con_1", FeedState.WAITING, feed.message, 5))
    found = database.read(lambda conn: feeds.of_connections(conn, ["con_1"]).get("con_1"))
    assert found is not None and found.message == r"told: \x00 \ud800"

    result = CheckResult(code="error", message=feed.message, remedy="", checked_at=5)
    database.write(lambda conn: connections.save_check(conn, "con_1", result))
    checked = database.read(lambda conn: connections.get(conn, "con_1")).checked
    assert checked is not None and checked.message == found.message


def test_a_feed_goes_with_its_connection(database: Database) -> None:
    add_session(database)
    add_connection(database, "con_1")
    database.write(lambda conn: feeds.add(conn, Feed(connection_id="con_1", next_at=1, changed_at=1)))
    database.write(lambda conn: connections.remove(conn, "con_1"))
    assert database.read(feeds.all_of) == {}


def test_told_anew(database: Database) -> None:
    """A gateway is not told anything."""
    add_session(database)
    for name, next_at in (("con_1", 50), ("con_2", None)):
        add_connection(database, name)
        feed = Feed(
            connection_id=name, next_at=next_at, registered_url="https://x", renew_at=9, failures=3, changed_at=1
        )
        database.write(lambda conn, feed=feed: feeds.add(conn, feed))  # type: ignore[misc]
    database.write(lambda conn: feeds.renew(conn, ["con_1", "con_2"], 40))
    found = database.read(feeds.all_of)
    assert found["con_1"].next_at == 40
    assert (found["con_1"].registered_url, found["con_1"].renew_at, found["con_1"].failures) == ("", None, 0)
    assert found["con_2"].next_at is None


def test_a_lease_is_held_by_one_at_a_time(database: Database) -> None:
    def take(holder: str, until: int, now: int) -> bool:
        return database.write(lambda conn: leases.take(conn, "x", holder, until=until, now=now))

    assert take("a", 30, 0)
    assert not take("b", 40, 29)
    assert take("a", 50, 29)
    database.write(lambda conn: leases.keep_place(conn, "x", "a", "here"))
    database.write(lambda conn: leases.keep_place(conn, "x", "b", "there"))
    assert not take("b", 60, 49)
    assert take("b", 60, 50)
    assert database.read(lambda conn: leases.places(conn, ["x", "y"])) == {"x": "here"}
    database.write(lambda conn: leases.release(conn, "b", now=51))
    assert take("a", 90, 51)
    assert database.write(lambda conn: leases.forget(conn, before=89)) == 0
    assert database.write(lambda conn: leases.forget(conn, before=90)) == 1
