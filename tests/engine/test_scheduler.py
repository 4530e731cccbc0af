"""The local scheduler alone: whose turn it is, and that nobody's is lost."""

import logging
import os
import threading

import pytest

from autokitteh_server.core.clock import SystemClock
from autokitteh_server.core.errors import Fenced, InternalError
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.engine.surroundings import TurnResult
from engine.stage import AGAIN, ENDED, GONE, PATIENCE_S, scheduling, waiting


def test_no_more_turns_at_once_than_allowed() -> None:
    """Six sessions share two turns, and each has its own."""
    with scheduling(max_runners=2) as (scheduler, stage, _):
        for number in range(6):
            scheduler.start(f"s{number}", "p")
        stage.wait_until(lambda: len(stage.under_way) == 2)
        for number in range(6):
            stage.end(f"s{number}", ENDED)
        assert (stage.most_at_once, len(stage.begun)) == (2, 6)


def test_a_project_with_many_sessions_does_not_starve_another() -> None:
    """Projects take turns, however many sessions each has queued."""
    with scheduling(max_runners=1) as (scheduler, stage, _):
        for number in range(50):
            scheduler.start(f"a{number}", "a")
        stage.control("a0")
        for number in range(3):
            scheduler.start(f"b{number}", "b")
        scheduler.start("c0", "c")
        for session_id in ["a0", "a1", "b0", "c0", "a2", "b1", "a3", "b2", "a4", "a5"]:
            stage.end(session_id, ENDED)
        assert stage.begun[:10] == ["a0", "a1", "b0", "c0", "a2", "b1", "a3", "b2", "a4", "a5"]


def test_a_session_that_comes_again_queues_behind_others_of_its_project() -> None:
    """A session that always wants another turn does not keep its project's other sessions waiting."""
    with scheduling(max_runners=1) as (scheduler, stage, _):
        scheduler.start("greedy", "p")
        stage.control("greedy")
        scheduler.start("modest", "p")
        stage.end("greedy", AGAIN)
        stage.end("modest", ENDED)
        stage.end("greedy", ENDED)
        assert stage.begun == ["greedy", "modest", "greedy"]


def test_started_twice_while_queued_is_one_turn() -> None:
    """A session is queued once, whoever asks for it."""
    with scheduling(max_runners=1) as (scheduler, stage, _):
        scheduler.start("busy", "p")
        stage.control("busy")
        for _ in range(3):
            scheduler.start("s", "p")
        scheduler.start("last", "p")
        stage.end("busy", ENDED)
        stage.end("s", waiting("x"))
        stage.end("last", ENDED)
        assert stage.begun == ["busy", "s", "last"]


@pytest.mark.parametrize("result", [waiting("x"), AGAIN])
def test_started_while_it_has_its_turn_is_another_turn(result: TurnResult) -> None:
    """Whoever starts a running session means that it must go on, and the turn may have looked too early."""
    with scheduling() as (scheduler, stage, _):
        scheduler.start("s", "p")
        stage.control("s")
        scheduler.start("s", "p")
        stage.end("s", result)
        stage.end("s", ENDED)
        assert stage.begun == ["s", "s"]


def test_a_wake_up_reaches_who_waits_for_it_only() -> None:
    """A parked session has a turn for a signal that it waits for, and none for another."""
    with scheduling() as (scheduler, stage, _):
        scheduler.expect("s", "p", waiting("x", "y").waits)
        scheduler.wake("s", "z")
        scheduler.wake("unknown", "x")
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["other"]
        scheduler.wake("s", "y")
        stage.end("s", ENDED)
        scheduler.wake("s", "x")
        assert stage.begun == ["other", "s"]


def test_a_wake_up_that_the_turn_has_not_seen_gives_another() -> None:
    """A signal between the turn's last look and its end is not lost."""
    with scheduling() as (scheduler, stage, _):
        scheduler.start("s", "p")
        stage.control("s")
        scheduler.wake("s", "x")
        stage.end("s", waiting("x"))
        stage.end("s", ENDED)
        assert stage.begun == ["s", "s"]


def test_a_wake_up_that_the_turn_has_seen_gives_no_other() -> None:
    """A turn that has looked into the inbox after the signal came needs no second look."""
    with scheduling() as (scheduler, stage, _):
        scheduler.start("s", "p")
        control = stage.control("s")
        scheduler.wake("s", "x")
        assert control.take_poke()
        stage.end("s", waiting("y"))
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["s", "other"]


def test_a_wake_up_while_queued_is_the_turn_that_comes_anyway() -> None:
    """Its turn is still to come, and will look into the inbox."""
    with scheduling(max_runners=1) as (scheduler, stage, _):
        scheduler.start("busy", "p")
        stage.control("busy")
        scheduler.start("s", "p")
        scheduler.wake("s", "x")
        stage.end("busy", ENDED)
        assert not stage.control("s").take_poke()


def test_timers_go_off_in_their_order_and_not_before() -> None:
    """Sessions that sleep have their turns when their times have come."""
    with scheduling(max_runners=1) as (scheduler, stage, clock):
        for session_id, moment in {"late": 300, "early": 100, "middle": 200}.items():
            scheduler.expect(session_id, "p", waiting(until=moment).waits)
        clock.reach(99)
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["other"]
        for session_id, moment in {"early": 100, "middle": 250, "late": 300}.items():
            clock.reach(moment)
            stage.end(session_id, ENDED)
        assert stage.begun == ["other", "early", "middle", "late"]


def test_an_earlier_timer_set_later_goes_off_first() -> None:
    """The thread that waits for the first timer notices when another one becomes the first."""
    with scheduling() as (scheduler, stage, clock):
        scheduler.expect("late", "p", waiting(until=1_000_000_000).waits)
        scheduler.expect("early", "p", waiting(until=10).waits)
        clock.reach(10)
        stage.end("early", ENDED)
        assert stage.begun == ["early"]


def test_a_timer_that_is_out_of_date_does_nothing() -> None:
    """Who was woken before its time is over has no turn when it comes."""
    with scheduling() as (scheduler, stage, clock):
        scheduler.expect("s", "p", waiting("x", until=100).waits)
        scheduler.wake("s", "x")
        stage.end("s", waiting("x", until=500))
        clock.reach(100)
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["s", "other"]
        clock.reach(500)
        stage.end("s", ENDED)


def test_timers_out_of_date_do_not_pile_up() -> None:
    """A session woken ten thousand times before its long time-out costs no memory for each."""
    with scheduling() as (scheduler, stage, clock):
        for number in range(10_000):
            scheduler.expect("s", "p", waiting(until=1_000_000 + number).waits)
        assert len(scheduler._timers) < 2_000
        clock.reach(1_009_999)
        stage.end("s", ENDED)
        assert stage.begun == ["s"]


@pytest.mark.parametrize("error", [RuntimeError("boom"), InternalError("no process")])
def test_an_error_of_the_servers_own_is_logged_and_the_turn_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody's session is lost for it, and no worker either."""
    with scheduling(max_runners=1) as (scheduler, stage, clock), caplog.at_level(logging.ERROR):
        scheduler.start("s", "p")
        for seconds in (1, 3, 7):
            stage.end("s", error)
            clock.reach(seconds * 1_000_000)
        stage.end("s", ENDED)
        assert len(stage.begun) == 4
    assert sum(str(error) in record.getMessage() + str(record.exc_info) for record in caplog.records) == 2


@pytest.mark.parametrize("end", [GONE, Fenced("taken over")])
def test_a_session_that_another_server_took_is_forgotten(end: TurnResult | Exception) -> None:
    """It is the other one's to give it turns."""
    with scheduling() as (scheduler, stage, _):
        scheduler.start("s", "p")
        stage.end("s", end)
        scheduler.wake("s", "x")
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["s", "other"]


def test_stopping_who_has_a_turn_tells_the_turn() -> None:
    """The turn ends the session; without force, after the activity under way."""
    with scheduling() as (scheduler, stage, _):
        scheduler.start("s", "p")
        control = stage.control("s")
        scheduler.stop("s", force=False)
        assert (control.stop_asked, control.stop_forced) == (True, False)
        scheduler.stop("s", force=True)
        assert control.stop_forced
        stage.end("s", ENDED)
        assert not stage.stopped_idle


@pytest.mark.parametrize("result", [waiting("x"), AGAIN, RuntimeError("boom")])
def test_an_order_to_stop_that_came_too_late_for_a_turn_is_carried_to_the_next(result: TurnResult | Exception) -> None:
    """Between a turn's last look at its orders and its end there is time for one more."""
    with scheduling(max_runners=1) as (scheduler, stage, clock):
        scheduler.start("s", "p")
        stage.control("s")
        scheduler.stop("s", force=True)
        stage.end("s", result)
        clock.reach(1_000_000)
        assert stage.control("s").stop_asked
        stage.end("s", ENDED)
        scheduler.start("another", "p")
        assert not stage.control("another").stop_asked


def test_stopping_who_has_no_turn() -> None:
    """Waiting or unknown, it is stopped in the database, and neither its timer nor its signal wakes it."""
    with scheduling() as (scheduler, stage, clock):
        scheduler.expect("s", "p", waiting("x", until=100).waits)
        scheduler.stop("s", force=False)
        scheduler.stop("unknown", force=True)
        assert stage.stopped_idle == ["s", "unknown"]
        scheduler.wake("s", "x")
        clock.reach(100)
        scheduler.start("other", "p")
        stage.end("other", ENDED)
        assert stage.begun == ["other"]


def test_a_session_that_was_stopped_while_queued_finds_out_in_its_turn() -> None:
    """Its turn finds it final; one that fails first, for a reason of the server's, is tried again all the same."""
    with scheduling(max_runners=1) as (scheduler, stage, clock):
        scheduler.start("busy", "p")
        stage.control("busy")
        scheduler.start("s", "p")
        scheduler.stop("s", force=False)
        stage.end("busy", ENDED)
        stage.end("s", RuntimeError("the database is away"))
        clock.reach(1_000_000)
        stage.end("s", ENDED)
        assert stage.stopped_idle == ["s"]


def test_a_turn_that_began_while_its_session_was_being_stopped_is_abandoned() -> None:
    """It is fenced off, and would not notice before it has something to write."""
    with scheduling() as (scheduler, stage, _):

        def start_meanwhile(session_id: str) -> None:
            scheduler.start(session_id, "p")
            stage.control(session_id)

        stage.on_stop_idle = start_meanwhile
        scheduler.stop("s", force=False)
        assert stage.control("s").abandoned
        stage.end("s", GONE)


def test_a_stop_that_fails_leaves_the_session_as_it_was() -> None:
    """Whoever asked gets the error; the session goes on waiting, and is woken."""

    def fail(session_id: str) -> None:
        raise InternalError("the database is away")

    with scheduling() as (scheduler, stage, _):
        stage.on_stop_idle = fail
        scheduler.expect("s", "p", waiting("x").waits)
        with pytest.raises(InternalError):
            scheduler.stop("s", force=False)
        scheduler.wake("s", "x")
        stage.end("s", ENDED)


def test_closing_abandons_turns_and_gives_no_more() -> None:
    """What is queued or waits stays in the database for the next start."""
    begun = threading.Event()
    read_end, write_end = os.pipe()
    had: list[str] = []

    def run_turn(session_id: str, control: TurnControl) -> TurnResult:
        had.append(session_id)
        begun.set()
        while not control.abandoned:
            control.wait(read_end, SystemClock(), None)
        return GONE

    scheduler = LocalScheduler(SystemClock(), max_runners=1)
    scheduler.open(run_turn, lambda session_id: None)
    scheduler.start("s", "p")
    scheduler.start("queued", "p")
    scheduler.expect("waits", "p", waiting(until=1 << 60).waits)
    assert begun.wait(PATIENCE_S)
    scheduler.close()
    os.close(read_end)
    os.close(write_end)
    assert had == ["s"]


def test_a_turn_that_fails_again_and_again_waits_longer_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """A second, two, four, up to five minutes; the log has the first failure, and then ever fewer lines."""
    with scheduling() as (scheduler, stage, clock), caplog.at_level(logging.ERROR):
        scheduler.start("s", "p")
        moment = 0
        for failures, seconds in enumerate([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300], 1):
            stage.end("s", RuntimeError("boom"))
            moment += seconds * 1_000_000
            clock.reach(moment - 1)
            assert len(stage.begun) == failures
            clock.reach(moment)
            stage.control("s")
        assert len(caplog.records) == 4  # of the failures 1, 2, 4, 8
        stage.end("s", waiting("x"))
        scheduler.wake("s", "x")
        stage.end("s", RuntimeError("boom"))
        clock.reach(moment + 1_000_000)
        stage.end("s", ENDED)
        assert len(caplog.records) == 5


@pytest.mark.parametrize("how", ["start", "wake", "retry", "another"])
def test_a_session_whose_turn_failed_goes_on_early(how: str) -> None:
    """When it is started or woken, when the trouble may be over, and when another in trouble is well again."""
    with scheduling() as (scheduler, stage, clock):
        for session_id in ("s", "other"):
            scheduler.start(session_id, "p")
            stage.end(session_id, RuntimeError("boom"))
        if how == "start":
            scheduler.start("s", "p")
        elif how == "wake":
            scheduler.wake("s", "any signal")
        elif how == "retry":
            scheduler.retry()
        else:
            scheduler.start("other", "p")
            stage.end("other", ENDED)
        stage.end("s", ENDED)
        assert clock.now_us() == 0


def test_a_session_that_is_called_while_its_turn_fails_tries_again_at_once() -> None:
    """The trouble may have ended after the turn had met it."""
    with scheduling() as (scheduler, stage, clock):
        scheduler.start("s", "p")
        stage.end("s", RuntimeError("boom"))
        scheduler.start("s", "p")
        stage.control("s")
        scheduler.retry()
        stage.end("s", RuntimeError("boom"))
        stage.end("s", ENDED)
        assert clock.now_us() == 0 and len(stage.begun) == 3
