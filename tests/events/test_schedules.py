"""Schedules: each tick once, one after a downtime, none while the session of an earlier one is at work."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from autokitteh_server.core.entities import Trigger, VerdictKind
from autokitteh_server.storage import deployments, triggers
from engine.stage import HandClock
from served import Served, serving

MINUTE = 60_000_000
#: 2026-01-01, at noon.
NOON = 1_767_268_800_000_000

TICKED = """
def main(event):
    print(event.event_type, dict(event.data), event.event_id is not None)
"""


def trigger_of(served: Served, name: str = "schedule") -> Trigger:
    """A trigger as it is now."""
    (found,) = [each for each in served.database.read(triggers.list) if each.name == name]
    return found


def fire_at(served: Served, clock: HandClock, moment: int) -> None:
    """Have the schedules look at the clock at a moment."""
    clock.set(moment)
    served.app.cron.fire_due()


def test_it_fires_when_its_time_has_come(tmp_path: Path) -> None:
    """Not before; then with type tick, no data and an id; and again when the next moment comes."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        served.deploy(TICKED, served.schedule("*/5 * * * *"))
        fire_at(served, clock, NOON + 5 * MINUTE - 1)
        assert served.events() == []
        fire_at(served, clock, NOON + 5 * MINUTE)
        fire_at(served, clock, NOON + 10 * MINUTE - 1)
        assert [event.created_at for event in served.events()] == [NOON + 5 * MINUTE]
        assert served.wait_all(1)[0].prints == ["tick {} True"]


def test_the_thread_fires_by_itself(tmp_path: Path) -> None:
    """When time passes, ticks come; also those of a schedule that is deployed while it waits for another."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        served.deploy(TICKED, served.schedule("@every 1h"))
        served.deploy(TICKED, served.schedule("@every 10m", "sooner"), name="other")
        for number in range(1, 4):
            clock.reach(NOON + number * 10 * MINUTE)
            served.wait_all(number)


def test_one_tick_after_a_downtime(tmp_path: Path) -> None:
    """Of all the ticks that were missed one is made up for, and the rhythm is kept."""
    with serving(tmp_path, clock=HandClock(NOON)) as served:
        served.deploy(TICKED, served.schedule("@every 10m"))
    clock = HandClock(NOON + 95 * MINUTE)
    with serving(tmp_path, clock=clock) as served:
        served.wait_all(1)
        assert trigger_of(served).next_tick_at == NOON + 100 * MINUTE
        fire_at(served, clock, NOON + 100 * MINUTE)
        served.wait_all(2)


@pytest.mark.parametrize("allow_overlap", [False, True])
def test_overlap(tmp_path: Path, allow_overlap: bool) -> None:
    """While the session of a tick is at work the next tick starts no other, and says so; unless it may."""
    program = "import time\ndef main(event):\n    time.sleep(100_000)\n"
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        served.deploy(program, served.schedule("@every 1m", allow_overlap=allow_overlap))
        fire_at(served, clock, NOON + MINUTE)
        fire_at(served, clock, NOON + 2 * MINUTE)
        kinds = [event.verdicts[0].kind for event in served.events()]
        assert kinds == [VerdictKind.STARTED, VerdictKind.STARTED if allow_overlap else VerdictKind.OVERLAP]


def test_a_session_that_is_over_makes_room(tmp_path: Path) -> None:
    """The tick after the end of a session starts one again."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        served.deploy(TICKED, served.schedule("@every 1m"))
        for number in range(1, 4):
            fire_at(served, clock, NOON + number * MINUTE)
            served.wait_all(number)


def test_not_while_it_is_not_deployed(tmp_path: Path) -> None:
    """Ticks of a project that is not deployed are skipped, and not made up for."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        trigger = served.deploy(TICKED, served.schedule("@every 1m"))["schedule"]
        served.database.write(lambda conn: deployments.deactivate(conn, trigger.project_id, now=NOON))
        fire_at(served, clock, NOON + MINUTE)
        assert served.events() == []
        assert trigger_of(served).next_tick_at == NOON + 2 * MINUTE


def test_a_tick_is_taken_once(tmp_path: Path) -> None:
    """Of many who see the same tick at the same time one takes it."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        served.deploy(TICKED, *(served.schedule("@every 1m", f"s{number}") for number in range(20)))
        clock.set(NOON + MINUTE)
        threads = [threading.Thread(target=served.app.cron.fire_due) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(served.events()) == 20
        served.wait_all(20)


def test_a_time_zone_that_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A schedule that means nothing any more fires what was due, and then no more; the others go on."""
    clock = HandClock(NOON)
    with serving(tmp_path, clock=clock) as served:
        found = served.deploy(TICKED, served.schedule("@every 1m", "gone"), served.schedule("@every 1m", "fine"))
        served.database.write(lambda conn: triggers.update_row(conn, replace(found["gone"], timezone="Nowhere/City")))
        fire_at(served, clock, NOON + MINUTE)
        fire_at(served, clock, NOON + 2 * MINUTE)
        assert sorted(event.source_name for event in served.events()) == ["fine", "fine", "gone"]
        assert trigger_of(served, "gone").next_tick_at is None
    assert "trigger gone will not fire any more" in caplog.text
