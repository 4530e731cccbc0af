"""Sessions' rows: every change of state, and who may not make it."""

from dataclasses import replace

import pytest

from autokitteh_server.core.entities import Project, Session, Wait
from autokitteh_server.core.errors import FailedPrecondition, Fenced, NotFound
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import projects, sessions, signals
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.sessions import MAX_FOREBEARS
from storage.rows import BUILD, PROJECT, add_session, call, claim, indexes, make_session

WAITS = (
    Wait(task="0", index=3, kind="timer", deadline_at=1_800_000_000_000_000, names=("sub_1", "sub_2")),
    Wait(task="0.1", index=0, kind="next_signal", names=("ready",)),
)


def get(database: Database, session_id: str) -> Session:
    return database.read(lambda conn: sessions.get(conn, session_id))


def test_a_session_comes_back_as_it_was_stored(database: Database) -> None:
    """Every field survives, with NULs and lone surrogates inside JSON."""
    add_session(database)
    session = make_session(
        state=SessionState.RUNNING,
        event={"data": {"text": "a\0b\udc80", "numbers": [1, 2.5, 1 << 80, None, True]}},
        vars={"TOKEN": "é\0"},
        memo={"who": "Ada"},
        parent_id="ses_gone",
        epoch=7,
        waits=WAITS,
        failures=2,
        result=[1, {"two": None}],
        error="ValueError: no",
        durable=False,
    )
    database.write(lambda conn: sessions.create(conn, session))
    assert get(database, session.id) == session


def test_texts_for_people_are_made_storable(database: Database) -> None:
    """What a database would refuse in a traceback becomes escapes."""
    session_id = add_session(database)
    database.write(lambda conn: sessions.finish(conn, session_id, 1, SessionState.ERROR, error="a\0b\udc80", now=30))
    assert get(database, session_id).error == r"a\x00b\udc80"


def test_an_unknown_session_is_not_found(database: Database) -> None:
    """Whoever names a session that is not there is told so."""
    for action in (
        lambda conn: sessions.get(conn, "ses_none"),
        lambda conn: sessions.claim(conn, "ses_none", now=1),
        lambda conn: sessions.stop(conn, "ses_none", "", now=1),
        lambda conn: sessions.delete(conn, "ses_none"),
    ):
        with pytest.raises(NotFound, match="ses_none"):
            database.write(action)


def test_claims_count_up_and_keep_the_waits(database: Database) -> None:
    """A claim makes a session RUNNING at a new epoch, and what it waited for can still be read."""
    session_id = add_session(database, claimed=False)
    first = claim(database, session_id)
    assert first is not None and (first.state, first.epoch, first.updated_at) == (SessionState.RUNNING, 1, 20)
    database.write(lambda conn: sessions.park(conn, session_id, 1, WAITS, now=30))
    second = claim(database, session_id)
    assert second is not None and (second.epoch, second.waits) == (2, WAITS)
    database.write(lambda conn: sessions.unpark(conn, session_id, 2, now=40))
    assert get(database, session_id).waits is None


@pytest.mark.parametrize("state", [state for state in SessionState if state.is_final])
def test_a_final_session_stays_as_it_is(database: Database, state: SessionState) -> None:
    """It cannot be claimed, parked, ended or stopped again."""
    session_id = add_session(database)
    database.write(lambda conn: sessions.finish(conn, session_id, 1, state, result=5, now=30))
    ended = get(database, session_id)
    assert (ended.state, ended.result, ended.waits) == (state, 5, None)
    assert claim(database, session_id) is None
    assert database.write(lambda conn: sessions.stop(conn, session_id, "again", now=40)) is False
    for action in (
        lambda conn: sessions.finish(conn, session_id, 1, SessionState.ERROR, now=40),
        lambda conn: sessions.park(conn, session_id, 1, WAITS, now=40),
        lambda conn: sessions.unpark(conn, session_id, 1, now=40),
    ):
        with pytest.raises(Fenced):
            database.write(action)
    assert get(database, session_id) == ended


def test_an_unclaimed_session_can_fail_but_not_complete(database: Database) -> None:
    """The table of transitions decides what a state may become."""
    session_id = add_session(database, claimed=False)
    with pytest.raises(Fenced):
        database.write(lambda conn: sessions.finish(conn, session_id, 0, SessionState.COMPLETED, now=30))
    database.write(lambda conn: sessions.finish(conn, session_id, 0, SessionState.ERROR, error="no build", now=30))
    assert get(database, session_id).state is SessionState.ERROR


def test_an_older_epoch_changes_nothing(database: Database) -> None:
    """Every guarded change of a fenced owner fails, and the row stays."""
    session_id = add_session(database)
    claim(database, session_id)
    before = get(database, session_id)
    for action in (
        lambda conn: sessions.park(conn, session_id, 1, WAITS, now=40),
        lambda conn: sessions.unpark(conn, session_id, 1, now=40),
        lambda conn: sessions.finish(conn, session_id, 1, SessionState.COMPLETED, now=40),
        lambda conn: sessions.count_failure(conn, session_id, 1),
        lambda conn: sessions.reset_failures(conn, session_id, 1),
    ):
        with pytest.raises(Fenced):
            database.write(action)
    assert get(database, session_id) == before


def test_stopping_fences_the_owner_and_empties_the_inbox(database: Database) -> None:
    """A stopped session has a new epoch, a reason and no signals."""
    session_id = add_session(database)
    database.write(lambda conn: signals.send(conn, session_id, "hello", None, now=25))
    assert database.write(lambda conn: sessions.stop(conn, session_id, "enough", now=30)) is True
    stopped = get(database, session_id)
    assert (stopped.state, stopped.epoch, stopped.error) == (SessionState.STOPPED, 2, "enough")
    assert database.read(lambda conn: signals.names_waiting(conn, session_id)) == frozenset()
    with pytest.raises(Fenced):
        database.writer.commit(session_id, 1, [call(0)])


def test_failures_are_counted_in_a_row(database: Database) -> None:
    """The count goes up until there is progress."""
    session_id = add_session(database)
    assert database.write(lambda conn: sessions.count_failure(conn, session_id, 1)) == 1
    assert database.write(lambda conn: sessions.count_failure(conn, session_id, 1)) == 2
    database.write(lambda conn: sessions.reset_failures(conn, session_id, 1))
    assert get(database, session_id).failures == 0


def test_listing_is_newest_first_by_pages(database: Database) -> None:
    """Pages follow one another without gap or overlap, and filters hold."""
    ids = [add_session(database) for _ in range(5)]
    other = replace(PROJECT, id="prj_2", name="other")
    database.write(lambda conn: projects.get_or_create(conn, Project(id="prj_2", name="other", created_at=1)))
    stray = make_session(project_id=other.id)
    database.write(lambda conn: sessions.create(conn, stray))
    database.write(lambda conn: sessions.stop(conn, ids[1], "", now=1))

    def page(**filters: object) -> list[str]:
        return [one.id for one in database.read(lambda conn: sessions.list(conn, **filters))]  # type: ignore[arg-type]

    assert page(limit=9) == [stray.id, *reversed(ids)]
    assert page(project_id=PROJECT.id, limit=2) == [ids[4], ids[3]]
    assert page(project_id=PROJECT.id, limit=9, after_id=ids[3]) == [ids[2], ids[1], ids[0]]
    assert page(state=SessionState.STOPPED, limit=9) == [ids[1]]


def test_unfinished_names_what_may_have_to_run(database: Database) -> None:
    """Created, running and waiting sessions are there, final ones are not."""
    created, waiting, stopped = add_session(database, claimed=False), add_session(database), add_session(database)
    database.write(lambda conn: sessions.park(conn, waiting, 1, WAITS, now=30))
    database.write(lambda conn: sessions.stop(conn, stopped, "", now=30))
    found = database.read(sessions.unfinished)
    assert found == [(created, PROJECT.id, True, None), (waiting, PROJECT.id, True, WAITS)]


def test_only_a_final_session_is_deleted_with_all_that_is_its(database: Database) -> None:
    """Its journal and inbox go with it, and its neighbour's stay."""
    mine, other = add_session(database), add_session(database)
    for session_id in (mine, other):
        database.writer.commit(session_id, 1, [call(0), call(-1)])
    with pytest.raises(FailedPrecondition, match="not over"):
        database.write(lambda conn: sessions.delete(conn, mine))
    database.write(lambda conn: sessions.stop(conn, mine, "", now=30))
    database.write(lambda conn: sessions.delete(conn, mine))
    assert indexes(database, mine) == []
    assert indexes(database, other) == [0, -1]
    with pytest.raises(NotFound):
        get(database, mine)


def test_a_session_needs_its_project_and_build(database: Database) -> None:
    """Foreign keys are enforced by both dialects."""
    session = make_session(build_id="bld_none")
    database.write(lambda conn: projects.get_or_create(conn, PROJECT))
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        database.write(lambda conn: sessions.create(conn, session))
    assert BUILD.id != session.build_id


def test_a_line_is_looked_at_up_to_a_bound(database: Database) -> None:
    """Sessions that start their successor make long lines; one whose parent is deleted begins a line."""
    ids = [add_session(database, id="ses_0")]
    for number in range(1, MAX_FOREBEARS + 20):
        ids.append(add_session(database, id=f"ses_{number}", parent_id=ids[-1]))
    orphan = add_session(database, id="ses_orphan", parent_id="ses_gone")

    assert line(database, ids[2]) == ids[2::-1]
    assert line(database, ids[-1]) == ids[: -MAX_FOREBEARS - 2 : -1]
    assert line(database, orphan) == [orphan]


def line(database: Database, session_id: str) -> list[str]:
    return [each.id for each in database.read(lambda conn: sessions.line_of(conn, session_id))]
