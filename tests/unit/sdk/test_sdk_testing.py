"""The in-memory stand-in that the SDK ships."""

import time

import pytest

import autokitteh
from autokitteh import AutoKittehError, _runtime, testing
from autokitteh._runtime import Runtime


def test_implements_the_seam() -> None:
    """The stand-in has every operation that the protocol names."""
    runtime: Runtime = testing.MemoryRuntime()
    operations = [name for name in vars(Runtime) if not name.startswith("_")]
    assert len(operations) >= 13
    assert all(callable(getattr(runtime, name)) for name in operations)


def test_events_sent_before_subscribing_are_kept() -> None:
    """A test can say what will happen, and call the code afterwards."""
    with testing.session() as runtime:
        runtime.send_event("a", {"n": 1})
        runtime.send_event("b", {"n": 2})
        runtime.send_event("a", {"n": 3})
        subscription = autokitteh.subscribe("a")
        assert autokitteh.next_event(subscription) == {"n": 1}
        assert autokitteh.next_event(subscription) == {"n": 3}
        assert autokitteh.next_event(subscription, timeout=1) is None
        assert autokitteh.next_event(autokitteh.subscribe("b")) == {"n": 2}


def test_later_events_make_the_clock_jump() -> None:
    """A wait ends when the next event is due, or at its time-out if that is earlier, however late they were sent."""
    with testing.session() as runtime:
        subscription = autokitteh.subscribe("a")
        runtime.send_event("a", {"n": 2}, after=3600)
        runtime.send_event("a", {"n": 1}, after=60)
        assert autokitteh.next_event(subscription, timeout=30) is None
        assert runtime.clock.now() == 30
        assert autokitteh.next_event(subscription, timeout=30) == {"n": 1}
        assert runtime.clock.now() == 60
        runtime.clock.sleep(7200)
        assert autokitteh.next_event(subscription) == {"n": 2}
        assert runtime.clock.now() == 7260


def test_later_signals_make_the_clock_jump() -> None:
    """Signals are waited for in the same way."""
    with testing.session() as runtime:
        runtime.send_signal("go", 1, after=5)
        assert autokitteh.next_signal("go", timeout=4) is None
        assert autokitteh.next_signal("go") == autokitteh.Signal("go", 1)
        assert runtime.clock.now() == 5


def test_an_event_reaches_each_subscription_once() -> None:
    """Two subscriptions of one source both get it, as copies that do not share data."""
    with testing.session() as runtime:
        a, b = autokitteh.subscribe("hook"), autokitteh.subscribe("hook")
        runtime.send_event("hook", {"list": [1]})
        first = autokitteh.next_event(a)
        assert first is not None
        first["list"].append(2)
        assert autokitteh.next_event(a, b) == {"list": [1]}
        assert autokitteh.next_event(a, b, timeout=0) is None


def test_a_subscription_sees_only_what_arrives_after_it() -> None:
    """An event that another subscription took is not seen by a later one, even if nobody asked in between."""
    with testing.session() as runtime:
        first = autokitteh.subscribe("hook")
        runtime.send_event("hook", {"n": 1}, after=1)
        runtime.clock.sleep(2)
        second = autokitteh.subscribe("hook")
        assert autokitteh.next_event(second, timeout=1) is None
        assert autokitteh.next_event(first) == {"n": 1}


def test_waiting_for_ever_is_an_error() -> None:
    """A test that would hang fails instead, and says what to send."""
    with testing.session():
        subscription = autokitteh.subscribe("a")
        with pytest.raises(AutoKittehError, match=r"next_event would wait for ever.*runtime\.send_event\("):
            autokitteh.next_event(subscription)
        with pytest.raises(AutoKittehError, match=r"next_signal would wait for ever.*runtime\.send_signal\("):
            autokitteh.next_signal("a")


def test_filters_are_ignored_unless_something_evaluates_them() -> None:
    """`match` decides about filters that are not empty."""
    with testing.session() as runtime:
        runtime.send_event("a", {"n": 1})
        assert autokitteh.next_event(autokitteh.subscribe("a", "data.n == 2")) == {"n": 1}
    with testing.session(match=lambda filter, event: filter == f"data.n == {event.data.n}") as runtime:
        two, all_ = autokitteh.subscribe("a", "data.n == 2"), autokitteh.subscribe("a")
        runtime.send_event("a", {"n": 1})
        runtime.send_event("a", {"n": 2})
        assert autokitteh.next_event(two) == {"n": 2}
        assert autokitteh.next_event(all_) == {"n": 1}


def test_what_is_sent_is_checked() -> None:
    """The stand-in hands out nothing that a real session could not have got."""
    runtime = testing.MemoryRuntime()
    with pytest.raises(TypeError, match=r'data\["x"\]: object is not JSON'):
        runtime.send_event("a", {"x": object()})
    with pytest.raises(TypeError, match="payload: set is not JSON"):
        runtime.send_signal("a", {1})


def test_sessions_nest_and_restore() -> None:
    """The runtime from before is back after the block, also after an exception."""
    with testing.session() as outer:
        with pytest.raises(KeyError), testing.session() as inner:
            assert _runtime.current() is inner is not outer
            raise KeyError
        assert _runtime.current() is outer
        given = testing.MemoryRuntime(session_id="ses_x")
        with testing.session(given) as installed:
            assert installed is given is _runtime.current()


def test_outside_a_session_there_is_a_stand_in() -> None:
    """Calls without any session work in memory, and what they did stays there."""
    before = _runtime.install(None)
    try:
        autokitteh.set_value("k", 1)
        assert autokitteh.get_value("k") == 1
        assert isinstance(_runtime.current(), testing.MemoryRuntime)
    finally:
        _runtime.install(before)


def test_virtual_clock() -> None:
    """It moves by what it is told, never backwards, and leaves the real functions alone."""
    real = time.sleep
    clock = testing.VirtualClock(100)
    clock.sleep(86_400)
    clock.sleep(0)
    assert clock.now() == 86_500
    with pytest.raises(ValueError, match="time does not run backwards"):
        clock.sleep(-1)
    with testing.session(testing.MemoryRuntime(clock=clock)) as runtime:
        assert runtime.clock is clock
        assert time.sleep is real


def test_unknown_operations_are_refused() -> None:
    """Also one that did not come through the SDK's own check."""
    with pytest.raises(ValueError, match="no operation 'mul' with 1 arguments"):
        testing.MemoryRuntime().mutate_value("k", "mul", [2])
