"""When schedules fire."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh_server.core.schedules import ScheduleError, check_schedule, parse_schedule

SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000
# Turns of an hour, of half an hour, at midnight, of a whole day (Samoa in 2011), and none.
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut",
         "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns", "UTC", "Antarctica/Troll"]  # fmt: skip


def us(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def shown(moment_us: int | None) -> str:
    """A moment in UTC, as text."""
    assert moment_us is not None
    return datetime.fromtimestamp(moment_us / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "after", "ticks"),
    [
        ("*/15 * * * *", "2026-01-01 00:01", ["2026-01-01 00:15:00", "2026-01-01 00:30:00"]),
        ("30 */10 * * * *", "2026-01-01 00:01", ["2026-01-01 00:10:30", "2026-01-01 00:20:30"]),
        ("0 9 * * MON-FRI", "2026-01-02 10:00", ["2026-01-05 09:00:00", "2026-01-06 09:00:00"]),
        ("0 9 ? * mon", "2026-01-02 10:00", ["2026-01-05 09:00:00", "2026-01-12 09:00:00"]),
        ("0 0 * * 7", "2026-01-01", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("0 0 L * *", "2026-01-01", ["2026-01-31 00:00:00", "2026-02-28 00:00:00"]),
        ("0 0 29 2 *", "2026-01-01", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0 0 1,15 * *", "2026-01-01", ["2026-01-15 00:00:00", "2026-02-01 00:00:00"]),
        ("@hourly", "2026-01-01 00:00", ["2026-01-01 01:00:00", "2026-01-01 02:00:00"]),
        ("@daily", "2026-01-01", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
        ("@midnight", "2026-01-01", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
        ("@weekly", "2026-01-01", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("@monthly", "2026-01-01", ["2026-02-01 00:00:00", "2026-03-01 00:00:00"]),
        ("@yearly", "2026-01-01", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
        ("@annually", "2026-01-01", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
        (" @Daily ", "2026-01-01", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
    ],
)
def test_schedules(text: str, after: str, ticks: list[str]) -> None:
    """Every form of schedule fires when it says, always after the moment that is asked about."""
    found = parse_schedule(text).ticks_between(us(after), us("2040-01-01"), 2)

    assert [shown(tick) for tick in found] == ticks


@pytest.mark.parametrize(
    ("text", "zone", "after", "ticks"),
    [
        # 02:00 to 03:00 is skipped: once, at the turn.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 22:00", ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]),
        ("0 30 2 * * *", "Europe/Berlin", "2026-03-28 22:00", ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]),
        ("15,45 2 * * *", "Europe/Berlin", "2026-03-28 22:00", ["2026-03-29 01:00:00", "2026-03-30 00:15:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28 22:00", ["2026-03-30 00:00:00", "2026-03-30 00:30:00"]),
        # 02:00 to 03:00 comes twice: a time of day once, a distance of time each time.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 22:00", ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 01:10", ["2026-10-26 01:30:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-10-25 00:10", ["2026-10-25 00:30:00", "2026-10-25 01:00:00"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-25 00:00", ["2026-10-25 01:00:00", "2026-10-25 02:00:00"]),
        # In the second of the two hours, with nothing of the first left that fits.
        ("*/30 2 25 10 *", "Europe/Berlin", "2026-10-25 00:40", ["2026-10-25 01:00:00", "2026-10-25 01:30:00"]),
        # The clock is turned at midnight, by half an hour, and by a day.
        ("@daily", "Asia/Beirut", "2026-03-28 12:00", ["2026-03-28 22:00:00", "2026-03-29 21:00:00"]),
        ("*/20 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", ["2026-10-03 15:40:00", "2026-10-04 15:00:00"]),
        ("0 12 * * *", "Pacific/Apia", "2011-12-29 12:00", ["2011-12-29 22:00:00", "2011-12-30 10:00:00"]),
    ],
)
def test_clocks_that_are_turned(text: str, zone: str, after: str, ticks: list[str]) -> None:
    """Where the clock is turned, a time of day fires once a day, and a distance of time keeps its distance."""
    found = parse_schedule(text, zone).ticks_between(us(after), us("2040-01-01"), len(ticks))

    assert [shown(tick) for tick in found] == ticks


def brute_force(text: str, zone: ZoneInfo, after_us: int, minutes: int) -> list[int]:
    """Ticks by looking at the clock every minute; a time of day counts once, and at the turn if it is skipped."""
    fields = text.split()
    names_times = not any(field.startswith("*") for field in fields[:2])

    def wall_at(moment_us: int) -> datetime:
        return datetime.fromtimestamp(moment_us // SECOND, UTC).astimezone(zone).replace(tzinfo=None)

    start = after_us - after_us % MINUTE + MINUTE
    # A day ahead, so that what the clock has shown already is known.
    before = start - 25 * 60 * MINUTE
    latest, ticks = wall_at(before - MINUTE), []
    # Enough on both sides for clocks that are turned by a day.
    until = wall_at(start) + timedelta(minutes=minutes, days=2)
    named = set(takewhile(until.__ge__, CronSim(text, latest - timedelta(days=2))))
    for moment in range(before, start + minutes * MINUTE, MINUTE):
        wall = wall_at(moment)
        if names_times:
            fresh = []
            while latest < wall:
                latest += timedelta(minutes=1)
                fresh.append(latest)
            hit = not named.isdisjoint(fresh)
        else:
            hit = wall in named
        if hit and moment >= start:
            ticks.append(moment)
    return ticks


FIELDS = st.sampled_from(["*", "*/20", "0", "30", "15,45", "0-10/5"])
HOURS = st.sampled_from(["*", "*/2", "0", "1", "2", "0-3", "23", "1,2,3"])
DAYS = st.sampled_from(["* *", "* 1-5", "1 *", "L *", "*/2 *", "15 0"]).map(lambda text: text.split())


@settings(deadline=None)
@given(FIELDS, HOURS, DAYS, st.sampled_from(ZONES), st.integers(us("2005-01-01"), us("2037-01-01")), st.integers(0, 59))
def test_agrees_with_looking_at_the_clock(
    minute: str, hour: str, days: list[str], zone: str, after: int, seconds: int
) -> None:
    """Every tick that looking at the clock every minute finds is found, and no other."""
    check_against_brute_force(f"{minute} {hour} {days[0]} * {days[1]}", zone, after + seconds)


@settings(deadline=None)
@given(FIELDS, HOURS, st.sampled_from(ZONES), st.integers(2005, 2036), st.data())
def test_agrees_with_looking_at_the_clock_near_turns(
    minute: str, hour: str, zone: str, year: int, data: st.DataObject
) -> None:
    """The same within two days of a turn of the clock, where all the mistakes are made."""
    turns = turns_of(zone, year)
    if turns:
        turn = data.draw(st.sampled_from(turns))
        after = turn + data.draw(st.integers(-30 * 60, 3 * 60)) * MINUTE
        check_against_brute_force(f"{minute} {hour} * * *", zone, after)


def check_against_brute_force(text: str, zone: str, after: int) -> None:
    minutes = 30 * 60
    start = after - after % MINUTE + MINUTE
    found = parse_schedule(text, zone).ticks_between(after, start + (minutes - 1) * MINUTE, 10_000)
    assert list(map(shown, found)) == list(map(shown, brute_force(text, ZoneInfo(zone), after, minutes)))


def turns_of(zone: str, year: int) -> list[int]:
    """Days of a year on which the clock is turned."""
    info, days = ZoneInfo(zone), range(us(f"{year}-01-01"), us(f"{year + 1}-01-01"), DAY)
    offsets = [datetime.fromtimestamp(day // SECOND, UTC).astimezone(info).utcoffset() for day in days]
    return [day for at, day in enumerate(days) if at and offsets[at] != offsets[at - 1]]


@given(
    st.lists(FIELDS, min_size=0, max_size=1), FIELDS, HOURS, DAYS, st.sampled_from(ZONES),
    st.integers(us("1930-01-01"), us("2200-01-01")),
)  # fmt: skip
def test_ticks_only_go_forward(
    seconds: list[str], minute: str, hour: str, days: list[str], zone: str, moment: int
) -> None:
    """The next tick is after the moment, and after that tick comes another."""
    schedule = parse_schedule(" ".join([*seconds, minute, hour, days[0], "*", days[1]]), zone)

    for _ in range(5):
        tick = schedule.next_after(moment)
        assert tick is not None and tick > moment
        moment = tick


@given(st.integers(1, 10**9), st.integers(-(10**15), 10**16), st.integers(0, 10**16))
def test_periods_do_not_drift(period: int, moment: int, anchor: int) -> None:
    """`@every` fires at whole periods from its anchor, whenever it is asked, and not at the anchor itself."""
    schedule = parse_schedule(f"@every {period % 10**8 + 1}s")
    period_us = (period % 10**8 + 1) * SECOND

    tick = schedule.next_after(moment, anchor_us=anchor)

    assert tick is not None and tick > moment and tick > anchor
    assert (tick - anchor) % period_us == 0
    assert tick - period_us <= max(moment, anchor)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("@every 1m", MINUTE),
        ("@every 24h", DAY),
        ("@every 1h30m", 90 * MINUTE),
        ("@every 90s", 90 * SECOND),
        ("@every 1.5h", 90 * MINUTE),
        ("@every 1s500ms", 1_500_000),
        ("@every  1m 30s", 90 * SECOND),
    ],
)
def test_periods(text: str, period: int) -> None:
    """Periods are written as in Go."""
    assert parse_schedule(text).ticks_between(0, 2 * period, 5) == (period, 2 * period)


def test_ticks_between_are_limited() -> None:
    """Both ends are as said, and a long time gives no more than asked for."""
    schedule = parse_schedule("@every 1s")

    assert schedule.ticks_between(0, 3 * SECOND, 10) == (SECOND, 2 * SECOND, 3 * SECOND)
    assert len(schedule.ticks_between(0, 10**18, 3)) == 3
    assert schedule.ticks_between(0, 10**18, 0) == schedule.ticks_between(5, 5, 9) == ()


def test_the_calendar_ends() -> None:
    """After the last year there is no tick, and no error."""
    assert parse_schedule("@yearly").next_after(us("9999-06-01")) is None
    assert parse_schedule("@yearly", "Europe/Berlin").next_after(10**30) is None
    assert parse_schedule("* * * * *", "Asia/Tokyo").next_after(us("9999-12-31 23:59")) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: a cron expression has 5 fields, or 6 with seconds in front, and '' has 0"),
        ("* * * *", "1:1: a cron expression has 5 fields, or 6 with seconds in front, and '* * * *' has 4"),
        ("60 * * * *", "1:1: '60' cannot be the minute, which is 0 to 59"),
        ("* 25 * * *", "1:3: '25' cannot be the hour, which is 0 to 23"),
        ("0 0 32 * *", "1:5: '32' cannot be the day of the month, which is 1 to 31, or L"),
        ("0 0 1 13 *", "1:7: '13' cannot be the month, which is 1 to 12, or JAN to DEC"),
        ("* * * *   MO", "1:11: 'MO' cannot be the day of the week, which is 0 to 7, or SUN to SAT"),
        ("61 * * * * *", "1:1: '61' cannot be the second, which is 0 to 59"),
        ("5-3 * * * *", "1:1: '5-3' cannot be the minute, which is 0 to 59"),
        ("*/0 * * * *", "1:1: '*/0' cannot be the minute, which is 0 to 59"),
        ("? * * * *", "1:1: '?' is not a field of a cron expression: the minute is 0 to 59"),
        ("* * * * (", "1:9: '(' is not a field of a cron expression: the day of the week is 0 to 7, or SUN to SAT"),
        ("٣ * * * *", "1:1: '٣' is not a field of a cron expression: the minute is 0 to 59"),
        ("0 0 31 2 *", "1:5: none of these months has a day 31, so this never fires"),
        ("0 0 0 31 4,6 *", "1:7: none of these months has a day 31, so this never fires"),
        ("@dayly", "1:1: there is no schedule '@dayly', but there is @daily"),
        ("@every x", "1:1: '@every x' has no duration such as 30s, 10m or 1h30m"),
        ("@every 500ms", "1:1: '@every 500ms' is more often than once a second"),
        ("@every 100000h", "1:1: '@every 100000h' is more than 10 years"),
        ("TZ=UTC * * * * *", "1:1: a schedule has no time zone in it. Put it into the trigger's `timezone`."),
        ("* " * 600, "1:1: the schedule has 1,199 characters, more than 1,000"),
    ],
)
def test_bad_schedules_are_refused(text: str, problem: str) -> None:
    """What never fires or means nothing has a problem, with its place and what could be there."""
    (found,) = check_schedule(text)

    assert str(found).startswith(f"schedule:{problem}")


def test_unknown_zones_are_refused() -> None:
    """A zone that does not exist has a problem, and one that is nearly written right a proposal."""
    for name in ("Europe/Berln", "../etc/passwd", "x\0", "\ud800"):
        with pytest.raises(ScheduleError, match="there is no time zone"):
            parse_schedule("@daily", name)


@given(st.text(max_size=30) | st.lists(st.sampled_from(
    ["*", "*/5", "1", "31", "2", "L", "LW", "5L", "MON", "JAN", "1#5", "?", "1-5", "1-5/2", "@every", "1h", "L/2"]
), max_size=7).map(" ".join))  # fmt: skip
def test_any_text_is_a_schedule_or_has_problems(text: str) -> None:
    """No text raises anything else, and what is accepted fires some time and can be told in words."""
    try:
        schedule = parse_schedule(text, "Europe/Berlin")
    except ScheduleError as error:
        assert error.problems
        return
    assert schedule.next_after(us("2026-01-01")) is not None
    assert schedule.explain()


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("0 3 * * *", "Europe/Berlin", "At 03:00 every day, Europe/Berlin"),
        ("*/5 * * * *", "", "Every fifth minute of every hour, UTC"),
        ("@weekly", "UTC", "At 00:00 on Sunday, UTC"),
        ("@every 1h30m", "", "Every 1 hour and 30 minutes"),
        ("@every 1s", "", "Every 1 second"),
        ("@every 25h1m1.5s", "", "Every 25 hours, 1 minute and 1.5 seconds"),
    ],
)
def test_schedules_in_words(text: str, zone: str, words: str) -> None:
    """A schedule can be told in words."""
    assert parse_schedule(text, zone).explain() == words
